import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readPublicKeys } from '../../data/checkpoint-key.ts';
import { SqliteStateStore } from '../../data/sqlite-state-store.ts';
import { ModelRegistry } from '../../models/registry.ts';
import { scheduleFaults } from '../../src/limits/brackets.ts';
import { KILLS, killMoments, sayKills } from '../kills.ts';
import { type Served, serve } from '../run-plimsoll.ts';

/** The service as it is run, with everybody writing to it over HTTP, killed again and again. */
const QUIET = ['--training-schedule', 'off', '--log-level', 'warn'];
const SHIPPED = join(import.meta.dirname, '..', '..', 'models');
const SYMBOL = 'BOREUSDT';
const folder = mkdtempSync(join(tmpdir(), 'plimsoll-killed-service-'));
const dataDir = join(folder, 'var');
const copies: string[] = [];
let running: Served;
let key: string;

beforeAll(async () => {
  const registry = new ModelRegistry(SHIPPED, dataDir);
  const champion = (await registry.versionOf('champion')) ?? '';
  const manifest = await registry.manifest(champion);
  const weights = readFileSync(join(SHIPPED, 'versions', champion, manifest.weights.file));
  for (const digit of ['a', 'b']) {
    const version = `20250101-0000000${digit}`;
    await registry.add({ ...manifest, version }, weights, { 'card.md': `# ${version}\n` });
    // Whoever was champion once may be it again, whatever the gates say.
    await registry.promote(version, { override: true });
    copies.push(version);
  }
  running = await serve(dataDir, QUIET);
  await running.inForce;
  key = readFileSync(join(dataDir, 'operator.key'), 'utf8').trim();
}, 120_000);

