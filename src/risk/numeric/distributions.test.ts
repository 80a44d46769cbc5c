import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { digamma, logGamma } from './gamma.ts';
import { normalCumulative, normalDensity, normalQuantile, normalSurvival } from './normal.ts';
import {
  studentCumulative,
  studentLogDensity,
  studentQuantile,
  studentSurvival,
  studentTailMean,
} from './student-t.ts';

function expectRelative(value: number, expected: number, relative: number): void {
  expect(Math.abs(value / expected - 1)).toBeLessThan(relative);
}

describe('the normal distribution equals SciPy 1.17', () => {
  test.each([
    [-37, 5.7255712225239266e-300, 1],
    [-12, 1.776482112077653e-33, 1],
    [-5.5, 1.898956246588768e-8, 0.9999999810104375],
    [-2.3263, 0.01000127601679861, 0.9899987239832014],
    [-0.5, 0.3085375387259869, 0.6914624612740131],
    [0.3, 0.6179114221889526, 0.3820885778110474],
    [0.66, 0.7453730853286639, 0.25462691467133614],
    [4.2, 0.9999866542509841, 1.334574901590631e-5],
    [8, 0.9999999999999993, 6.22096057427174e-16],
  ])('at %d', (x, cumulative, survival) => {
    expectRelative(normalCumulative(x), cumulative, 1e-12);
    expectRelative(normalSurvival(x), survival, 1e-12);
  });

  test.each([
    [1e-300, -37.0470962993612],
    [1e-6, -4.753424308822899],
    [0.01, -2.3263478740408408],
    [0.3, -0.5244005127080409],
    [0.9, 1.2815515655446004],
    [0.9999999, 5.199337582290661],
  ])('and its quantile at %d', (p, quantile) => {
    expectRelative(normalQuantile(p), quantile, 1e-14);
  });

  test('has the quantile as its inverse and the density as its slope', () => {
    fc.assert(
      fc.property(fc.double({ min: -8, max: 8, noNaN: true }), (x) => {
        expect(normalQuantile(normalCumulative(Math.min(x, 5)))).toBeCloseTo(Math.min(x, 5), 8);
        expect((normalCumulative(x + 1e-5) - normalCumulative(x - 1e-5)) / 2e-5).toBeCloseTo(
          normalDensity(x),
          8,
        );
        expect(normalCumulative(x) + normalSurvival(x)).toBeCloseTo(1, 15);
      }),
      { seed: 1, numRuns: 200 },
    );
  });
});

describe("Student's t equals SciPy 1.17", () => {
  test.each([
    [0.01, 3, -4.5407028585681335],
    [1e-9, 2.1, -14328.721188285388],
    [0.3, 100, -0.5260762706003465],
    [0.9999, 4.7, 10.42294722553972],
    [0.05, 1.2, -4.7958013468062735],
  ])('quantile at %d with ν %d', (p, nu, quantile) => {
    expectRelative(studentQuantile(p, nu), quantile, 1e-9);
    expectRelative(studentCumulative(studentQuantile(p, nu), nu), p, 1e-9);
  });

  test('tends to the normal one, is symmetric and has 0 in the middle', () => {
    expect(studentQuantile(0.99, 1e7)).toBeCloseTo(normalQuantile(0.99), 6);
    expect(studentQuantile(0.2, 5)).toBe(-studentQuantile(0.8, 5));
    expect(studentQuantile(0.5, 5)).toBe(0);
    expect(studentSurvival(0, 4)).toBe(0.5);
    expect(studentSurvival(-2, 4)).toBeCloseTo(1 - studentSurvival(2, 4), 15);
  });

  test('has the tail mean that its quantiles average to', () => {
    for (const nu of [2.5, 5, 30]) {
      let sum = 0;
      const steps = 2_000;
      for (let i = 0; i < steps; i++) {
        // Probabilities that crowd at the far end, 0.05 v⁴, so that what is averaged there is smooth.
        const v = (i + 0.5) / steps;
        sum += studentQuantile(1 - 0.05 * v ** 4, nu) * 4 * v ** 3;
      }
      expectRelative(studentTailMean(0.95, nu), sum / steps, 1e-5);
    }
    expect(Math.exp(studentLogDensity(0, 1))).toBeCloseTo(1 / Math.PI, 15);
  });
});

describe('the gamma function', () => {
  test.each([
    [0.001, 6.907178885383853, -1000.5755719318103],
    [0.5, 0.5723649429247001, -1.9635100260214235],
    [7, 6.579251212010101, 1.8727843350984672],
    [14.9, 24.924132002217277, 2.6674289762160424],
    [15, 25.19122118273868, 2.6743466616607936],
    [300, 1409.2020674704117, 5.702114882064637],
  ])('at %d and its logarithmic slope equal mpmath', (x, log, slope) => {
    expectRelative(logGamma(x), log, 1e-12);
    expectRelative(digamma(x), slope, 1e-12);
  });

  test('obeys its recurrences across the change of formula', () => {
    fc.assert(
      fc.property(fc.double({ min: 0.05, max: 60, noNaN: true }), (x) => {
        expect(logGamma(x + 1) - logGamma(x)).toBeCloseTo(Math.log(x), 11);
        expect(digamma(x + 1) - digamma(x)).toBeCloseTo(1 / x, 11);
      }),
      { seed: 2, numRuns: 200 },
    );
  });
});
