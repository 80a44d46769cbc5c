import { describe, expect, test } from 'vitest';
import { emptyBars } from './bars.ts';
import {
  closeoutCostRate,
  closeoutHorizonHours,
  closeoutNotional,
  MAXIMUM_CLOSEOUT_HOURS,
  robustHourlyVolume,
} from './liquidity.ts';

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

  test('the horizon and the notional it allows are inverse', () => {
    expect(closeoutHorizonHours(2e6, 5e6, 0.05)).toBeCloseTo(8, 12);
    expect(closeoutNotional(8, 5e6, 0.05)).toBeCloseTo(2e6, 6);
  });
});

describe('robust hourly volume', () => {
  const bars = emptyBars(10, HOUR);
  for (let i = 0; i < 10; i++) {
    bars.openTime[i] = i * HOUR;
    bars.quoteVolume[i] = i + 1;
  }

  test('is the quantile of the newest hours', () => {
    expect(robustHourlyVolume(bars, 10 * HOUR, 5, 0.25)).toBe(7);
    expect(robustHourlyVolume(bars, 10 * HOUR, 5, 0)).toBe(6);
  });

  test('does not look beyond asOf', () => {
    expect(robustHourlyVolume(bars, 5 * HOUR, 5, 1)).toBe(5);
  });

  test('counts an hour without a bar as one without trades', () => {
    expect(robustHourlyVolume(bars, 15 * HOUR, 10, 0.4)).toBe(0);
  });

  test('uses what a young market has, and is 0 for one without bars', () => {
    expect(robustHourlyVolume(bars, 10 * HOUR, 1000, 0.5)).toBe(5.5);
    expect(robustHourlyVolume(emptyBars(0, HOUR), 10 * HOUR, 5, 0.5)).toBe(0);
  });
});
