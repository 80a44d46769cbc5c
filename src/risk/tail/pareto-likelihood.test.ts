import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parkMiller } from '../park-miller.fixture.ts';
import { fitGeneralisedPareto } from './generalised-pareto.ts';
import { fitParetoLikelihood } from './pareto-likelihood.ts';
import { fitParetoTail, MAXIMUM_SHAPE, MINIMUM_SHAPE } from './pareto-tail.ts';

/** Threshold and excesses of a generalised Pareto tail, ascending. */
function tailOf(seed: number, count: number, shape: number, scale: number, threshold: number): Float64Array {
  const { uniform } = parkMiller(seed);
  return Float64Array.from(
    { length: count },
    () => threshold + (scale * Math.expm1(-shape * Math.log(uniform()))) / shape,
  ).sort();
}

describe('the tail of the service by likelihood', () => {
  test('equals the search over all shapes where that one lies inside the bounds, in any unit', () => {
    let inside = 0;
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 1e6 }),
        fc.integer({ min: 15, max: 300 }),
        fc.constantFrom(0.02, 0.1, 0.25, 0.4, 0.7),
        fc.constantFrom(1e-6, 0.01, 3, 1e6),
        (seed, count, shape, scale) => {
          const tail = tailOf(seed, count, shape, scale, 2 * scale);
          const fast = fitParetoLikelihood(tail, 10 * count, 2 * scale);
          const slow = fitGeneralisedPareto(tail.map((value) => value - 2 * scale));
          // Beyond the upper bound, where excesses spread too little, and below −½, where the slow one has no answer, they part.
          if (!slow.available || slow.shape >= MAXIMUM_SHAPE || fast.shape === MINIMUM_SHAPE) return;
          inside++;
          expect(Math.abs(fast.shape - slow.shape)).toBeLessThan(1e-5);
          expect(Math.abs(fast.scale / slow.scale - 1)).toBeLessThan(1e-5);
          expect(fast.threshold).toBe(2 * scale);
          expect(fast.exceedanceShare).toBeCloseTo(0.1, 12);
        },
      ),
      { seed: 41, numRuns: 300 },
    );
    expect(inside).toBeGreaterThan(100);
  });

  test('holds where the product of all factors would be no number any more', () => {
    // 6,000 factors with a mean logarithm of 0.35: their product is about e^2100.
    const tail = tailOf(5, 6000, 0.35, 1, 2);
    const fast = fitParetoLikelihood(tail, 60_000, 2);
    const slow = fitGeneralisedPareto(tail.map((value) => value - 2));
    if (!slow.available) throw new Error(slow.reason);
    expect(Math.abs(fast.shape - slow.shape)).toBeLessThan(1e-5);
    expect(Math.abs(fast.scale / slow.scale - 1)).toBeLessThan(1e-5);
  });

  test('looks at what lies above the threshold alone', () => {
    const tail = tailOf(7, 200, 0.3, 1, 5);
    const below = Float64Array.from({ length: 50 }, (_, i) => i / 20);
    const whole = Float64Array.of(...below, 5, ...tail);
    expect(fitParetoLikelihood(whole, 2000, 5)).toEqual(fitParetoLikelihood(tail, 2000, 5));
  });

  test('is exponential with the mean excess where excesses spread less than exponential ones', () => {
    const tail = Float64Array.from({ length: 40 }, (_, i) => 1 + (i + 1) / 40);
    expect(fitParetoLikelihood(tail, 400, 1)).toEqual({
      threshold: 1,
      exceedanceShare: 0.1,
      shape: MINIMUM_SHAPE,
      scale: expect.closeTo(41 / 80, 12),
    });
  });

  test('keeps the mean excess where the shape meets its bound', () => {
    const tail = tailOf(11, 200, 1.2, 1, 1);
    const mean = tail.reduce((sum, value) => sum + (value - 1), 0) / 200;
    const fit = fitParetoLikelihood(tail, 2000, 1);
    expect(fit.shape).toBe(MAXIMUM_SHAPE);
    expect(fit.scale / (mean * (1 - MAXIMUM_SHAPE))).toBeCloseTo(1, 12);
  });

  test('is that of the moments where nothing lies above the threshold', () => {
    const tail = Float64Array.of(1, 2, 3);
    expect(fitParetoLikelihood(tail, 30, 3)).toEqual(fitParetoTail(tail, 30, 3));
  });
});
