import { describe, expect, test } from 'vitest';
import { asymmetricReturns } from '../park-miller.fixture.ts';
import { ewmaVariance } from '../volatility/ewma.ts';
import { STANDARD_OPTIONS } from './estimates.ts';
import { ewmaKnown, lossScales } from './filters.ts';
import { lossesOfReturns } from './loss-sample.ts';

const returns = asymmetricReturns();
const reasoned = { available: false, reason: expect.any(String) };

describe('the variance that each origin knew', () => {
  test('is that of the recursion, and one step before it what the recursion started from', () => {
    for (const decay of [0.94, 0.5]) {
      const known = ewmaKnown(returns, decay);
      if (!known.available) throw new Error(known.reason);
      const after = ewmaVariance(returns, decay);
      expect(known.variance.subarray(1)).toEqual(after);
      const again = decay * known.variance[0] + (1 - decay) * returns[0] ** 2;
      expect(Math.abs(again / after[0] - 1)).toBeLessThan(1e-14);
    }
  });

  test('is unavailable where there is none to divide by', () => {
    const still = returns.slice();
    still.fill(0, 0, 200);
    expect(ewmaKnown(still, 0.94)).toMatchObject(reasoned);
    expect(ewmaKnown(new Float64Array(200), 'estimate')).toMatchObject(reasoned);
    const sample = lossesOfReturns(still, 'long', 1, 'terminal');
    expect(lossScales(sample, STANDARD_OPTIONS)).toMatchObject(reasoned);
    const flat = lossesOfReturns(new Float64Array(200), 'long', 1, 'terminal');
    expect(lossScales(flat, { ...STANDARD_OPTIONS, filter: 'garch' })).toMatchObject(reasoned);
  });

  test('is of the model that was asked for', () => {
    const sample = lossesOfReturns(returns, 'long', 1, 'terminal');
    const parameters = (filter: 'garch' | 'gjr-garch') => {
      const scales = lossScales(sample, { ...STANDARD_OPTIONS, filter });
      if (!scales.available) throw new Error(scales.reason);
      return scales.parameters;
    };
    expect(parameters('gjr-garch')).toHaveProperty('gamma');
    expect(parameters('garch')).not.toHaveProperty('gamma');
  });
});
