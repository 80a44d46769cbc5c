import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Random } from '../src/random.ts';
import { plimsoll, type Served, serve } from './run-plimsoll.ts';

/** Proof as auditors meet it: a service that people worked on, killed and restarted, and a copy of its folder in their hands. */
const folder = mkdtempSync(join(tmpdir(), 'plimsoll-audit-'));
const dataDir = join(folder, 'var');
const QUIET = ['--training-schedule', 'off'];
const file = (name: string): string => join(folder, name);
const run = (...args: string[]) => plimsoll([...args, '--data-dir', dataDir]);
let running: Served | undefined;

afterAll(async () => {
  await running?.end('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

async function newestVersion(): Promise<number> {
  return ((await (await fetch(`${running?.url}/v1/limits`)).json()) as { version: number }).version;
}

async function publishedAfter(version: number): Promise<void> {
  while ((await newestVersion()) <= version) await new Promise((resolve) => setTimeout(resolve, 50));
}

/** Done by a person through the service; each makes a decision of its own. */
async function act(...args: string[]): Promise<void> {
  const before = await newestVersion();
  expect(await run(...args)).toMatchObject({ code: 0 });
  await publishedAfter(before);
}

function inState<T>(work: (database: DatabaseSync) => T, where = dataDir): T {
  const database = new DatabaseSync(join(where, 'state.sqlite'));
  try {
    return work(database);
  } finally {
    database.close();
  }
}

async function replayAll(expected: number): Promise<void> {
  for (let version = 1; version <= expected; version++) {
    const { code, stdout } = await run('audit', 'replay', String(version), '--json');
    expect([version, code, JSON.parse(stdout)]).toMatchObject([
      version,
      0,
      { version, identical: true, difference: null },
    ]);
  }
}

/** The shipped model under another version, so that there is one to promote. */
function anotherModel(): string {
  const shipped = join(import.meta.dirname, '..', 'models');
  const { champion } = JSON.parse(readFileSync(join(shipped, 'aliases.json'), 'utf8'));
  const version = champion.replace(/^\d+/, '20991231');
  const copy = join(dataDir, 'models', 'versions', version);
  cpSync(join(shipped, 'versions', champion), copy, { recursive: true });
  const manifest = readFileSync(join(copy, 'manifest.json'), 'utf8');
  writeFileSync(
    join(copy, 'manifest.json'),
    manifest.replace(`"version": "${champion}"`, `"version": "${version}"`),
  );
  return version;
}

beforeAll(async () => {
  running = await serve(dataDir, QUIET);
  await running.inForce;
  await act('override', 'BOREUSDT', '2', '--hours', '1', '--reason', 'thin book');
  await act('freeze', 'MAREUSDT', '--hours', '1', '--reason', 'disputed');
  const last = await newestVersion();
  await running.end('SIGKILL');
  // Another policy: what was decided under the first one is still decided again under the first one.
  writeFileSync(file('policy.yaml'), 'policy:\n  stressMultiplier: 1.1\n');
  running = await serve(dataDir, [...QUIET, '--config', file('policy.yaml')]);
  await publishedAfter(last);
  await act('thaw', 'MAREUSDT', '--reason', 'agreed');
  const promoted = await run('promote', anotherModel(), '--override', '--reason', 'a copy');
  expect(promoted.code).toBe(0);
  await act('emergency', '--hours', '1', '--reason', 'venue halted');
  expect(await running.end('SIGTERM')).toBe(0);
}, 180_000);

describe('a store that a service left', () => {
  test('holds: chains, inputs, checkpoints; every act of people is an entry of the chain', async () => {
    const { code, stdout, stderr } = await run('audit', 'verify');
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(
      /^(\d+) books \(\1 with their inputs\), \d+ audit entries and \d+ checkpoints were recomputed\nboth chains hold\n$/,
    );
    const kinds = inState((database) =>
      database.prepare("SELECT body ->> 'kind' AS kind, count(*) AS n FROM audit GROUP BY kind").all(),
    );
    const counted = Object.fromEntries(kinds.map(({ kind, n }) => [kind, n]));
    expect(counted).toMatchObject({ start: 2, override: 1, freeze: 1, thaw: 1, emergency: 1, promotion: 1 });
  });

  test('every decision is made again to the bit: before and after kill -9, overrides, freezes, another policy and another model', async () => {
    const versions = inState((database) =>
      database
        .prepare(
          "SELECT version, body ->> 'policyHash' AS policy, body ->> 'model' AS model FROM book ORDER BY version",
        )
        .all(),
    );
    expect(new Set(versions.map(({ policy }) => policy)).size).toBe(2);
    expect(new Set(versions.map(({ model }) => model)).size).toBe(2);
    expect(versions.length).toBeGreaterThanOrEqual(5);
    await replayAll(versions.length);
    const entry = inState((database) =>
      database.prepare('SELECT audit_sequence AS n FROM book WHERE version = 2').get(),
    )?.n;
    const byEntry = await run('audit', 'replay', `entry-${entry}`);
    expect([byEntry.code, byEntry.stdout]).toEqual([0, expect.stringContaining('book 2, decided ')]);
    expect(byEntry.stdout).toContain('its stored inputs give the same book, to the bit');
  }, 120_000);

  test.each([
    ['999', 4, 'NOT_FOUND'],
    ['-1', 4, 'NOT_FOUND'],
    ['entry-1', 4, 'a start and no decision is in audit entry 1'],
    ['../etc', 4, 'NOT_FOUND'],
  ])('replay of %s ends with %i', async (id, expected, words) => {
    const { code, stdout, stderr } = await run('audit', 'replay', id);
    expect([code, stdout]).toEqual([expected, '']);
    expect(stderr).toContain(words);
    expect(stderr).not.toContain('    at ');
  });

  test('a checkpoint that is kept elsewhere is verified by openssl alone', async () => {
    const printed = await run('audit', 'checkpoint');
    expect(printed.code).toBe(0);
    writeFileSync(file('kept.json'), printed.stdout);
    writeFileSync(file('kept.pub'), (await run('audit', 'key')).stdout);
    const { signature, ...content } = JSON.parse(printed.stdout);
    // The keys of a checkpoint in their order, and no white space: jq -cSj 'del(.signature)' gives the same.
    writeFileSync(file('signed'), JSON.stringify(content, Object.keys(content).sort()));
    writeFileSync(file('signature'), Buffer.from(signature, 'base64'));
    const openssl = (): string =>
      execFileSync(
        'openssl',
        [
          'pkeyutl',
          '-verify',
          '-pubin',
          '-inkey',
          file('kept.pub'),
          '-rawin',
          '-in',
          file('signed'),
          '-sigfile',
          file('signature'),
        ],
        { encoding: 'utf8', stdio: 'pipe' },
      );
    expect(openssl()).toContain('Verified Successfully');
    writeFileSync(file('signed'), JSON.stringify({ ...content, books: 1 }, Object.keys(content).sort()));
    expect(openssl).toThrow();
  });

  test('the chains are proven to go through it; a folder that was rolled back is found by it alone', async () => {
    const kept = ['--checkpoint', file('kept.json'), '--public-key', file('kept.pub')];
    const good = await run('audit', 'verify', ...kept);
    expect([good.code, good.stdout]).toEqual([
      0,
      expect.stringMatching(/and go through checkpoint \d+ of 20/),
    ]);
    const cut = file('cut');
    cpSync(dataDir, cut, { recursive: true });
    inState((database) => {
      database.exec('PRAGMA foreign_keys = OFF');
      const last = Number(database.prepare('SELECT max(version) AS n FROM book').get()?.n);
      const { n: sequence } = database
        .prepare('SELECT audit_sequence AS n FROM book WHERE version = ?')
        .get(last - 1) as { n: number };
      const books = `version > ${last - 1}`;
      for (const table of ['decision_input', 'schedule_change', 'book'])
        database.exec(`DELETE FROM ${table} WHERE ${books}`);
      database.exec(
        `DELETE FROM governance_change WHERE audit_sequence > ${sequence}; DELETE FROM idempotency_key WHERE audit_sequence > ${sequence}`,
      );
      database.exec(
        `DELETE FROM audit WHERE sequence > ${sequence}; DELETE FROM checkpoint WHERE body ->> 'auditEntries' > ${sequence}`,
      );
    }, cut);
    const verifyCut = (...args: string[]) => plimsoll(['audit', 'verify', '--data-dir', cut, ...args]);
    const alone = await verifyCut();
    expect([alone.code, alone.stderr]).toEqual([0, '']);
    const found = await verifyCut(...kept);
    expect(found.code).toBe(5);
    expect(found.stderr).toMatch(
      /^CHAIN_BROKEN: .*kept\.json: book \d+, which it saw, is missing: the chain was cut off/,
    );
  });

  test('a checkpoint, a key or a file that is not what it should be is told', async () => {
    writeFileSync(
      file('forged.json'),
      readFileSync(file('kept.json'), 'utf8').replace(/"books": \d+/, '"books": 1'),
    );
    writeFileSync(file('rubbish.json'), 'rubbish');
    for (const [args, code, words] of [
      [['--checkpoint', file('forged.json')], 5, 'its signature is not that of its content'],
      [['--checkpoint', file('rubbish.json')], 5, 'INPUT_INVALID'],
      [['--checkpoint', file('nowhere.json')], 4, 'NOT_FOUND'],
      [['--public-key', file('rubbish.json')], 2, 'CONFIG_INVALID'],
      [['--public-key', file('nowhere.pub')], 4, 'NOT_FOUND'],
    ] as const) {
      const answer = await run('audit', 'verify', ...args);
      expect([args, answer.code, answer.stderr]).toEqual([args, code, expect.stringContaining(words)]);
    }
  });

  test('a book that was forged with hashes, inputs hash and all is found by replay, which says where', async () => {
    const forged = file('forged');
    cpSync(dataDir, forged, { recursive: true });
    const { chainHashOfText, canonicalJson } = await import('../src/limits/chain.ts');
    inState((database) => {
      const { body, previous } = database
        .prepare('SELECT body, previous_hash AS previous FROM book ORDER BY version DESC LIMIT 1')
        .get() as Record<string, string>;
      const book = JSON.parse(body);
      book.markets[3].brackets[0].notionalCap *= 10;
      const changed = canonicalJson(book);
      database
        .prepare('UPDATE book SET body = ?, hash = ? WHERE version = ?')
        .run(changed, chainHashOfText(previous, changed), book.version);
    }, forged);
    const newest = inState(
      (database) => database.prepare('SELECT max(version) AS n FROM book').get()?.n,
      forged,
    );
    const { code, stdout, stderr } = await plimsoll([
      'audit',
      'replay',
      String(newest),
      '--data-dir',
      forged,
    ]);
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(
      /^REPLAY_DIFFERS: book \d+ is not what its stored inputs give: \w+ differs first in brackets\.0\.notionalCap, stored \d+, recomputed \d+/,
    );
  });
});

test('killed in the midst of publications, the store holds and what it has is decided again', async () => {
  const random = new Random(20240608);
  for (let kill = 0; kill < 3; kill++) {
    running = await serve(dataDir, QUIET);
    await running.inForce;
    const key = readFileSync(join(dataDir, 'operator.key'), 'utf8').trim();
    let isOver = false;
    const url = running.url;
    const pushing = (async () => {
      for (let i = 0; !isOver; i++)
        await fetch(`${url}/v1/freeze`, {
          method: 'POST',
          headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
          body: JSON.stringify({ symbol: ['AURUSDT', 'MAREUSDT'][i % 2], reason: `again ${i}`, hours: 1 }),
        }).catch(() => {
          isOver = true;
        });
    })();
    await new Promise((resolve) => setTimeout(resolve, 200 + 800 * random.uniform()));
    await running.end('SIGKILL');
    isOver = true;
    await pushing;
    const verified = await run('audit', 'verify');
    expect([verified.stderr, verified.code]).toEqual(['', 0]);
  }
  const newest = inState((database) =>
    Number(database.prepare('SELECT max(version) AS n FROM book').get()?.n),
  );
  for (const version of [newest, newest - 1, newest - 2])
    expect((await run('audit', 'replay', String(version))).code).toBe(0);
}, 180_000);
