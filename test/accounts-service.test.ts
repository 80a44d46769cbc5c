import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { isoTime, systemClock } from '../src/clock.ts';
import { Random } from '../src/random.ts';
import { type Served, serve, serveFirst } from './run-plimsoll.ts';

let running: Served;
let key: string;
let dataDir: string;
let remove: () => void;

beforeAll(async () => {
  ({ served: running, key, dataDir, remove } = await serveFirst('accounts'));
});
afterAll(async () => {
  await running.end('SIGKILL');
  remove();
});

// biome-ignore lint/suspicious/noExplicitAny: a test looks at whatever came.
async function read(path: string): Promise<any> {
  return (await fetch(`${running.url}${path}`)).json();
}

async function post(path: string, lines: readonly object[]): Promise<Response> {
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/x-ndjson' };
  const body = lines.map((line) => JSON.stringify(line)).join('\n');
  return fetch(`${running.url}${path}`, { method: 'POST', headers, body });
}

/** The mark at which the market is held now, from what an account of nothing much is measured at. */
async function markOf(symbol: string): Promise<number> {
  await post('/v1/accounts/batch', [account('probe', symbol, 1, 1e9)]);
  const { positions } = await read('/v1/accounts/probe/margin');
  return Number(positions[0].mark);
}

function account(accountId: string, symbol: string, price: number, equity: number, sequence = 0) {
  const position = { symbol, side: 'long', quantity: '1', entryPrice: price.toFixed(8) };
  return {
    accountId,
    userId: accountId,
    marginMode: 'cross',
    equity: equity.toFixed(6),
    sequence,
    positions: [position],
  };
}

test('a service that is killed while accounts stream in has all that it answered, and tells each threshold once', async () => {
  const [{ symbol }] = (await read('/v1/markets')).markets;
  const mark = await markOf(symbol);
  const random = new Random(5);
  /** The newest state that was answered, by account. */
  const answered = new Map<string, string>();
  for (let kill = 0; kill < 3; kill++) {
    const begun = Promise.withResolvers<void>();
    const stream = (async () => {
      for (let batch = 0; ; batch++) {
        const lines = Array.from({ length: 50 }, (_, i) =>
          account(`a${kill}-${batch}-${i}`, symbol, mark, mark * (0.02 + random.uniform())),
        );
        const response = await post('/v1/accounts/batch', lines).catch(() => null);
        if (response === null || response.status !== 200) return;
        for (const line of lines) answered.set(line.accountId, line.equity);
        if (batch === 0) begun.resolve();
      }
    })();
    await begun.promise;
    await setTimeout(300 * random.uniform());
    await running.end('SIGKILL');
    await stream;
    running = await serve(dataDir);
    await running.inForce;
  }
  expect(answered.size).toBeGreaterThan(100);
  for (const [id, equity] of answered) {
    const { account: found } = { account: await read(`/v1/accounts/${id}/margin`) };
    expect([id, found.positions?.[0]?.quantity, found.userId]).toEqual([id, '1', id]);
    expect(Number(found.equity)).toBeCloseTo(Number(equity), 4);
  }
  // A price that most of them do not survive, and the same again: nothing is told twice.
  const fallen = mark * 0.9;
  for (let second = 0; second < 2; second++) {
    const time = isoTime(systemClock.now());
    await post('/v1/prices', [{ symbol, price: fallen.toFixed(8), time }]);
  }
  // An account that comes after the prices is answered after what they caused.
  await post('/v1/accounts/batch', [account('last', symbol, mark, mark)]);
  const told: { sequence: number; accountId: string; kind: string }[] = [];
  for (let after = 0; ; after = told.at(-1)?.sequence ?? 0) {
    const { interventions } = await read(`/v1/interventions?after=${after}&limit=1000`);
    if (interventions.length === 0) break;
    told.push(...interventions);
  }
  expect(told.map(({ sequence }) => sequence)).toEqual(told.map((_, i) => i + 1));
  const crossings = told
    .filter(({ kind }) => kind !== 'relief')
    .map(({ accountId, kind }) => `${accountId} ${kind}`);
  expect(new Set(crossings).size).toBe(crossings.length);
  expect(crossings.filter((one) => one.endsWith(' liquidation')).length).toBeGreaterThan(5);
}, 120_000);
