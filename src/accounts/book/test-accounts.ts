import fc from 'fast-check';
import { mostConservativeBrackets } from '../../limits/brackets.ts';
import type { Bracket } from '../../limits/types.ts';
import { leverageToMarginPpmUp } from '../../units.ts';
import type { AccountRecord } from './account-book.ts';
import { MarketRows, type MarketTerms } from './market-rows.ts';

/** A schedule with a maintenance rate of half the initial one, continuous at every edge. */
export function schedule(leverages: readonly number[], firstCap = 50_000): readonly Bracket[] {
  const brackets: Bracket[] = [];
  for (const [i, maxLeverage] of leverages.entries()) {
    const before = brackets.at(-1);
    const floor = before?.notionalCap ?? 0;
    const rate = Math.floor(500_000 / maxLeverage);
    brackets.push({
      bracket: i + 1,
      notionalFloor: floor,
      notionalCap: firstCap * 4 ** i,
      maxLeverage,
      initialMarginRatePpm: leverageToMarginPpmUp(maxLeverage),
      maintenanceMarginRatePpm: rate,
      maintenanceAmountMicros:
        before === undefined
          ? 0
          : before.maintenanceAmountMicros + floor * (rate - before.maintenanceMarginRatePpm),
    });
  }
  return brackets;
}

const TABLE = schedule([50, 20, 10, 5, 2, 1]);

export const TEST_TERMS: readonly MarketTerms[] = [
  { symbol: 'BTCUSDT', kind: 'linear', contractSize: 1, brackets: TABLE, maintenance: TABLE },
  {
    symbol: 'ETHUSDT',
    kind: 'linear',
    contractSize: 1,
    brackets: schedule([20, 10, 2, 1], 10_000),
    maintenance: schedule([25, 12, 4, 1], 15_000),
  },
  {
    symbol: 'NEWUSDT',
    kind: 'linear',
    contractSize: 10,
    brackets: mostConservativeBrackets(),
    maintenance: mostConservativeBrackets(),
  },
  { symbol: 'BTCUSD_PERP', kind: 'inverse', contractSize: 100, brackets: TABLE, maintenance: TABLE },
];

export const TEST_MARKS = [30_000, 2_000, 5, 30_000];

/** The markets of the tests, with their marks. */
export function testMarkets(): MarketRows {
  const markets = new MarketRows();
  markets.set(TEST_TERMS);
  for (const [row, price] of TEST_MARKS.entries()) {
    markets.mark[row] = price;
    markets.markedAt[row] = 0;
  }
  return markets;
}

/** A linear account of few names, so that the same one comes again. */
export const anyRecord: fc.Arbitrary<AccountRecord> = fc
  .record({
    name: fc.integer({ min: 0, max: 11 }),
    user: fc.integer({ min: 0, max: 5 }),
    isIsolated: fc.boolean(),
    collateral: fc.double({ min: -500, max: 20_000, noNaN: true }),
    positions: fc.array(
      fc.record({
        market: fc.integer({ min: 0, max: 2 }),
        isLong: fc.boolean(),
        notional: fc.double({ min: 1, max: 200_000, noNaN: true }),
        moved: fc.double({ min: 0.8, max: 1.2, noNaN: true }),
        own: fc.option(fc.double({ min: 0, max: 20_000, noNaN: true })),
      }),
      { maxLength: 5 },
    ),
  })
  .map(({ name, user, isIsolated, collateral, positions }) => {
    const seen = new Set<string>();
    return {
      accountId: `a${name}`,
      userId: user === 0 ? `a${name}` : `u${user}`,
      isIsolated,
      collateral,
      sequence: 0,
      positions: positions
        .filter(({ market, isLong }) => !seen.has(`${market}${isLong}`) && seen.add(`${market}${isLong}`))
        .map(({ market, isLong, notional, moved, own }) => {
          const quantity = notional / TEST_MARKS[market] / TEST_TERMS[market].contractSize;
          return {
            market,
            quantity: isLong ? quantity : -quantity,
            entryPrice: TEST_MARKS[market] * moved,
            isolatedMargin: isIsolated ? (own ?? 10) : (own ?? Number.NaN),
          };
        }),
    };
  });
