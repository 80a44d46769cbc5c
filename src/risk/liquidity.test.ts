import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { RANDOM_MARKET_START, randomMarket } from '../../test/random-market.ts';
import { type BarSeries, barsClosedBy, emptyBars, sliceBars } from './bars.ts';
import {
  closeoutCostRate,
  closeoutHorizonHours,
  closeoutNotional,
  MAXIMUM_CLOSEOUT_HOURS,
  RobustVolume,
} from './liquidity.ts';
import { quantile } from './numeric/quantile.ts';

const CONDITIONS = {
  dailyVolume: 1e8,
  dailyVolatility: 0.04,
  halfSpreadRate: 0.0002,
  takerFeeRate: 0.0005,
  impactCoefficient: 0.8,
};
const HOUR = 3_600_000;

describe('closeout', () => {
  test('cost is half spread, fee and two thirds of the square-root impact', () => {
    // ⅔ · 0.8 · 4 % · √(1 % of the day) = 0.0021333.
    expect(closeoutCostRate(1e6, CONDITIONS)).toBeCloseTo(0.0007 + (2 / 3) * 0.8 * 0.04 * 0.1, 15);
    expect(closeoutCostRate(0, CONDITIONS)).toBeCloseTo(0.0007, 15);
  });

  test('cost and horizon without any volume are the worst, and finite', () => {
    expect(closeoutCostRate(1, { ...CONDITIONS, dailyVolume: 0 })).toBe(1);
    expect(closeoutHorizonHours(1, 0, 0.05)).toBe(MAXIMUM_CLOSEOUT_HOURS);
    expect(closeoutHorizonHours(0, 0, 0.05)).toBe(0);
  });

  test('of nothing costs the fixed part, and no closeout costs more than the position is worth', () => {
    expect(closeoutCostRate(0, { ...CONDITIONS, dailyVolume: 0 })).toBeCloseTo(0.0007, 15);
    expect(closeoutCostRate(1, { ...CONDITIONS, dailyVolume: Number.NaN })).toBe(1);
    expect(closeoutCostRate(1e12, CONDITIONS)).toBe(1);
    expect(closeoutHorizonHours(1, Number.NaN, 0.05)).toBe(MAXIMUM_CLOSEOUT_HOURS);
  });

  test('the horizon and the notional it allows are inverse', () => {
    expect(closeoutHorizonHours(2e6, 5e6, 0.05)).toBeCloseTo(8, 12);
    expect(closeoutNotional(8, 5e6, 0.05)).toBeCloseTo(2e6, 6);
  });
});

function slowVolume(bars: BarSeries, asOf: number, lookbackHours: number, probability: number): number {
  if (bars.length === 0) return 0;
  const since = Math.max(bars.openTime[0], asOf - lookbackHours * HOUR);
  const volumes = new Float64Array(Math.max((asOf - since) / HOUR, 1));
  const traded = bars.quoteVolume.filter((_, i) => bars.openTime[i] >= since);
  volumes.set(traded);
  return quantile(volumes, probability);
}

describe('robust hourly volume', () => {
  const bars = emptyBars(10, HOUR);
  for (let i = 0; i < 10; i++) {
    bars.openTime[i] = i * HOUR;
    bars.quoteVolume[i] = i + 1;
  }

  test('is the quantile of the newest hours', () => {
    expect(new RobustVolume(5, 0.25).hourly(bars, 10 * HOUR)).toBe(7);
    expect(new RobustVolume(5, 0).hourly(bars, 10 * HOUR)).toBe(6);
  });

  test('does not look beyond asOf', () => {
    expect(new RobustVolume(5, 1).hourly(bars, 5 * HOUR)).toBe(5);
  });

  test('counts an hour without a bar as one without trades', () => {
    expect(new RobustVolume(10, 0.4).hourly(bars, 15 * HOUR)).toBe(0);
  });

  test('is that of sorting the hours anew, however a market grew or was looked at again', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 1e6 }),
        fc.array(fc.integer({ min: -25, max: 40 }), { minLength: 1, maxLength: 30 }),
        fc.constantFrom(0, 0.1, 0.37, 1),
        (seed, moves, probability) => {
          const { bars: own } = randomMarket({ seed, hours: 700, gapProbability: 0.02, longestGapHours: 40 });
          const growing = new RobustVolume(100, probability);
          let hours = 0;
          for (const more of moves) {
            hours = Math.max(0, Math.min(hours + more, 700));
            const asOf = RANDOM_MARKET_START + hours * HOUR;
            const known = sliceBars(own, 0, barsClosedBy(own, asOf));
            expect(growing.hourly(known, asOf)).toBe(slowVolume(known, asOf, 100, probability));
          }
        },
      ),
      { seed: 55, numRuns: 60 },
    );
  });

  test('uses what a young market has, and is 0 for one without bars', () => {
    expect(new RobustVolume(1000, 0.5).hourly(bars, 10 * HOUR)).toBe(5.5);
    expect(new RobustVolume(5, 0.5).hourly(emptyBars(0, HOUR), 10 * HOUR)).toBe(0);
  });
});
