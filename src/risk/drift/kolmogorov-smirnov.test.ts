import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Random } from '../../random.ts';
import { parkMiller } from '../park-miller.fixture.ts';
import { kolmogorovSurvival } from './kolmogorov-distribution.ts';
import { kolmogorovSmirnov } from './kolmogorov-smirnov.ts';

/** Two samples by Park and Miller's generator, the second shifted; whole numbers have ties. */
function golden(m: number, n: number, shift: number, isWhole: boolean): [Float64Array, Float64Array] {
  const { uniform } = parkMiller(20240601);
  const next = (by: number): number => {
    const u = uniform();
    return isWhole ? Math.floor(20 * (u * u + by)) : u * u + by;
  };
  const first = new Float64Array(m).map(() => next(0));
  return [first, new Float64Array(n).map(() => next(shift))];
}

function near(actual: number, expected: number): void {
  expect(Math.abs(actual / expected - 1)).toBeLessThan(1e-9);
}

describe("SciPy 1.10 and 1.17 (ks_2samp, method='asymp') agree", () => {
  test.each([
    [100, 150, 0, false, 0.1266666666666667, 0.2674433149657188],
    [100, 150, 0.05, false, 0.2, 0.014023403960275127],
    [500, 400, 0.05, false, 0.238, 1.5063867484902607e-11],
    [500, 400, 0.1, true, 0.324, 3.0393236904010268e-21],
    [2000, 3000, 0.01, false, 0.092, 2.7366080384754152e-9],
    [30000, 20000, 0.002, false, 0.043666666666666666, 2.5459182186154705e-20],
    [30, 40, 0.3, false, 0.6333333333333333, 3.8472019309662087e-7],
    [250, 250, 0.02, true, 0.09600000000000009, 0.18704977806597967],
    // Here n₁n₂/(n₁ + n₂) is 2.5, which NumPy rounds to 2.
    [5, 5, 0.5, false, 0.6000000000000001, 0.31999999999999984],
  ])('%i and %i values, shift %d, whole numbers: %s', (m, n, shift, isWhole, statistic, pValue) => {
    const result = kolmogorovSmirnov(...golden(m, n, shift, isWhole));
    expect(result.statistic).toBeCloseTo(statistic, 14);
    near(result.pValue, pValue);
  });
});

describe('the distribution equals SciPy 1.17 (kstwo.sf) in every branch', () => {
  test.each([
    [1, 0.7, 0.6000000000000001],
    [2, 0.6, 0.32000000000000006],
    [10, 0.04, 1.0],
    [10, 0.08, 0.9999978058034054],
    [200, 0.004, 1.0],
    [10, 0.2, 0.7487190399999999],
    [20, 0.3, 0.04306706665851623],
    [100, 0.12, 0.1033037490181987],
    [140, 0.16, 0.001344016324418744],
    [5, 0.85, 0.0001518750000000001],
    [10, 0.95, 1.9531250000000172e-13],
    [50, 0.6, 9.634070456142374e-18],
    [100, 0.22, 9.900265927321788e-5],
    [141, 0.05, 0.854845693009663],
    [500, 0.02, 0.9859871786857471],
    [5000, 0.0035, 0.9999999740298307],
    [1000, 0.03, 0.3226902143914636],
    [20000, 0.008, 0.15371596723031855],
    [300000, 0.002, 0.18105935573978393],
    [1000, 0.05, 0.013012074781090332],
    [100000, 0.006, 0.0014871489301131564],
    [1000, 0.3, 2.590715705736845e-80],
    [1000000, 0.0015, 0.022195758430640866],
  ])('n %i, d %d', (n, d, expected) => {
    near(kolmogorovSurvival(d, n), expected);
  });

  test('is 1 where d cannot be smaller, 0 where it cannot be larger, and falls between', () => {
    for (const n of [1, 2, 7, 140, 141, 5000]) {
      expect(kolmogorovSurvival(0.5 / n, n)).toBe(1);
      expect(kolmogorovSurvival(1, n)).toBe(0);
      let before = 1;
      for (let d = 0.5 / n; d < 1; d += 0.0007 + 0.01 / Math.sqrt(n)) {
        const survival = kolmogorovSurvival(d, n);
        expect(survival).toBeLessThanOrEqual(before + 1e-9);
        expect(survival).toBeGreaterThanOrEqual(0);
        before = survival;
      }
    }
  });
});

describe('laws', () => {
  test('the statistic is the largest distance of the distribution functions, at the value it names', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 1_000_000 }),
        fc.integer({ min: 2, max: 40 }),
        fc.integer({ min: 2, max: 40 }),
        fc.integer({ min: 1, max: 50 }),
        (seed, m, n, values) => {
          const random = Random.stream(seed, 'drift');
          const draw = (size: number): Float64Array =>
            new Float64Array(size).map(() => random.integer(values));
          const [first, second] = [draw(m), draw(n)];
          const distance = (x: number): number =>
            Math.abs(
              first.filter((value) => value <= x).length / m -
                second.filter((value) => value <= x).length / n,
            );
          const result = kolmogorovSmirnov(first, second);
          const expected = Math.max(...[...first, ...second].map(distance));
          expect(result.statistic).toBeCloseTo(expected, 13);
          expect(distance(result.at)).toBeCloseTo(expected, 13);
          expect(kolmogorovSmirnov(second, first)).toEqual(result);
          expect(kolmogorovSmirnov(first, first)).toMatchObject({ statistic: 0, pValue: 1 });
          expect(result.pValue).toBeGreaterThanOrEqual(0);
          expect(result.pValue).toBeLessThanOrEqual(1);
        },
      ),
      { seed: 91, numRuns: 200 },
    );
  });

  test('samples of one distribution are told apart at 5 % at most about as often as 5 % says', () => {
    let rejected = 0;
    for (let seed = 1; seed <= 400; seed++) {
      const random = Random.stream(seed, 'drift');
      const draw = (size: number): Float64Array => new Float64Array(size).map(() => random.normal());
      if (kolmogorovSmirnov(draw(120), draw(80)).pValue < 0.05) rejected++;
    }
    expect(rejected / 400).toBeLessThan(0.075);
    expect(rejected / 400).toBeGreaterThan(0.015);
  });

  test('leaves the samples as they are', () => {
    const [first, second] = [Float64Array.of(3, 1, 2), Float64Array.of(2, 5, 0)];
    kolmogorovSmirnov(first, second);
    expect([...first, ...second]).toEqual([3, 1, 2, 2, 5, 0]);
  });
});

test.each([
  ['one value', 'DATA_INSUFFICIENT', Float64Array.of(1)],
  ['a value that is no number', 'INPUT_INVALID', Float64Array.of(1, Number.NaN)],
  ['an infinite value', 'INPUT_INVALID', Float64Array.of(1, Number.POSITIVE_INFINITY)],
])('%s is refused with a remedy', (_, code, sample) => {
  for (const pair of [[sample, Float64Array.of(1, 2)] as const, [Float64Array.of(1, 2), sample] as const])
    expect(() => kolmogorovSmirnov(...pair)).toThrow(
      expect.objectContaining({ code, remedy: expect.any(String) }),
    );
});
