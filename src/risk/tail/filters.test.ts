import { describe, expect, test } from 'vitest';
import { asymmetricReturns } from '../park-miller.fixture.ts';
import { ewmaVariance, fitEwma } from '../volatility/ewma.ts';
import { fitGarch } from '../volatility/garch/fit.ts';
import { type RiskOptions, STANDARD_OPTIONS } from './estimates.ts';
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
    expect(parameters('garch')).toHaveProperty('nu');
  });

  test('is of the likeliest decay where that is asked for', () => {
    const fit = fitEwma(returns);
    if (!fit.available) throw new Error(fit.reason);
    const known = ewmaKnown(returns, 'estimate');
    expect(known).toMatchObject({ available: true, parameters: { filter: 'ewma', decay: fit.decay } });
    expect(known).toEqual(ewmaKnown(returns, fit.decay));
  });

  test.each([1, 0, 1.5, -1, Number.NaN])('has no decay of %d', (decay) => {
    expect(() => ewmaKnown(returns, decay)).toThrow(expect.objectContaining({ code: 'INPUT_INVALID' }));
  });
});

describe('losses in units of volatility', () => {
  const sample = lossesOfReturns(returns, 'long', 1, 'terminal');
  const scalesOf = (change: Partial<RiskOptions>) => {
    const scales = lossScales(sample, { ...STANDARD_OPTIONS, ...change });
    if (!scales.available) throw new Error(scales.reason);
    return scales;
  };

  test.each([0, 0.5, 1])('to the power %d: those of their origins, and that of today', (exponent) => {
    const known = ewmaKnown(returns, 0.94);
    if (!known.available) throw new Error(known.reason);
    const scales = scalesOf({ exponent });
    for (const i of [0, 1, 700, 1999]) {
      const volatility = Math.sqrt(known.variance[i]);
      expect(scales.standardised[i]).toBeCloseTo(sample.losses[i] / volatility ** exponent, 12);
    }
    expect(scales.today).toBeCloseTo(Math.sqrt(known.variance[2000]) ** exponent, 14);
  });

  test.each([-0.1, 1.1, Number.NaN])('to no power %d', (exponent) => {
    expect(() => scalesOf({ exponent })).toThrow(expect.objectContaining({ code: 'INPUT_INVALID' }));
  });

  test('of a fitted model: its variance path, today its forecast, and no ν of normal errors', () => {
    const fit = fitGarch(returns, { model: 'garch', distribution: 'normal', mean: 'constant' });
    if (!fit.available) throw new Error(fit.reason);
    const scales = scalesOf({ filter: 'garch', distribution: 'normal' });
    for (const i of [0, 900, 1999])
      expect(scales.standardised[i]).toBeCloseTo(sample.losses[i] / Math.sqrt(fit.variance[i]), 12);
    expect(scales.today).toBeCloseTo(Math.sqrt(fit.nextVariance), 14);
    expect(scales.parameters).not.toHaveProperty('nu');
    expect(scales.parameters).toMatchObject({ filter: 'garch', distribution: 'normal' });
  });
});
