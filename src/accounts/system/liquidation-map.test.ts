import { describe, expect, it } from 'vitest';
import { isPlainFallen, plainGross, plainNotional } from './cascade.fixture.ts';
import { accountColumnsOf, marketColumnsOf } from './columns-of.ts';
import { buildGroupIndex } from './group-index.ts';
import { liquidationMap } from './liquidation-map.ts';
import { BRACKETS, plainBookOf, randomBook } from './random-book.fixture.ts';

const LEVELS = Float64Array.of(-0.5, -0.3, -0.2, -0.1, -0.05, -0.02, -0.01, 0.01, 0.03, 0.1, 0.25, 0.6);
const MARKETS = 5;

describe('the liquidation map', () => {
  it.each(Array.from({ length: 40 }, (_, seed) => seed + 1))(
    'is at every level what looking at every account at every level comes to (seed %i)',
    (seed) => {
      const book = randomBook(seed, { accounts: 60, markets: MARKETS, hasInverse: true, isBalanced: false });
      const index = buildGroupIndex(book.accounts, book.markets);
      const { markets, groups } = plainBookOf(book, index);
      const marks = markets.map(({ mark }) => mark);
      const map = liquidationMap(book.accounts, book.markets, LEVELS, 1);
      const gap = (own: number, other: number): void =>
        expect(own / (other || 1)).toBeCloseTo(other === 0 ? 0 : 1, 9);
      for (let m = 0; m < MARKETS; m++) {
        const notional = (side: number, of: readonly (typeof groups)[number][]): number =>
          of
            .flatMap(({ positions }) => positions)
            .filter(({ market, quantity }) => market === m && quantity * side > 0)
            .reduce((sum, { quantity }) => sum + plainNotional(markets[m], quantity, marks[m]), 0);
        const holders = groups.filter(({ positions }) => positions.some(({ market }) => market === m));
        const due = holders.filter((group) => isPlainFallen(group, markets, marks, 1));
        gap(map.dueLongNotional[m], notional(1, due));
        gap(map.dueShortNotional[m], notional(-1, due));
        for (const [i, level] of LEVELS.entries()) {
          const moved = marks.with(m, marks[m] * (1 + level));
          const fallen = holders.filter(
            (group) => due.includes(group) || isPlainFallen(group, markets, moved, 1),
          );
          const cell = m * LEVELS.length + i;
          expect(map.groups[cell]).toBe(fallen.length);
          gap(map.longNotional[cell], notional(1, fallen));
          gap(map.shortNotional[cell], notional(-1, fallen));
          const gross = fallen.reduce((sum, group) => sum + plainGross(group, markets, marks), 0);
          expect(map.elsewhereNotional[cell]).toBeCloseTo(
            gross - notional(1, fallen) - notional(-1, fallen),
            3,
          );
        }
      }
    },
  );

  it('puts a position of 10 at 100 with 100 behind it between 10 and 9 per cent down', () => {
    const accounts = accountColumnsOf([
      {
        collateral: 100,
        positions: [{ market: 0, quantity: 10, entryPrice: 100, isolatedMargin: Number.NaN }],
      },
    ]);
    const markets = marketColumnsOf([{ mark: 100, kind: 'linear', contractSize: 1, maintenance: BRACKETS }]);
    const map = liquidationMap(accounts, markets, Float64Array.of(-0.2, -0.1, -0.09, 0.09), 1);
    expect([...map.longNotional]).toEqual([1000, 1000, 0, 0]);
    expect([...map.groups]).toEqual([1, 1, 0, 0]);
  });

  it('has the levels of one direction only where only those are asked for', () => {
    const book = randomBook(5, { accounts: 40, markets: 2, hasInverse: false, isBalanced: false });
    const both = liquidationMap(book.accounts, book.markets, Float64Array.of(-0.2, 0.2), 1);
    const down = liquidationMap(book.accounts, book.markets, Float64Array.of(-0.2), 1);
    const up = liquidationMap(book.accounts, book.markets, Float64Array.of(0.2), 1);
    expect([...down.groups]).toEqual([both.groups[0], both.groups[2]]);
    expect([...up.groups]).toEqual([both.groups[1], both.groups[3]]);
  });
});
