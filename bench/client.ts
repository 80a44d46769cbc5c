import { table } from '../src/cli/command.ts';
import { PlimsollClient } from '../src/client/client.ts';
import { manyMarkets, TestService } from '../src/http/test-service.ts';
import { Random } from '../src/random.ts';
import { print } from './measure.ts';

/**
 * What the client in memory takes for an answer, over all markets of a book, against a function that does nothing. Calls are timed in
 * batches, because a clock reads to no less than some tens of nanoseconds: a percentile is one of batches.
 */
const MARKETS = 1000;
const BATCH = 20;
const BATCHES = 200_000;

const service = await TestService.start({ books: 0 });
await service.publish(manyMarkets(MARKETS, 0.008));
const client = await PlimsollClient.connect({ url: service.url });
const random = new Random(1);
const calls = Array.from({ length: 1 << 14 }, () => ({
  symbol: client.markets[random.integer(client.markets.length)],
  notional: Math.ceil(10 ** (2 + 5 * random.uniform())),
  leverage: 1 + random.integer(20),
}));
const busy = calls.map((call) => ({ ...call, symbol: client.markets[random.integer(20)] }));
const scaled = { accountCreatedAt: 0, notionalCoefMicros: 500_000, maxLeverage: 20 };
const users = Array.from({ length: 100 }, (_, i) => ({ accountCreatedAt: 0, maxLeverage: 1 + (i % 10) }));
// Deciding so many markets holds the loop up, and a service that is behind sheds load.
await new Promise((resolve) => setTimeout(resolve, 2000));
for (const id of ['someone', 'somebody']) await client.user(id);
let kept = 0;
const nothing = (call: { readonly notional: number }): number => call.notional;

function measured(ask: (call: (typeof calls)[number], i: number) => number): string[] {
  const nanoseconds = new Float64Array(BATCHES);
  // What was never asked is computed first, and is another row.
  for (const [i, call] of calls.entries()) kept += ask(call, i);
  for (let batch = 0; batch < BATCHES; batch++) {
    const since = performance.now();
    for (let i = 0; i < BATCH; i++) {
      const at = (batch * BATCH + i) & (calls.length - 1);
      kept += ask(calls[at], at);
    }
    nanoseconds[batch] = ((performance.now() - since) * 1e6) / BATCH;
  }
  nanoseconds.sort();
  return [0.5, 0.99, 0.999].map((share) => nanoseconds[Math.floor(share * BATCHES)].toFixed(0));
}

function firstTime(): string {
  const fresh = { ...scaled, maxLeverage: 19 };
  const since = performance.now();
  for (const symbol of client.markets) kept += client.cap(symbol, 1000, fresh).maxLeverage;
  return (((performance.now() - since) * 1e6) / client.markets.length).toFixed(0);
}

const rows = [
  ['a function that does nothing', ...measured(nothing)],
  ['cap, no user', ...measured((call) => client.cap(call.symbol, call.notional).maxLeverage)],
  ['cap, a user by id', ...measured((call) => client.cap(call.symbol, call.notional, 'someone').maxLeverage)],
  ['cap, scaled brackets', ...measured((call) => client.cap(call.symbol, call.notional, scaled).maxLeverage)],
  ['check, no user', ...measured((call) => client.check(call).maxLeverage)],
  [
    'check, one of 100 users, 20 markets',
    ...measured((_, i) => client.check(busy[i], users[i % 100]).maxLeverage),
  ],
  [
    'the same, all markets by chance',
    ...measured((call, i) => client.check(call, users[i % 100]).maxLeverage),
  ],
  ['cap, exact decimal text', ...measured((call) => client.cap(call.symbol, '25000.5').maxLeverage)],
];
print(`${MARKETS} markets, ${BATCHES} batches of ${BATCH} calls, nanoseconds a call`);
print(table(['call', 'p50', 'p99', 'p99.9'], rows));
print(`the first time that a user's market is asked for after a new book: ${firstTime()} ns on average`);
if (!(kept > 0)) throw new Error('nothing was granted');
client.close();
await service.stop();
