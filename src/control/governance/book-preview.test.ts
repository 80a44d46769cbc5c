import { expect, test } from 'vitest';
import { decideBook } from '../../limits/decide.ts';
import type { MarginGroup } from '../../limits/impact.ts';
import {
  context,
  DECIDED_AT,
  EXAMPLE_POLICY,
  forecast,
  HOUR,
  largeMarket,
} from '../../limits/test-inputs.ts';
import type { LimitBook } from '../../limits/types.ts';
import { previewAnnounced, previewPolicy } from './book-preview.ts';

const SYMBOLS = ['BTCUSDT', 'ETHUSDT'];
const program = 'test';

function marketsAt(hourlyTail: number) {
  return SYMBOLS.map((symbol) =>
    largeMarket({ symbol, shockModel: forecast('shock-network@test', hourlyTail) }),
  );
}

/** A position of 10,000 with so much behind it. */
function group(accountId: string, symbol: string, margin: number): MarginGroup {
  return { accountId, marginMicros: BigInt(margin * 1e6), positions: [{ symbol, notional: 10_000 }] };
}

test('of announced tables each is held against the one before it, soonest first', () => {
  const calm = decideBook(marketsAt(0.023), null, context());
  const storm = decideBook(
    [marketsAt(0.09)[0], marketsAt(0.023)[1]],
    calm,
    context({ decidedAt: DECIDED_AT + HOUR }),
  );
  const later = decideBook(
    [marketsAt(0.09)[0], marketsAt(0.09)[1]],
    storm,
    context({ decidedAt: DECIDED_AT + 2 * HOUR }),
  );
  const times = later.markets.flatMap(({ announced = [] }) =>
    announced.map(({ effectiveAt }) => effectiveAt),
  );
  const [first] = previewAnnounced(later, []);
  expect(previewAnnounced(later, []).map(({ effectiveAt }) => effectiveAt)).toEqual(
    [...new Set(times)].sort(),
  );
  expect(first).toMatchObject({ effectiveAt: DECIDED_AT + 25 * HOUR, symbols: ['BTCUSDT'] });
  // The maintenance rate at 10,000 goes from 2.67 % to twice that: 267 before, 534 after.
  const groups = [group('a', 'BTCUSDT', 300), group('b', 'BTCUSDT', 600), group('c', 'ETHUSDT', 300)];
  const [soonest] = previewAnnounced(later, groups);
  expect(soonest.accounts).toMatchObject({
    accounts: 3,
    breaching: 0,
    liquidations: 1,
    liquidatedNotional: 10_000,
  });
  expect(soonest.accounts.hit).toEqual([
    { accountId: 'a', symbol: 'BTCUSDT', notionalToReduce: 0, isLiquidated: true },
  ]);
});

test('of another policy the next decision is shown, from the same inputs, and the same policy changes nothing', () => {
  const markets = marketsAt(0.023);
  const { inputsHash: _, ...rest } = context();
  const book: LimitBook = decideBook(markets, null, context());
  const inputs = { markets, context: rest, program };
  const now = DECIDED_AT + HOUR;
  const groups = [group('a', 'BTCUSDT', 500), group('b', 'BTCUSDT', 2000)];
  const same = previewPolicy(book, inputs, EXAMPLE_POLICY, now, groups);
  expect(same).toMatchObject({ symbols: [], accounts: { breaching: 0, hit: [] } });
  const policy = { ...EXAMPLE_POLICY, maximumLeverage: 10, classes: [] };
  // 20x becomes 10x: 500 carry 5,000.
  const { symbols, accounts, next } = previewPolicy(book, inputs, policy, now, groups);
  expect([symbols, next.markets[0].brackets[0].maxLeverage]).toEqual([SYMBOLS, 10]);
  expect(accounts).toMatchObject({ accounts: 2, breaching: 1, notionalToReduce: 5000, liquidations: 0 });
});
