import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Random } from '../../random.ts';
import { quadraticForm } from './linear.ts';
import {
  automaticLags,
  longRunCovariance,
  longRunVariance,
  truncatedLongRunVariance,
} from './long-run-variance.ts';

describe('long-run variances', () => {
  test('equal the sums by their definition', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1_000_000 }), fc.integer({ min: 0, max: 30 }), (seed, lags) => {
        const random = Random.stream(seed, 'long run');
        const n = 20;
        const series = [0, 1].map(() => new Float64Array(n).map(() => random.normal() + 0.3));
        const means = series.map((values) => values.reduce((sum, value) => sum + value, 0) / n);
        const gamma = (i: number, j: number, lag: number): number => {
          let sum = 0;
          for (let t = lag; t < n; t++) sum += (series[i][t] - means[i]) * (series[j][t - lag] - means[j]);
          return sum / n;
        };
        const covariance = longRunCovariance(series, lags);
        for (const i of [0, 1]) {
          for (const j of [0, 1]) {
            let expected = gamma(i, j, 0);
            for (let k = 1; k <= lags; k++)
              expected += (1 - k / (lags + 1)) * (gamma(i, j, k) + gamma(j, i, k));
            expect(covariance[2 * i + j]).toBeCloseTo(expected, 12);
          }
        }
        expect(longRunVariance(series[0], lags)).toBeCloseTo(covariance[0], 12);
        // Bartlett's weights: no combination of the series has a negative variance.
        expect(quadraticForm(covariance, Float64Array.of(1, -0.7))).toBeGreaterThanOrEqual(-1e-12);
        let truncated = gamma(0, 0, 0);
        for (let k = 1; k <= lags; k++) truncated += 2 * gamma(0, 0, k);
        expect(truncatedLongRunVariance(series[0], lags)).toBeCloseTo(truncated, 12);
      }),
      { seed: 122, numRuns: 100 },
    );
  });

  test('take 4 lags of 100 observations and 11 of 10,000 by the rule of thumb', () => {
    expect([10, 100, 1000, 10_000].map(automaticLags)).toEqual([2, 4, 6, 11]);
  });
});
