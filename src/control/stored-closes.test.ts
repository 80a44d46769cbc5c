import { expect, test } from 'vitest';
import type { LimitBook } from '../limits/types.ts';
import { HOUR_MILLISECONDS } from '../units.ts';
import { storedCloses } from './stored-closes.ts';
import type { TrackPoint } from './track-point.ts';

const HOUR = (hours: number): number => hours * HOUR_MILLISECONDS;
const POINT: TrackPoint = {
  ...{ symbol: 'A', version: 1, asOf: 0, close: null, maxLeverage: 1, bindingBound: 'x' },
  ...{ horizonHours: 1, confidence: 0.99, longValueAtRisk: null, shortValueAtRisk: null },
};

/** @param decided newest bar of each market. @param points symbol, hour and close of decisions. */
async function closesOf(decided: Record<string, number>, points: [string, number, number | null][]) {
  const markets = Object.entries(decided).map(([symbol, hour]) => ({ symbol, asOf: HOUR(hour) }));
  const asOf = Math.max(...markets.map((market) => market.asOf));
  const stored = points.map(([symbol, hour, close]) => ({ ...POINT, symbol, asOf: HOUR(hour), close }));
  return storedCloses({ asOf, markets } as unknown as LimitBook, {
    trackSince: async (since) => stored.filter((point) => point.asOf >= since),
  });
}

test('of each market the newest bar that was read for a decision of the book', async () => {
  const closes = await closesOf({ A: 30, B: 29 }, [
    ['B', 28, 7],
    ['A', 29, 1],
    ['B', 29, 8],
    ['A', 30, 2],
    // Between bars none is read.
    ['A', 30, null],
  ]);
  expect(closes).toEqual({ A: { asOf: HOUR(30), price: 2 }, B: { asOf: HOUR(29), price: 8 } });
});

test('says nothing of a market that is a day behind, that the book does not have, or whose bar is not in the book', async () => {
  const closes = await closesOf({ A: 30, OLD: 3 }, [
    ['OLD', 3, 9],
    ['GONE', 30, 5],
    ['A', 31, 6],
  ]);
  expect(closes).toEqual({});
});
