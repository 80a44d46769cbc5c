import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  excursionSurvival,
  MAXIMUM_TAIL_INDEX,
  MINIMUM_TAIL_INDEX,
  tailIndexOf,
} from './excursion-distribution.ts';

const LEVELS = [0.5, 0.75, 0.9, 0.95, 0.975, 0.99, 0.995, 0.999];

/** Rising quantiles from positive steps. */
const quantiles = fc
  .array(fc.double({ min: 0.01, max: 1, noNaN: true }), { minLength: 8, maxLength: 8 })
  .map((steps) => {
    let value = 0;
    return Float64Array.from(steps, (step) => {
      value += step;
      return value;
    });
  });
const tailIndex = fc.double({ min: MINIMUM_TAIL_INDEX, max: MAXIMUM_TAIL_INDEX, noNaN: true });

describe('the distribution of an excursion', () => {
  test('of a Pareto law is the Pareto law, between its quantiles and beyond them', () => {
    // P(A > x) = ½ x^(−1/ξ) for x ≥ 1: quantiles (2(1 − c))^(−ξ), ES = VaR / (1 − ξ).
    const index = 0.4;
    const pareto = Float64Array.from(LEVELS, (level) => (2 * (1 - level)) ** -index);
    expect(tailIndexOf(pareto[7], pareto[7] / (1 - index))).toBeCloseTo(index, 12);
    for (const x of [1, 1.3, 2, 3.7, 8, 12, 40, 1000]) {
      const probability = excursionSurvival(x, pareto, 0, LEVELS, index);
      expect(probability / (0.5 * x ** (-1 / index))).toBeCloseTo(1, 10);
    }
  });

  test('gives each quantile its own level back', () => {
    fc.assert(
      fc.property(quantiles, tailIndex, (values, index) => {
        for (const [l, level] of LEVELS.entries())
          expect(excursionSurvival(values[l], values, 0, LEVELS, index)).toBeCloseTo(1 - level, 10);
      }),
      { seed: 1 },
    );
  });

  test('never rises with the excursion and never falls with all quantiles', () => {
    const x = fc.double({ min: -1, max: 30, noNaN: true });
    fc.assert(
      fc.property(quantiles, tailIndex, x, x, (values, index, a, b) => {
        const [near, far] = [Math.min(a, b), Math.max(a, b)];
        const at = (excursion: number, of = values): number =>
          excursionSurvival(excursion, of, 0, LEVELS, index);
        expect(at(far)).toBeLessThanOrEqual(at(near) + 1e-12);
        expect(at(far)).toBeGreaterThanOrEqual(0);
        expect(at(near)).toBeLessThanOrEqual(1);
        const wider = values.map((value) => 1.3 * value);
        expect(at(far, wider)).toBeGreaterThanOrEqual(at(far) - 1e-12);
      }),
      { seed: 2 },
    );
  });

  test('a tail index stays between its bounds where VaR and ES say nothing', () => {
    expect(tailIndexOf(0, 0)).toBe(MINIMUM_TAIL_INDEX);
    expect(tailIndexOf(1, 1)).toBe(MINIMUM_TAIL_INDEX);
    expect(tailIndexOf(0, 1)).toBe(MAXIMUM_TAIL_INDEX);
  });
});
