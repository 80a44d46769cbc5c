import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { filteredRisk, historicalRisk } from './value-at-risk.ts';

const losses = fc
  .array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 2, maxLength: 120 })
  .map((values) => Float64Array.from(values));

describe('value at risk and expected shortfall', () => {
  test('ES is at least VaR and both rise with confidence', () => {
    fc.assert(
      fc.property(losses, (sample) => {
        const [low, high] = [historicalRisk(sample, 0.9), historicalRisk(sample, 0.99)];
        expect(low.expectedShortfall).toBeGreaterThanOrEqual(low.valueAtRisk);
        expect(high.valueAtRisk).toBeGreaterThanOrEqual(low.valueAtRisk);
        expect(high.expectedShortfall).toBeGreaterThanOrEqual(low.expectedShortfall - 1e-12);
      }),
      { seed: 21, numRuns: 200 },
    );
  });

  test('filtering with exponent 0, or with a constant scale, is the historical simulation', () => {
    const sample = Float64Array.of(0.01, 0.03, 0.002, 0.08, 0.05);
    const scales = Float64Array.of(1, 2, 3, 4, 5);
    expect(filteredRisk(sample, scales, 7, 0.9, 0)).toEqual(historicalRisk(sample, 0.9));
    const constant = filteredRisk(sample, new Float64Array(5).fill(2), 2, 0.9);
    expect(constant.valueAtRisk).toBeCloseTo(historicalRisk(sample, 0.9).valueAtRisk, 15);
  });

  test('twice the volatility today gives 2^g times the risk', () => {
    const sample = Float64Array.of(0.01, 0.03, 0.002, 0.08, 0.05);
    const scales = Float64Array.of(1, 2, 3, 4, 5);
    const calm = filteredRisk(sample, scales, 3, 0.9, 0.5);
    const wild = filteredRisk(sample, scales, 6, 0.9, 0.5);
    expect(wild.valueAtRisk / calm.valueAtRisk).toBeCloseTo(Math.SQRT2, 14);
    expect(wild.expectedShortfall / calm.expectedShortfall).toBeCloseTo(Math.SQRT2, 14);
  });
});
