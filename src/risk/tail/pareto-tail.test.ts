import { describe, expect, test } from 'vitest';
import { Random } from '../../random.ts';
import {
  fitParetoTail,
  MAXIMUM_SHAPE,
  paretoExpectedShortfall,
  paretoSurvival,
  paretoValueAtRisk,
} from './pareto-tail.ts';

describe('generalised Pareto tail', () => {
  test('quantiles equal those of SciPy 1.17 (genpareto.isf, scale 0.01, 5 % above 0.03)', () => {
    const golden: [number, number, number][] = [
      [0, 0.99, 0.046094379124340994],
      [0, 0.999, 0.06912023005428145],
      [0.2, 0.99, 0.04898648307306073],
      [0.2, 0.999, 0.0893362073943278],
      [0.5, 0.99, 0.05472135954999577],
      [0.5, 0.999, 0.15142135623730946],
    ];
    for (const [shape, confidence, expected] of golden) {
      const tail = { threshold: 0.03, exceedanceShare: 0.05, shape, scale: 0.01 };
      expect(paretoValueAtRisk(tail, confidence)).toBeCloseTo(expected, 14);
      expect(paretoSurvival(tail, expected)).toBeCloseTo(1 - confidence, 14);
    }
  });

  test('expected shortfall is the mean of the quantiles beyond', () => {
    const tail = { threshold: 0.03, exceedanceShare: 0.05, shape: 0.2, scale: 0.01 };
    const steps = 200_000;
    let sum = 0;
    for (let i = 0; i < steps; i++) sum += paretoValueAtRisk(tail, 1 - 0.005 * ((i + 0.5) / steps));
    expect(paretoExpectedShortfall(tail, paretoValueAtRisk(tail, 0.995))).toBeCloseTo(sum / steps, 5);
  });

  test('a fit recovers the distribution it was drawn from', () => {
    const random = new Random(5);
    const draws = Float64Array.from({ length: 50_000 }, () => (random.uniform() ** -0.25 - 1) / 0.25).sort();
    const fit = fitParetoTail(draws, draws.length, 0);
    expect(fit.shape).toBeCloseTo(0.25, 1);
    expect(fit.scale).toBeCloseTo(1, 1);
  });

  test('a thin tail is not believed, a wild one is bounded, and both keep the mean excess', () => {
    const uniform = Float64Array.from({ length: 100 }, (_, i) => (i + 1) / 100);
    const thin = fitParetoTail(uniform, 2000, 0);
    expect(thin.shape).toBe(0);
    expect(thin.scale / (1 - thin.shape)).toBeCloseTo(0.505, 12);
    const wild = fitParetoTail(Float64Array.of(0.01, 0.01, 0.01, 0.01, 50), 100, 0);
    expect(wild.shape).toBe(MAXIMUM_SHAPE);
    expect(wild.scale / (1 - wild.shape)).toBeCloseTo(50.04 / 5, 12);
  });

  test('a sample without exceedances gives the threshold, finitely', () => {
    const flat = fitParetoTail(new Float64Array(50), 1000, 0);
    expect(paretoValueAtRisk(flat, 0.999)).toBe(0);
    expect(paretoExpectedShortfall(flat, 0)).toBe(0);
    expect(paretoSurvival(flat, 0.1)).toBe(0);
  });
});
