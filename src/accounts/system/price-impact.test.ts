import { describe, expect, it } from 'vitest';
import { type ImpactColumns, LARGEST_LOG_IMPACT, logImpact } from './price-impact.ts';
import { RULES } from './random-book.fixture.ts';

/** A million an hour and 4 % a day; a book of a hundred thousand within 1 % where it is known. */
function conditions(depthNotional = Number.NaN, hourlyVolume = 1e6): ImpactColumns {
  return {
    hourlyVolume: Float64Array.of(hourlyVolume),
    dailyVolatility: Float64Array.of(0.04),
    depthNotional: Float64Array.of(depthNotional),
    depthBandRate: Float64Array.of(0.01),
  };
}

describe('the impact of forced sales', () => {
  it('is Y · σ · √(n / 24 hours of volume)', () => {
    expect(logImpact(6e6, 0, conditions(), RULES)).toBeCloseTo(0.8 * 0.04 * 0.5, 15);
    expect(logImpact(0, 0, conditions(), RULES)).toBe(0);
  });

  it('is at least what walking the order book comes to, which fills again while it is worked off', () => {
    // 50 thousand go at once: an hour at most; a quarter of it stands against the book at a time.
    expect(logImpact(50_000, 0, conditions(5_000), RULES)).toBeCloseTo((0.01 * 12_500) / 5_000, 15);
    // Beyond the hour, always the quarter hour's part of the participation limit.
    expect(logImpact(1e6, 0, conditions(1_000), RULES)).toBeCloseTo((0.01 * 12_500) / 1_000, 15);
    expect(logImpact(50_000, 0, conditions(1e9), RULES)).toBe(logImpact(50_000, 0, conditions(), RULES));
  });

  it('is as far as prices go where nothing trades, and never further', () => {
    expect(logImpact(1, 0, conditions(Number.NaN, 0), RULES)).toBe(LARGEST_LOG_IMPACT);
    expect(logImpact(1e15, 0, conditions(), RULES)).toBe(LARGEST_LOG_IMPACT);
  });
});
