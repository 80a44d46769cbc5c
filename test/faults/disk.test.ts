import { execFileSync, spawnSync } from 'node:child_process';
import { closeSync, cpSync, mkdirSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readPublicKeys } from '../../data/checkpoint-key.ts';
import { SAMPLE_MARKETS } from '../../data/sample/markets.ts';
import { SqliteStateStore } from '../../data/sqlite-state-store.ts';
import { plimsoll, type Served, serve, serveFirst } from '../run-plimsoll.ts';

/** A real service whose disk takes nothing more, while it runs. */
const QUIET = ['--training-schedule', 'off', '--log-level', 'error'];
const folder = mkdtempSync(join(tmpdir(), 'plimsoll-disk-'));
/** A small file system of its own; where this user may mount none, an ordinary folder. */
const disk = join(folder, 'disk');
const dataDir = join(disk, 'var');
mkdirSync(disk);
const isMounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=64m', 'none', disk]).status === 0;
const filler = join(disk, 'filler');
let running: Served;
let key: string;

beforeAll(async () => {
  const first = await serveFirst('disk');
  key = first.key;
  expect(await first.served.end('SIGTERM')).toBe(0);
  cpSync(first.dataDir, dataDir, { recursive: true });
  first.remove();
  running = await serve(dataDir, QUIET);
  await running.inForce;
}, 120_000);

afterAll(async () => {
  await running.end('SIGKILL');
  if (isMounted) spawnSync('umount', ['-l', disk]);
  rmSync(folder, { recursive: true, force: true });
});

const [{ symbol }] = SAMPLE_MARKETS;

interface Told {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: a test looks at whatever came.
  readonly json: any;
}

async function ask(path: string, method = 'GET', body?: unknown): Promise<Told> {
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' };
  const sent = body === undefined ? { method } : { method, headers, body: JSON.stringify(body) };
  const response = await fetch(`${running.url}${path}`, sent);
  return { status: response.status, json: await response.json() };
}

const account = (equity: string) => ({
  userId: 'holder',
  marginMode: 'cross',
  equity,
  positions: [{ symbol, side: 'long', quantity: '1', entryPrice: '1' }],
});

async function metric(name: string): Promise<number> {
  const text = await (await fetch(`${running.url}/metrics`)).text();
  return Number(new RegExp(`^plimsoll_${name} (\\S+)$`, 'm').exec(text)?.[1]);
}

/** No file may grow past so many bytes: what a full disk of an ordinary folder, or one that may only be read, comes to. */
function limitFiles(bytes: number | 'unlimited'): void {
  execFileSync('prlimit', [`--pid=${running.process.pid}`, `--fsize=${bytes}:unlimited`]);
}

const FAULTS = [
  {
    name: isMounted ? 'a full disk' : 'a full disk (files that may not grow, as nothing can be mounted here)',
    begin: () => {
      if (!isMounted) return limitFiles(100_000);
      const file = openSync(filler, 'w');
      const block = Buffer.alloc(4096);
      expect(() => {
        for (;;) writeSync(file, block);
      }).toThrow('ENOSPC');
      closeSync(file);
    },
    end: () => (isMounted ? rmSync(filler) : limitFiles('unlimited')),
  },
  {
    name: 'a disk that takes not one byte',
    begin: () => limitFiles(0),
    end: () => limitFiles('unlimited'),
  },
];

