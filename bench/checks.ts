import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import autocannon from 'autocannon';
import { checkAccountOrder } from '../src/accounts/account-check.ts';
import { checkOrder } from '../src/accounts/caps.ts';
import { held, order, questionOf } from '../src/accounts/test-cap-accounts.ts';
import { table } from '../src/cli/command.ts';
import { Random } from '../src/random.ts';
import { fillCorrelations, unitVectors } from '../src/risk/portfolio/common-correlations.ts';
import { median, medianMilliseconds, print } from './measure.ts';
import { pacedLoad } from './paced-load.ts';

/**
 * Checks a second: of the pure functions, and of the route against a bare `node:http` server that parses the same JSON and answers a
 * constant. The servers take turns within one run.
 */
const CALLS = 20_000;
const question = questionOf({ equity: 1e5, positions: [held('BTCUSDT', 1000), held('ETHUSDT', -1000)] });
const given = order('long', 1000);
const plain = { ...question.scopes.long, positionLimits: [] };
const works: readonly (readonly [string, () => unknown])[] = [
  ['a check without an account', () => checkOrder(plain, given)],
  ['a check of an account, limits made before', () => checkAccountOrder(question, given)],
  [
    'the same with its limits',
    () =>
      checkAccountOrder(
        questionOf({ equity: 1e5, positions: [held('BTCUSDT', 1000), held('ETHUSDT', -1000)] }),
        given,
      ),
  ],
];
const pure = works.map(([name, work]) => {
  const milliseconds = medianMilliseconds(() => {
    for (let call = 0; call < CALLS; call++) work();
  }, 9);
  return [name, ((1000 * CALLS) / milliseconds).toFixed(0), ((1000 * milliseconds) / CALLS).toFixed(2)];
});
print(table(['pure function', 'checks/s', 'µs a check'], pure));

const ORDER = { symbol: 'BTCUSDT', side: 'long', notional: '1000', leverage: 5 };
const CASES = [
  ['no account', { userId: 'stranger', ...ORDER }],
  ['an account with three positions', { userId: 'holder', ...ORDER }],
] as const;
const KINDS = ['bare', 'plimsoll'] as const;
const ROUNDS = 5;
const SECONDS = 3;
/** Of the rate that each server reached. */
const PACED_SHARE = 0.8;
const rows: string[][] = [];
const paced: string[][] = [];
for (const [name, body] of CASES) {
  const servers = new Map<string, { child: ChildProcess; port: number }>();
  for (const kind of KINDS) {
    const child = fork(new URL('./checks-server.ts', import.meta.url), [kind, JSON.stringify(body)]);
    const [{ port }] = (await once(child, 'message')) as [{ port: number }];
    servers.set(kind, { child, port });
  }
  const rounds = new Map<string, { rate: number; p50: number; p99: number; cpu: number }[]>();
  // The first round warms the compilers up and is thrown away.
  for (let round = 0; round <= ROUNDS; round++) {
    for (const kind of KINDS) {
      const { child, port } = servers.get(kind) as { child: ChildProcess; port: number };
      const before = await usage(child);
      const result = await autocannon({
        ...{ url: `http://127.0.0.1:${port}/v1/checks`, method: 'POST', body: JSON.stringify(body) },
        headers: { 'content-type': 'application/json' },
        ...{ connections: 50, duration: SECONDS },
      });
      const cpu = ((await usage(child)) - before) / result.requests.total;
      if (result.non2xx + result.errors > 0) throw new Error(`${kind} answered with failures`);
      const { p50, p99 } = result.latency;
      if (round > 0)
        rounds.set(kind, [...(rounds.get(kind) ?? []), { rate: result.requests.average, p50, p99, cpu }]);
    }
  }
  const of = (
    kind: string,
    pick: (round: { rate: number; p50: number; p99: number; cpu: number }) => number,
  ) => median((rounds.get(kind) ?? []).map(pick));
  for (const kind of KINDS)
    rows.push([
      name,
      kind,
      of(kind, ({ rate }) => rate).toFixed(0),
      of(kind, ({ p50 }) => p50).toFixed(0),
      of(kind, ({ p99 }) => p99).toFixed(0),
      of(kind, ({ cpu }) => cpu).toFixed(1),
      (of(kind, ({ rate }) => rate) / of('bare', ({ rate }) => rate)).toFixed(2),
      (of(kind, ({ cpu }) => cpu) / of('bare', ({ cpu }) => cpu)).toFixed(2),
    ]);
  const found = new Map<string, Float64Array[]>();
  const late = new Map<string, Float64Array[]>();
  for (let round = 0; round < ROUNDS; round++)
    for (const kind of KINDS) {
      const { port } = servers.get(kind) as { port: number };
      const requestsPerSecond = PACED_SHARE * of(kind, ({ rate }) => rate);
      const load = { port, path: '/v1/checks', body: JSON.stringify(body), connections: 50 };
      // The first second is that of new connections.
      const run = await pacedLoad({ ...load, requestsPerSecond, seconds: SECONDS + 1 });
      const settled = (of: Float64Array): Float64Array => of.slice(Math.ceil(requestsPerSecond)).sort();
      found.set(kind, [...(found.get(kind) ?? []), settled(run.latencies)]);
      late.set(kind, [...(late.get(kind) ?? []), settled(run.lateness)]);
    }
  for (const kind of KINDS) {
    const at = (share: number, runs = found): string =>
      median((runs.get(kind) ?? []).map((sorted) => sorted[Math.floor(share * sorted.length)])).toFixed(2);
    const rate = PACED_SHARE * of(kind, ({ rate: most }) => most);
    paced.push([name, kind, rate.toFixed(0), at(0.5), at(0.99), at(0.999), at(0.99, late)]);
  }
  for (const { child } of servers.values()) child.kill();
}
print(`POST /v1/checks, 50 connections, medians of ${ROUNDS} rounds of ${SECONDS} s each, servers in turns`);
print(
  table(['user', 'server', 'checks/s', 'p50 ms', 'p99 ms', 'cpu µs/check', 'of bare', 'cpu over bare'], rows),
);
print(
  `sent evenly, at ${PACED_SHARE} of its own rate; medians of ${ROUNDS} rounds of ${SECONDS} s after one of warming up`,
);
print(table(['user', 'server', 'checks/s', 'p50 ms', 'p99 ms', 'p99.9 ms', 'of it generator p99'], paced));

const SLOTS = 540;
const correlated = [125, 500, 1000].map((size) => {
  const random = new Random(3);
  const markets = Array.from({ length: size }, (_, m) => `M${m}`);
  const returns = Float64Array.from({ length: size * SLOTS }, () => random.normal());
  const known = new Uint8Array(size * SLOTS).fill(1);
  const units = unitVectors({ markets, slots: SLOTS, returns, known });
  const matrix = new Float64Array(size * size);
  const whole = medianMilliseconds(() => fillCorrelations(units, size, 0, size, matrix), 5);
  const piece = medianMilliseconds(() => fillCorrelations(units, size, size - 10, size, matrix), 9);
  return [String(size), whole.toFixed(0), piece.toFixed(1)];
});
print('Correlations of 90 days, once a day, piece by piece beside the decisions');
print(table(['markets', 'ms in all', 'ms of the longest piece'], correlated));

async function usage(child: ChildProcess): Promise<number> {
  child.send('usage');
  const [answer] = await once(child, 'message');
  return answer as number;
}
