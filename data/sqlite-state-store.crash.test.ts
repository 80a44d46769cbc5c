import { spawn } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Random } from '../src/random.ts';
import { inLanes, KILLS, runAndKill } from '../test/kills.ts';
import { ensureCheckpointKey, readPublicKeys } from './checkpoint-key.ts';
import { SqliteStateStore } from './sqlite-state-store.ts';
import { decisionDraft, nextBook, someInputs } from './test-books.ts';

/** What was acknowledged survives: the death of the process, the loss of the log's tail, a full disk. */
const FIXTURE = fileURLToPath(new URL('./publishing-process.fixture.ts', import.meta.url));

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'plimsoll-crash-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

/** Reads the store as a new process would; returns the newest version after checking that everything before it is there. */
async function newestSoundVersion(dataDir = folder): Promise<number> {
  const store = SqliteStateStore.open(dataDir);
  const newest = (await store.latestBook())?.version ?? 0;
  // Whatever book there is, there is all of what it was published with.
  expect(await store.verify(await readPublicKeys(dataDir))).toEqual({
    ...{ books: newest, replayable: newest, auditEntries: newest, checkpoints: newest },
    ...{ firstBadBook: null, firstBadAuditEntry: null, firstBadCheckpoint: null, firstBadRecord: null },
  });
  await store.close();
  return newest;
}

test('kill -9 at any moment loses nothing that was acknowledged and leaves no gap', async () => {
  const made = await inLanes('publication', async (lane, kills, moments) => {
    const dataDir = join(folder, `lane-${lane}`);
    let acknowledged = 0;
    let newest = 0;
    for (let kill = 0; kill < kills; kill++) {
      // Every fourth kill counts from the start of the process, to hit the opening of the file and its recovery too.
      const isDuringStart = kill % 4 === 3;
      const { lines, wasKilled } = await runAndKill(FIXTURE, [dataDir, '12'], {
        afterLines: isDuringStart ? 0 : 1 + moments.integer(8),
        milliseconds: moments.uniform() * (isDuringStart ? 400 : 12),
      });
      expect([wasKilled, lines.some((line) => line.includes('failed'))]).toEqual([true, false]);
      acknowledged = Math.max(acknowledged, Number(lines.at(-1) ?? 0));
      const found = await newestSoundVersion(dataDir);
      expect(found).toBeGreaterThanOrEqual(Math.max(acknowledged, newest));
      newest = found;
    }
    expect(acknowledged).toBeGreaterThan(kills);
    return kills;
  });
  expect(made).toBe(KILLS.publication);
}, 300_000);

test('a log that lost its tail, as after a power failure, gives back every book that was flushed before the cut', async () => {
  const store = SqliteStateStore.open(folder, { signer: await ensureCheckpointKey(folder) });
  const logSizeAfter: number[] = [];
  let book = null;
  for (let version = 1; version <= 30; version++) {
    const inputs = someInputs(version);
    book = nextBook(book, { AURUSDT: 2 + (version % 5), BOREUSDT: 2 + (version % 3) }, inputs.hash);
    await store.publish(book, decisionDraft(book), inputs);
    logSizeAfter.push(statSync(join(folder, 'state.sqlite-wal')).size);
  }
  const random = new Random(7);
  const copy = join(folder, 'copy');
  for (let cut = 0; cut < 40; cut++) {
    const size = random.integer(logSizeAfter[29] + 1);
    mkdirSync(copy);
    copyFileSync(join(folder, 'state.sqlite'), join(copy, 'state.sqlite'));
    copyFileSync(join(folder, 'state.sqlite-wal'), join(copy, 'state.sqlite-wal'));
    truncateSync(join(copy, 'state.sqlite-wal'), size);
    // A sector that was being written when the power went holds anything.
    const noise = Buffer.from(Array.from({ length: cut % 2 === 0 ? 0 : 512 }, () => random.integer(256)));
    writeFileSync(join(copy, 'state.sqlite-wal'), noise, { flag: 'a' });
    copyFileSync(join(folder, 'checkpoint.pub'), join(copy, 'checkpoint.pub'));
    expect(await newestSoundVersion(copy)).toBe(logSizeAfter.filter((flushed) => flushed <= size).length);
    rmSync(copy, { recursive: true });
  }
  await store.close();
});

test('a full disk fails the publication as IO_FAILED and the books before it stay whole', async () => {
  // A limit on the size of files stands in for the disk: 500 blocks of 512 bytes.
  const child = spawn(
    'sh',
    ['-c', 'ulimit -f 500; exec "$0" "$@"', process.execPath, FIXTURE, folder, '12'],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  let output = '';
  child.stdout.on('data', (chunk) => {
    output += chunk;
  });
  await new Promise((resolve) => child.on('close', resolve));
  const lines = output.trim().split('\n');
  expect(lines.at(-1)).toBe('failed IO_FAILED');
  const acknowledged = Number(lines.at(-2));
  expect(acknowledged).toBeGreaterThan(0);
  expect(await newestSoundVersion()).toBe(acknowledged);
  await runAndKill(FIXTURE, [folder, '12'], { afterLines: 1, milliseconds: 0 });
  expect(await newestSoundVersion()).toBeGreaterThan(acknowledged);
}, 60_000);

test('another process reads whole books while one writes', async () => {
  const child = spawn(process.execPath, [FIXTURE, folder, '12'], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = new Promise((resolve) => child.on('close', resolve));
  await new Promise((resolve) => child.stdout.once('data', resolve));
  child.stdout.resume();
  const reader = SqliteStateStore.open(folder, { readOnly: true });
  const seen: number[] = [];
  for (let read = 0; read < 200; read++) {
    // Reading checks the hash of what it reads: half a book cannot come out.
    seen.push((await reader.latestBook())?.version ?? 0);
    expect(await reader.history('M0USDT', 1)).toHaveLength(1);
    await wait(1);
  }
  const verification = await reader.verify();
  child.kill('SIGKILL');
  await ended;
  await reader.close();
  expect(seen).toEqual([...seen].sort((a, b) => a - b));
  expect(seen.at(-1)).toBeGreaterThan(seen[0]);
  expect(verification).toMatchObject({ firstBadBook: null, firstBadAuditEntry: null });
}, 60_000);
