import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { survivalProbability } from './distribution.ts';

const CONFIDENCES = [0.95, 0.99, 0.995, 0.999];
const QUANTILES = [0.02, 0.034, 0.041, 0.063];

describe('survival probability through the quantiles of a forecast', () => {
  it('is what the quantiles say at the quantiles, and 1 where there is no loss to exceed', () => {
    for (const [i, quantile] of QUANTILES.entries()) {
      expect(survivalProbability(quantile, QUANTILES, CONFIDENCES)).toBeCloseTo(1 - CONFIDENCES[i], 12);
    }
    expect(survivalProbability(0, QUANTILES, CONFIDENCES)).toBe(1);
    expect(survivalProbability(-1, QUANTILES, CONFIDENCES)).toBe(1);
  });

  it('falls as a power beyond the last quantile', () => {
    // Slope from (0.041, 0.005) to (0.063, 0.001): ln 5 / ln (63/41) = 3.7467; at twice the last quantile 2^-3.7467.
    expect(survivalProbability(0.126, QUANTILES, CONFIDENCES)).toBeCloseTo(0.001 * 2 ** -3.7467, 7);
  });

  it('never rises with the loss and stays a probability, whatever rising quantiles', () => {
    const anyQuantiles = fc
      .array(fc.oneof(fc.constant(0), fc.double({ min: 0, max: 5, noNaN: true })), {
        minLength: 4,
        maxLength: 4,
      })
      .map((values) => values.sort((a, b) => a - b));
    const anyLoss = fc.double({ min: 0, max: 10, noNaN: true });
    fc.assert(
      fc.property(anyQuantiles, anyLoss, anyLoss, (quantiles, a, b) => {
        const small = survivalProbability(Math.min(a, b), quantiles, CONFIDENCES);
        const large = survivalProbability(Math.max(a, b), quantiles, CONFIDENCES);
        expect(small).toBeLessThanOrEqual(1);
        expect(large).toBeGreaterThanOrEqual(0);
        expect(large).toBeLessThanOrEqual(small * (1 + 1e-12));
      }),
      { seed: 1, numRuns: 1000 },
    );
  });
});