afterAll(async () => {
  await running.end('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

let answers = 0;

/** Null where no answer came: the service was killed. */
async function write(method: string, path: string, body: unknown): Promise<Response | null> {
  const isText = typeof body === 'string';
  const headers = {
    authorization: `Bearer ${key}`,
    'content-type': isText ? 'application/x-ndjson' : 'application/json',
  };
  const request = { method, headers, body: isText ? body : JSON.stringify(body) };
  try {
    const response = await fetch(`${running.url}${path}`, request);
    // An answer that was cut off in its midst is none.
    const text = await response.text();
    // Too much for a busy machine is told as such, and acknowledges nothing.
    if (response.status === 503 && text.includes('"OVERLOADED"')) {
      await wait(50);
      return write(method, path, body);
    }
    answers++;
    return new Response(text, { status: response.status });
  } catch {
    return null;
  }
}

/** What was acknowledged, over all kills. */
const acknowledged = {
  users: new Map<string, number>(),
  accounts: new Map<string, string>(),
  changes: [] as string[],
  promoted: copies[0],
  promotions: 0,
};

/** What was last sent for a user. A kill may keep back the answer to a write that was stored. */
const sent = new Map<string, number>();

/** Each goes on until the service is gone. Anything but success is a failure of the test. */
const writers: readonly ((kill: number) => Promise<void>)[] = [
  async (kill) => {
    for (let i = 0; ; i++) {
      const [user, leverage] = [`user-${kill}-${i % 40}`, 2 + (i % 17)];
      sent.set(user, leverage);
      const answer = await write('PUT', `/v1/users/${user}`, { maxLeverage: leverage });
      if (answer === null) return;
      expect(answer.status).toBe(200);
      acknowledged.users.set(user, leverage);
    }
  },
  async (kill) => {
    for (let batch = 0; ; batch++) {
      const lines = Array.from({ length: 20 }, (_, i) => ({
        accountId: `account-${kill}-${batch}-${i}`,
        userId: `holder-${i}`,
        marginMode: 'cross',
        equity: String(1000 + batch),
        positions: [{ symbol: SYMBOL, side: 'long', quantity: '1', entryPrice: '1' }],
      }));
      const answer = await write(
        'POST',
        '/v1/accounts/batch',
        lines.map((one) => JSON.stringify(one)).join('\n'),
      );
      if (answer === null) return;
      expect(await answer.json()).toMatchObject({ total: lines.length, accepted: lines.length });
      for (const { accountId, equity } of lines) acknowledged.accounts.set(accountId, equity);
    }
  },
  async (kill) => {
    for (let i = 0; ; i++) {
      const until = { hours: 1, reason: `kill ${kill}, ${i}` };
      const answer =
        i % 2 === 0
          ? await write('POST', '/v1/overrides', { symbol: SYMBOL, maxLeverage: 1, ...until })
          : await write('POST', '/v1/freeze', { symbol: 'MAREUSDT', ...until });
      if (answer === null) return;
      const { change } = (await answer.json()) as { change?: { id: string } };
      expect([answer.status, change?.id]).toEqual([200, expect.any(String)]);
      acknowledged.changes.push(change?.id ?? '');
      await wait(100);
    }
  },
  async () => {
    for (;;) {
      const version = copies[acknowledged.promotions % 2];
      const answer = await write('POST', `/v1/models/${version}/promote`, { reason: 'a test' });
      if (answer === null) return;
      // Promoted before the kill that kept its answer back.
      const isDoneAlready = answer.status === 409 && (await answer.text()).includes('CONFLICT');
      expect([200, isDoneAlready ? 409 : 200]).toContain(answer.status);
      acknowledged.promoted = version;
      acknowledged.promotions++;
      await wait(250);
    }
  },
];

async function expectNothingLost(before: { version: number }): Promise<{ version: number; hash: string }> {
  const store = SqliteStateStore.open(dataDir, { readOnly: true });
  const verified = await store.verify(await readPublicKeys(dataDir));
  expect(verified).toMatchObject({
    firstBadBook: null,
    firstBadAuditEntry: null,
    firstBadCheckpoint: null,
    firstBadRecord: null,
  });
  const users = new Map((await store.users()).map(({ userId, maxLeverage }) => [userId, maxLeverage]));
  const changes = (await store.governance.changes(Number.MAX_SAFE_INTEGER, 100_000)).map(({ id }) => id);
  const newest = await store.latestBook();
  await store.close();
  for (const [user, leverage] of acknowledged.users)
    expect([user, [leverage, sent.get(user)]]).toEqual([user, expect.arrayContaining([users.get(user)])]);
  expect(acknowledged.changes.filter((id) => !changes.includes(id))).toEqual([]);
  const response = await fetch(`${running.url}/v1/limits`);
  const limits = (await response.json()) as {
    version: number;
    hash: string;
    total: number;
    markets: readonly { brackets: readonly Record<string, string>[] }[];
  };
  expect([response.status, limits.markets.length]).toEqual([200, limits.total]);
  for (const { brackets } of limits.markets) expect(scheduleFaults(brackets.map(bracketOf))).toEqual([]);
  expect(limits.version).toBeGreaterThanOrEqual(before.version);
  if (limits.version === newest?.version) expect(limits.hash).toBe(newest.hash);
  // All of the newest, and of the others one in ten.
  const accounts = [...acknowledged.accounts].filter((_, i, all) => i % 10 === 0 || i >= all.length - 60);
  const found = await Promise.all(
    accounts.map(async ([id]) => {
      const account = (await (await fetch(`${running.url}/v1/accounts/${id}/margin`)).json()) as Margin;
      expect([id, account.positions?.[0]?.quantity]).toEqual([id, '1']);
      return Number(account.equity);
    }),
  );
  // All hold the same, so what the market has made of it is the same for all.
  const gains = accounts.map(([, equity], i) => (found[i] - Number(equity)).toFixed(4));
  expect(new Set(gains).size).toBeLessThanOrEqual(1);
  expect(await new ModelRegistry(SHIPPED, dataDir).versionOf('champion')).toMatch(/^\d{8}-\w{8}$/);
  return limits;
}

async function versionInForce(): Promise<number> {
  const { version } = (await (await fetch(`${running.url}/v1/limits`)).json()) as { version: number };
  return version;
}

interface Margin {
  readonly equity: string;
  readonly positions?: readonly { readonly quantity: string }[];
}

function bracketOf(bracket: Readonly<Record<string, string>>) {
  return {
    bracket: Number(bracket.bracket),
    notionalFloor: Number(bracket.notionalFloor),
    notionalCap: Number(bracket.notionalCap),
    maxLeverage: Number(bracket.maxLeverage),
    initialMarginRatePpm: Number(bracket.initialMarginRatePpm),
    maintenanceMarginRatePpm: Number(bracket.maintenanceMarginRatePpm),
    maintenanceAmountMicros: Math.round(Number(bracket.maintenanceAmount) * 1e6),
  };
}

test('kill -9 while users, accounts, governance and promotions are written and books published: nothing acknowledged is lost', async () => {
  const moments = killMoments('service');
  let kills = 0;
  let seen = { version: 1 };
  for (; kills < KILLS.service; kills++) {
    const writing = Promise.all(writers.map((writer) => writer(kills)));
    let isRefused = false;
    writing.catch(() => {
      isRefused = true;
    });
    // So many answers later, however fast the machine is, and at any moment of what comes next.
    const until = answers + moments.integer(30);
    // Promotions take longer than the rest: every third kill waits for one, so that it falls behind it or into the next.
    const promotions = acknowledged.promotions + (kills % 3 === 1 ? 1 : 0);
    while (!isRefused && (answers < until || acknowledged.promotions < promotions)) await wait(1);
    // A decision takes longer than a write, too.
    while (!isRefused && kills % 3 === 2 && (await versionInForce()) <= seen.version) await wait(20);
    await wait(moments.uniform() * 300);
    running.process.kill('SIGKILL');
    await Promise.all([running.end('SIGKILL'), writing]);
    expect(running.process.signalCode).toBe('SIGKILL');
    running = await serve(dataDir, QUIET);
    await running.inForce;
    seen = await expectNothingLost(seen);
  }
  sayKills('service', kills);
  expect(kills).toBe(KILLS.service);
  expect(acknowledged.users.size).toBeGreaterThan(kills);
  expect(acknowledged.accounts.size).toBeGreaterThan(kills);
  expect(acknowledged.changes.length).toBeGreaterThan(kills / 2);
  expect(acknowledged.promotions).toBeGreaterThan(1);
  expect(seen.version).toBeGreaterThan(1);
}, 300_000);
