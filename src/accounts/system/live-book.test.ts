import { expect, it } from 'vitest';
import { AccountBook, type PositionRecord } from '../book/account-book.ts';
import { MarketRows } from '../book/market-rows.ts';
import { cascade } from './cascade.ts';
import { accountColumnsOf } from './columns-of.ts';
import { crowding } from './crowding.ts';
import { leverageIndex } from './leverage-index.ts';
import { liquidationMap } from './liquidation-map.ts';
import { BRACKETS, RULES } from './random-book.fixture.ts';

it('a book whose accounts came, grew, shrank and were emptied is looked at as one that was filled once', () => {
  const markets = new MarketRows();
  markets.set(
    ['AUSDT', 'BUSDT', 'CUSDT'].map((symbol) => {
      return { symbol, kind: 'linear', contractSize: 1, brackets: BRACKETS, maintenance: BRACKETS };
    }),
  );
  markets.mark.set([100, 20, 5]);
  const position = (market: number, quantity: number, isolatedMargin = Number.NaN): PositionRecord => {
    return { market, quantity, entryPrice: markets.mark[market], isolatedMargin };
  };
  const book = new AccountBook(markets);
  const put = (accountId: string, collateral: number, positions: readonly PositionRecord[]): void => {
    book.put({ accountId, userId: 'u', isIsolated: false, collateral, sequence: 0, positions });
  };
  put('a', 50, [position(0, 10), position(1, -20), position(2, 100)]);
  put('b', 90, [position(0, 5)]);
  put('c', 40, [position(1, 30)]);
  put('a', 30, [position(2, 60, 20)]);
  put('b', 60, [position(0, 5), position(1, -10), position(2, 40), position(0, -3, 12)]);
  put('c', 40, []);
  put('d', 20, [position(1, 9)]);
  const once = accountColumnsOf([
    { collateral: 30, positions: [position(2, 60, 20)] },
    {
      collateral: 60,
      positions: [position(0, 5), position(1, -10), position(2, 40), position(0, -3, 12)],
    },
    { collateral: 40, positions: [] },
    { collateral: 20, positions: [position(1, 9)] },
  ]);
  const impact = {
    hourlyVolume: Float64Array.of(1e4, 1e4, 1e4),
    dailyVolatility: Float64Array.of(0.05, 0.05, 0.05),
    depthNotional: new Float64Array(3).fill(Number.NaN),
    depthBandRate: new Float64Array(3),
  };
  const shock = { moves: Float64Array.of(-0.3, 0, -0.3), impact, rules: RULES, insuranceFund: 0 };
  const levels = Float64Array.of(-0.3, -0.1, 0.1, 0.3);
  const result = cascade(book, markets, shock);
  expect(result.accountsFallen).toBeGreaterThan(1);
  expect(result).toEqual(cascade(once, markets, shock));
  expect(liquidationMap(book, markets, levels, 1)).toEqual(liquidationMap(once, markets, levels, 1));
  expect(leverageIndex(book, markets)).toEqual(leverageIndex(once, markets));
  expect(crowding(book, markets, impact, 5)).toEqual(crowding(once, markets, impact, 5));
});
