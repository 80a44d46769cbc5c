import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Random } from '../../random.ts';
import { calibrateSeries, inSequence } from './calibrator.ts';
import { quantileTracking } from './quantile-tracking.ts';
import { shortfallTracking } from './shortfall-tracking.ts';
import { goldenSeries } from './test-streams.ts';

describe('shortfall tracking', () => {
  test('equals the recursion in NumPy, and leaves VaR alone', () => {
    const golden = goldenSeries();
    const calibrator = shortfallTracking({ confidence: 0.95, rate: 0.05, largestExcess: 4 });
    const { valueAtRisk, expectedShortfall, state } = calibrateSeries(calibrator, golden);
    expect(valueAtRisk).toEqual(golden.valueAtRisk);
    expect(state.logStretch).toBeCloseTo(1.6377644995113674, 10);
    expect(expectedShortfall.reduce((sum, value) => sum + value, 0)).toBeCloseTo(32.53941378923313, 10);
  });

  test('finds the ES of exponential losses that the predictor puts at a third beyond VaR, with VaR or without', () => {
    const random = Random.stream(1, 'shortfall');
    const n = 60_000;
    const loss = Float64Array.from({ length: n }, () => random.exponential());
    const level = -Math.log(0.05);
    const tail = (values: Float64Array): number => values.slice(n / 2).reduce((a, b) => a + b, 0) / (n / 2);
    const right = {
      loss,
      valueAtRisk: new Float64Array(n).fill(level),
      expectedShortfall: new Float64Array(n).fill(level + 1 / 3),
    };
    const alone = calibrateSeries(shortfallTracking({ confidence: 0.95 }), right);
    expect(tail(alone.expectedShortfall) - level).toBeGreaterThan(0.9);
    expect(tail(alone.expectedShortfall) - level).toBeLessThan(1.2);
    const wrong = { ...right, valueAtRisk: right.valueAtRisk.map((value) => value / 2) };
    const calibrator = inSequence(
      quantileTracking({ confidence: 0.95 }),
      shortfallTracking({ confidence: 0.95 }),
    );
    const both = calibrateSeries(calibrator, wrong);
    expect(tail(both.valueAtRisk)).toBeCloseTo(level, 0);
    expect(tail(both.expectedShortfall)).toBeGreaterThan(level + 0.9);
    expect(tail(both.expectedShortfall)).toBeLessThan(level + 1.5);
  });

  test('keeps the bound of its docstring for any losses', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0, max: 6, noNaN: true }), { minLength: 1, maxLength: 80 }),
        fc.constantFrom(0.9, 0.99),
        fc.constantFrom(0.02, 0.1, 0.5),
        fc.constantFrom(2, 10),
        fc.integer({ min: 100, max: 3000 }),
        (losses, confidence, rate, largestExcess, steps) => {
          const alpha = 1 - confidence;
          const range = { least: 0.1, greatest: 1e9 };
          const calibrator = shortfallTracking({ confidence, rate, largestExcess, range });
          const forecast = { valueAtRisk: 1, expectedShortfall: 1.5 };
          let state = calibrator.initial();
          let sum = 0;
          for (let t = 0; t < steps; t++) {
            const loss = losses[t % losses.length];
            const { expectedShortfall } = calibrator.adjusted(state, 1, 1.5);
            sum += Math.min(Math.max(loss - 1, 0) / (expectedShortfall - 1), largestExcess);
            state = calibrator.observe(state, loss, forecast);
          }
          // The largest excess is 5, ten times the predictor's.
          const bound = (Math.log(10 / alpha) + rate * largestExcess) / (rate * steps);
          expect(sum / steps - alpha).toBeLessThanOrEqual(bound + 1e-9);
        },
      ),
      { seed: 17, numRuns: 100 },
    );
  });

  test('without an exceedance it stops at the least of its range, and comes back at once', () => {
    const calibrator = shortfallTracking({ confidence: 0.9, range: { least: 0.5, greatest: 2 } });
    const forecast = { valueAtRisk: 1, expectedShortfall: 2 };
    let state = calibrator.initial();
    for (let t = 0; t < 5000; t++) state = calibrator.observe(state, 0, forecast);
    expect(calibrator.adjusted(state, 1, 2)).toEqual({
      valueAtRisk: 1,
      expectedShortfall: 1.5,
      status: 'clipped-low',
    });
    state = calibrator.observe(state, 1.5, forecast);
    expect(calibrator.adjusted(state, 1, 2).status).toBe('adjusted');
    for (let t = 0; t < 500; t++) state = calibrator.observe(state, 9, forecast);
    expect(calibrator.adjusted(state, 1, 2)).toMatchObject({ expectedShortfall: 3, status: 'clipped-high' });
    state = calibrator.observe(state, 0, forecast);
    for (let t = 0; t < 100; t++) state = calibrator.observe(state, 0, forecast);
    expect(calibrator.adjusted(state, 1, 2).status).toBe('adjusted');
  });

  test('where ES equals VaR there is nothing to stretch, and nothing is learnt', () => {
    const calibrator = shortfallTracking({ confidence: 0.9 });
    const state = calibrator.initial();
    expect(calibrator.adjusted(state, 1, 1)).toEqual({
      valueAtRisk: 1,
      expectedShortfall: 1,
      status: 'unadjusted',
    });
    expect(calibrator.observe(state, 5, { valueAtRisk: 1, expectedShortfall: 1 })).toBe(state);
  });

  test('a loss that is no number is refused, not learnt from as if it were none', () => {
    const calibrator = shortfallTracking({ confidence: 0.9 });
    for (const loss of [Number.NaN, Number.POSITIVE_INFINITY])
      expect(() =>
        calibrator.observe(calibrator.initial(), loss, { valueAtRisk: 1, expectedShortfall: 2 }),
      ).toThrow(expect.objectContaining({ code: 'INPUT_INVALID' }));
  });

  test.each([
    ['a rate of 0', { confidence: 0.9, rate: 0 }],
    ['a largest excess below 1', { confidence: 0.9, largestExcess: 0.5 }],
    ['a confidence of 1', { confidence: 1 }],
  ])('%s is refused with a remedy', (_, options) => {
    expect(() => shortfallTracking(options)).toThrow(
      expect.objectContaining({ code: 'INPUT_INVALID', remedy: expect.any(String) }),
    );
  });
});
