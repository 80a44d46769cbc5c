import { describe, expect, test } from 'vitest';
import { Random } from '../../random.ts';
import { emptyBars } from '../bars.ts';
import { ewmaVariance } from './ewma.ts';
import { garmanKlassVariance, logReturns, parkinsonVariance, rogersSatchellVariance } from './range.ts';
import { bipowerVariation, realisedSemiVariance, realisedVariance } from './realised.ts';

/** Bars of a driftless diffusion, simulated in many small steps so that the extremes are nearly exact. */
function diffusionBars(count: number, volatility: number) {
  const random = new Random(9);
  const steps = 1000;
  const bars = emptyBars(count, 3_600_000);
  let price = 100;
  for (let i = 0; i < count; i++) {
    bars.openTime[i] = i * 3_600_000;
    bars.open[i] = price;
    bars.high[i] = price;
    bars.low[i] = price;
    for (let s = 0; s < steps; s++) {
      price *= Math.exp((volatility / Math.sqrt(steps)) * random.normal());
      bars.high[i] = Math.max(bars.high[i], price);
      bars.low[i] = Math.min(bars.low[i], price);
    }
    bars.close[i] = price;
  }
  return bars;
}

const mean = (values: Float64Array): number => values.reduce((sum, value) => sum + value, 0) / values.length;

describe('volatility', () => {
  test('every range estimator finds the variance of a diffusion', () => {
    const bars = diffusionBars(3000, 0.01);
    for (const estimator of [parkinsonVariance, garmanKlassVariance, rogersSatchellVariance]) {
      // Extremes seen at 1,000 points a bar are a little too small: about 5 % of the variance.
      const ratio = mean(estimator(bars)) / 1e-4;
      expect(ratio, estimator.name).toBeGreaterThan(0.9);
      expect(ratio, estimator.name).toBeLessThan(1.03);
    }
  });

  test('log returns run from close to close, and the first is 0', () => {
    const bars = emptyBars(3, 3_600_000);
    bars.close.set([100, 110, 99]);
    const returns = logReturns(bars);
    expect(returns[0]).toBe(0);
    expect(returns[1]).toBeCloseTo(Math.log(1.1), 15);
    expect(returns[2]).toBeCloseTo(Math.log(0.9), 15);
    expect(returns).toHaveLength(3);
  });

  test('one bar by hand', () => {
    const bars = emptyBars(1, 3_600_000);
    bars.open[0] = 100;
    bars.high[0] = 110;
    bars.low[0] = 95;
    bars.close[0] = 105;
    const range = Math.log(110 / 95);
    expect(parkinsonVariance(bars)[0]).toBeCloseTo(range ** 2 / (4 * Math.log(2)), 15);
    expect(garmanKlassVariance(bars)[0]).toBeCloseTo(
      0.5 * range ** 2 - (2 * Math.log(2) - 1) * Math.log(1.05) ** 2,
      15,
    );
    expect(rogersSatchellVariance(bars)[0]).toBeCloseTo(
      Math.log(110 / 105) * Math.log(1.1) + Math.log(95 / 105) * Math.log(0.95),
      15,
    );
    expect(logReturns(bars)[0]).toBe(0);
  });

  test('bipower variation hardly sees a jump that the realised variance sees in full', () => {
    const random = new Random(2);
    const returns = Float64Array.from({ length: 5000 }, () => 0.01 * random.normal());
    const calm = realisedVariance(returns);
    expect(bipowerVariation(returns) / calm).toBeCloseTo(1, 1);
    returns[2500] += 0.5;
    expect(realisedVariance(returns) - calm).toBeGreaterThan(0.2);
    expect(bipowerVariation(returns) - calm).toBeLessThan(0.05);
  });

  test('semi-variances add up to the realised variance', () => {
    const returns = Float64Array.of(0.01, -0.02, 0, 0.03);
    const { downside, upside } = realisedSemiVariance(returns);
    expect(downside).toBeCloseTo(0.0004, 18);
    expect(downside + upside).toBeCloseTo(realisedVariance(returns), 18);
  });

  test('EWMA follows its recursion from the backcast', () => {
    const returns = Float64Array.of(0.01, -0.02, 0.03);
    const start = (0.0001 + 0.94 * 0.0004 + 0.94 ** 2 * 0.0009) / (1 + 0.94 + 0.94 ** 2);
    const first = 0.9 * start + 0.1 * 0.0001;
    const second = 0.9 * first + 0.1 * 0.0004;
    const variance = ewmaVariance(returns, 0.9);
    expect(variance[0]).toBeCloseTo(first, 17);
    expect(variance[1]).toBeCloseTo(second, 17);
    expect(ewmaVariance(new Float64Array(0), 0.9).length).toBe(0);
  });
});
