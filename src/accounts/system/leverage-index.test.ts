import { describe, expect, it } from 'vitest';
import { plainEquity, plainGross, plainNotional } from './cascade.fixture.ts';
import { accountColumnsOf, marketColumnsOf } from './columns-of.ts';
import { crowding } from './crowding.ts';
import { buildGroupIndex } from './group-index.ts';
import { LEVERAGE_THRESHOLDS, leverageIndex } from './leverage-index.ts';
import { BRACKETS, plainBookOf, randomBook } from './random-book.fixture.ts';

const SEEDS = Array.from({ length: 20 }, (_, seed) => seed + 1);
const MARKETS = 4;

function sum(values: readonly number[]): number {
  return values.reduce((all, value) => all + value, 0);
}

describe('the leverage index', () => {
  it.each(SEEDS)('is what sums over objects come to (seed %i)', (seed) => {
    const book = randomBook(seed, { accounts: 50, markets: MARKETS, hasInverse: true, isBalanced: false });
    const index = leverageIndex(book.accounts, book.markets);
    const { markets, groups: all } = plainBookOf(book, buildGroupIndex(book.accounts, book.markets));
    const groups = all.filter(({ isGone }) => !isGone);
    const marks = markets.map(({ mark }) => mark);
    const signed = ({ positions }: (typeof groups)[number], is: (market: number) => boolean) =>
      positions
        .filter(({ market }) => is(market))
        .map(
          ({ market, quantity }) =>
            Math.sign(quantity) * plainNotional(markets[market], quantity, marks[market]),
        );
    const gross = groups.map((group) => plainGross(group, markets, marks));
    const equity = groups.map((group) => plainEquity(group, markets, marks));
    const behind = sum(equity.map((one) => Math.max(one, 0)));
    expect(index.gross).toBeCloseTo(sum(gross) / behind, 9);
    const net = sum(groups.map((group) => Math.abs(sum(signed(group, () => true)))));
    expect(index.net).toBeCloseTo(net / behind, 9);
    expect(index.net).toBeLessThanOrEqual(index.gross);
    expect(index.negativeEquity).toBeCloseTo(sum(equity.map((one) => Math.max(-one, 0))), 6);
    for (const [i, threshold] of LEVERAGE_THRESHOLDS.entries()) {
      const above = sum(gross.filter((one, g) => one > threshold * equity[g]));
      expect(index.notionalAbove[i]).toBeCloseTo(above, 3);
    }
    expect(sum([...index.byMarket.equity])).toBeCloseTo(index.equity, 4);
    for (let m = 0; m < MARKETS; m++) {
      const own = groups.flatMap((group) => signed(group, (market) => market === m));
      expect(index.byMarket.longNotional[m]).toBeCloseTo(sum(own.filter((one) => one > 0)), 4);
      expect(index.byMarket.shorts[m]).toBe(own.filter((one) => one < 0).length);
    }
  });

  it('of accounts alike is their leverage, in every market that they hold', () => {
    const markets = marketColumnsOf(
      [100, 20].map((mark) => ({ mark, kind: 'linear' as const, contractSize: 1, maintenance: BRACKETS })),
    );
    const position = { entryPrice: 100, isolatedMargin: Number.NaN };
    const accounts = accountColumnsOf(
      Array.from({ length: 3 }, () => ({
        collateral: 100,
        positions: [
          { ...position, market: 0, quantity: 5 },
          { ...position, market: 1, quantity: -25, entryPrice: 20 },
        ],
      })),
    );
    const index = leverageIndex(accounts, markets);
    expect(index).toMatchObject({ gross: 10, net: 0, accounts: 3 });
    expect([...index.byMarket.gross]).toEqual([10, 10]);
    expect([...index.notionalAbove]).toEqual([3000, 0, 0, 0]);
  });
});

describe('crowding', () => {
  it.each(SEEDS)('is what sorting every market’s holders comes to (seed %i)', (seed) => {
    const book = randomBook(seed, { accounts: 80, markets: MARKETS, hasInverse: true, isBalanced: false });
    const found = crowding(book.accounts, book.markets, book.impact, 1e6);
    const { markets, groups } = plainBookOf(book, buildGroupIndex(book.accounts, book.markets));
    for (let m = 0; m < MARKETS; m++) {
      const byAccount = new Map<number, number>();
      let [long, short] = [0, 0];
      for (const { account, positions } of groups) {
        for (const { market, quantity } of positions) {
          if (market !== m) continue;
          const notional = plainNotional(markets[m], quantity, markets[m].mark);
          byAccount.set(account, (byAccount.get(account) ?? 0) + notional);
          if (quantity > 0) long += notional;
          else short += notional;
        }
      }
      const held = [...byAccount.values()].sort((a, b) => b - a);
      const total = sum(held);
      expect(found.holders[m]).toBe(held.length);
      expect(found.openInterest[m]).toBeCloseTo(Math.max(long, short), 4);
      expect(found.largestShare[m]).toBeCloseTo(held[0] / total, 9);
      expect(found.tenLargestShare[m]).toBeCloseTo(sum(held.slice(0, 10)) / total, 9);
      expect(found.herfindahl[m]).toBeCloseTo(sum(held.map((one) => (one / total) ** 2)), 9);
      expect(found.volumeHours[m]).toBeCloseTo(Math.max(long, short) / book.impact.hourlyVolume[m], 9);
      expect(found.fundRatio[m]).toBeCloseTo(Math.max(long, short) / 1e6, 9);
    }
  });
});
