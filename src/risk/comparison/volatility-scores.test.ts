import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parkMiller } from '../park-miller.fixture.ts';
import { meanQlike, meanSquaredError, qlike, qlikes, squaredErrors } from './volatility-scores.ts';

/** Realised variances and forecasts by Park and Miller's generator. */
function golden(): [Float64Array, Float64Array] {
  const { uniform: next } = parkMiller(20240601);
  const realised = new Float64Array(300);
  const forecasts = new Float64Array(300);
  for (let t = 0; t < 300; t++) {
    const u = next();
    realised[t] = 0.0001 + u * u;
    forecasts[t] = 0.0001 + next();
  }
  return [realised, forecasts];
}

function near(actual: number, expected: number): void {
  expect(Math.abs(actual / expected - 1)).toBeLessThan(1e-9);
}

describe('scores equal NumPy 2.4', () => {
  test('in the mean and one by one', () => {
    near(meanQlike(...golden()), 5.000700938368392);
    near(meanSquaredError(...golden()), 0.22788550703153623);
    const [first, second, third] = qlikes(...golden());
    near(first, 0.8500576738294467);
    near(second, 0.4184543767986708);
    near(third, 3.446554571618946);
    const [realised, forecasts] = golden();
    expect(squaredErrors(realised, forecasts)[7]).toBe((realised[7] - forecasts[7]) ** 2);
  });

  // Python's decimal with 50 digits: where RV/f is near 1 its plain formula has lost them all.
  test.each([
    [1.0000001, 1, 4.999999672505363e-15, 1e-8],
    [1, 1.0001, 4.999333408324233e-9, 1e-11],
    [1e-20, 1, 45.051701859880914, 1e-14],
    [3, 1e-5, 299986.38846224634, 1e-14],
    [0.5, 1, 0.19314718055994531, 1e-14],
    [0.49999, 1, 0.19315718075994798, 1e-14],
  ])('RV %d, forecast %d', (realised, forecast, expected, precision) => {
    expect(Math.abs(qlike(realised, forecast) / expected - 1)).toBeLessThan(precision);
  });
});

describe('laws', () => {
  const variances = fc.double({ min: 1e-12, max: 1e6, noNaN: true });

  test('QLIKE is 0 for a right forecast, positive else, and knows no unit', () => {
    fc.assert(
      fc.property(variances, variances, fc.integer({ min: -30, max: 30 }), (realised, forecast, power) => {
        expect(qlike(realised, realised)).toBe(0);
        expect(qlike(realised, forecast)).toBeGreaterThanOrEqual(0);
        expect(qlike(realised * 2 ** power, forecast * 2 ** power)).toBe(qlike(realised, forecast));
      }),
      { seed: 81, numRuns: 300 },
    );
  });

  test('the mean realised variance is the best constant forecast by either score', () => {
    const [realised] = golden();
    const mean = realised.reduce((sum, value) => sum + value, 0) / realised.length;
    const constant = (value: number): Float64Array => new Float64Array(300).fill(value);
    for (const score of [meanQlike, meanSquaredError])
      for (const factor of [0.9, 0.99, 1.01, 1.1])
        expect(score(realised, constant(mean))).toBeLessThan(score(realised, constant(factor * mean)));
  });
});

describe('refused with a remedy', () => {
  const one = Float64Array.of(1);
  test.each<[string, string, () => unknown]>([
    ['a realised variance of 0', 'INPUT_INVALID', () => meanQlike(Float64Array.of(0), one)],
    ['a forecast of 0', 'INPUT_INVALID', () => qlikes(one, Float64Array.of(0))],
    [
      'a forecast that is no number',
      'INPUT_INVALID',
      () => meanSquaredError(one, Float64Array.of(Number.NaN)),
    ],
    ['different lengths', 'INPUT_INVALID', () => squaredErrors(one, new Float64Array(2))],
    ['no observation', 'DATA_INSUFFICIENT', () => meanQlike(new Float64Array(0), new Float64Array(0))],
  ])('%s', (_, code, act) => {
    expect(act).toThrow(expect.objectContaining({ code, remedy: expect.any(String) }));
  });
});