describe.each(FAULTS)('$name', ({ name, begin, end }) => {
  const user = name.replaceAll(/\W+/g, '-').slice(0, 30);
  const refused: string[] = [];

  test('refuses writes with a code and a remedy, and answers all reads; it says so where it is watched', async () => {
    expect((await ask(`/v1/users/${user}`, 'PUT', { maxLeverage: 7 })).status).toBe(200);
    expect((await ask('/v1/accounts/holder', 'PUT', account('1000'))).status).toBe(200);
    const before = (await ask('/v1/limits')).json;
    begin();
    // What is left of the last block may take some; then nothing is taken any more.
    let last: Told = { status: 0, json: null };
    for (let i = 0; i < 400 && last.status !== 503; i++) {
      last = await ask(`/v1/users/${user}-${i}`, 'PUT', { maxLeverage: 2 + (i % 5) });
      if (last.status === 503) refused.push(`${user}-${i}`);
    }
    expect(last).toMatchObject({
      status: 503,
      json: { code: 'IO_FAILED', remedy: expect.stringMatching(/disk/) },
    });
    let put: Told = { status: 0, json: null };
    for (let i = 0; i < 400 && put.status !== 503; i++)
      put = await ask(`/v1/accounts/holder-${i}`, 'PUT', account('2000'));
    expect([put.status, put.json.code]).toEqual([503, 'IO_FAILED']);
    // Nothing is tried for a second after it: what is asked for then is refused as well.
    const again = await ask('/v1/accounts/holder', 'PUT', account('2000'));
    expect([again.status, again.json.code]).toEqual([503, 'IO_FAILED']);
    const frozen = await ask('/v1/freeze', 'POST', { symbol, reason: 'no room', hours: 1 });
    expect([200, 503]).toContain(frozen.status);
    for (const path of [
      '/v1/limits',
      '/v1/markets',
      `/v1/markets/${symbol}/brackets`,
      `/v1/markets/${symbol}/explain`,
      `/v1/markets/${symbol}/history`,
      `/v1/users/${user}/caps?symbol=${symbol}`,
      '/v1/accounts/holder/margin',
      '/v1/audit',
      '/v1/changes',
    ])
      expect([path, (await ask(path)).status]).toEqual([path, 200]);
    expect((await ask('/v1/limits')).json.version).toBeGreaterThanOrEqual(before.version);
    const ready = await ask('/readyz');
    expect([ready.status, ready.json]).toEqual([
      200,
      expect.objectContaining({
        ready: true,
        degraded: true,
        reasons: expect.arrayContaining(['STORAGE_FAILED']),
      }),
    ]);
    expect(await metric('storage_failing')).toBe(1);
    const order = { userId: user, symbol, side: 'long', notional: '1000', leverage: 1 };
    expect((await ask('/v1/checks', 'POST', order)).json).toMatchObject({ allowed: true });
  }, 60_000);

  test('is over when there is room again: writes are taken, nothing that was refused has come in, and it says so', async () => {
    end();
    let ready = await ask('/readyz');
    for (let i = 0; i < 100 && ready.json.reasons.includes('STORAGE_FAILED'); i++) {
      await wait(100);
      ready = await ask('/readyz');
    }
    expect(ready.json.reasons).not.toContain('STORAGE_FAILED');
    expect(await metric('storage_failing')).toBe(0);
    expect((await ask(`/v1/users/${user}-after`, 'PUT', { maxLeverage: 4 })).status).toBe(200);
    const put = await ask('/v1/accounts/holder', 'PUT', account('3000'));
    expect([put.status, put.json.code]).toEqual([200, undefined]);
    const [taken, unknown] = [
      await ask('/v1/accounts/holder/margin'),
      await ask('/v1/accounts/nobody/margin'),
    ];
    expect([taken.json.positions.length, unknown.status]).toEqual([1, 404]);
    const users = await storedUsers();
    expect([users.get(user), users.get(`${user}-after`)]).toEqual([7, 4]);
    expect(refused.filter((one) => users.has(one))).toEqual([]);
  }, 60_000);
});

async function storedUsers(): Promise<ReadonlyMap<string, number | null>> {
  const store = SqliteStateStore.open(dataDir, { readOnly: true });
  const verified = await store.verify(await readPublicKeys(dataDir));
  const users = await store.users();
  await store.close();
  expect(verified).toMatchObject({ firstBadBook: null, firstBadAuditEntry: null, firstBadRecord: null });
  return new Map(users.map(({ userId, maxLeverage }) => [userId, maxLeverage]));
}

test('after it a kill and a start find all that was acknowledged', async () => {
  const before = await storedUsers();
  await running.end('SIGKILL');
  running = await serve(dataDir, QUIET);
  await running.inForce;
  expect(await storedUsers()).toEqual(before);
  expect((await ask('/v1/accounts/holder/margin')).json.equity).toBeDefined();
}, 60_000);

test.runIf(isMounted)(
  'a start on a disk that may only be read is refused with what to do, and changes nothing',
  async () => {
    await running.end('SIGTERM');
    expect(spawnSync('mount', ['-o', 'remount,ro', disk]).status).toBe(0);
    const { code, stderr } = await plimsoll(['serve', '--port', '0', '--data-dir', dataDir]);
    expect([code, stderr]).toEqual([1, expect.stringMatching(/IO_FAILED: [\s\S]*\n.*permissions/)]);
    expect(spawnSync('mount', ['-o', 'remount,rw', disk]).status).toBe(0);
    running = await serve(dataDir, QUIET);
    await running.inForce;
    expect((await ask('/readyz')).status).toBe(200);
  },
  120_000,
);
