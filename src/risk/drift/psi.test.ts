import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Random } from '../../random.ts';
import { parkMiller } from '../park-miller.fixture.ts';
import { populationStability, type ReferenceBins, referenceBins } from './psi.ts';

/** A reference and a sample by Park and Miller's generator, the sample stretched; whole numbers have ties. */
function golden(m: number, n: number, stretch: number, isWhole: boolean): [Float64Array, Float64Array] {
  const { uniform } = parkMiller(20240601);
  const next = (by: number): number => {
    const u = uniform();
    return isWhole ? Math.floor(20 * (u * u * by)) : u * u * by;
  };
  const reference = new Float64Array(m).map(() => next(1));
  return [reference, new Float64Array(n).map(() => next(1 + stretch))];
}

function bins(reference: Float64Array, count?: number): ReferenceBins {
  const made = referenceBins(reference, count);
  if (!made.available) throw new Error(made.reason);
  return made;
}

describe('NumPy 2.4 (quantile, searchsorted) agrees', () => {
  test.each([
    [1000, 300, 0.5, false, 10, 0.5, 0.30387348610745224, [16, 29, 26, 29, 27, 19, 33, 15, 18, 88]],
    [1000, 300, 0.5, false, 10, 0, 0.31336761506862876, [16, 29, 26, 29, 27, 19, 33, 15, 18, 88]],
    [500, 400, 0.3, true, 10, 0.5, 0.1700040789103507, [67, 34, 46, 31, 20, 41, 31, 39, 91]],
    [
      300,
      200,
      0.2,
      false,
      20,
      0.5,
      0.24114766348513528,
      [18, 6, 12, 14, 6, 8, 6, 16, 16, 8, 9, 6, 6, 7, 7, 9, 5, 9, 4, 28],
    ],
    [500, 400, 0.3, true, 5, 0, 0.13894759597461326, [67, 80, 51, 72, 130]],
  ])(
    '%i reference values and %i others, stretched by %d, whole numbers: %s, %i bins, pseudo-count %d',
    (m, n, stretch, isWhole, count, pseudoCount, index, counts) => {
      const [reference, sample] = golden(m, n, stretch, isWhole);
      const result = populationStability(bins(reference, count), sample, pseudoCount);
      if (!result.available) throw new Error(result.reason);
      expect(Math.abs(result.index / index - 1)).toBeLessThan(1e-9);
      expect([...result.counts]).toEqual(counts);
    },
  );
});

describe('bins', () => {
  test('hold a tenth of a reference without ties each, and none is empty with ties', () => {
    expect([...bins(golden(1000, 1, 0, false)[0]).counts]).toEqual(new Array(10).fill(100));
    expect(Math.min(...bins(golden(500, 1, 0, true)[0]).counts)).toBeGreaterThan(0);
  });

  test('part two values wherever the quantiles fall', () => {
    for (const ones of [1, 10, 50, 90, 99]) {
      const reference = new Float64Array(100).map((_, i) => (i < ones ? 1 : 0));
      expect([...bins(reference).counts]).toEqual([100 - ones, ones]);
    }
  });

  test('of one value only cannot be made', () => {
    expect(referenceBins(new Float64Array(50).fill(3))).toMatchObject({ available: false });
  });
});

describe('laws', () => {
  const seeds = fc.integer({ min: 1, max: 1_000_000 });

  test('the index is 0 for the reference itself, never negative, finite, and the sum of what the bins add', () => {
    fc.assert(
      fc.property(
        seeds,
        fc.integer({ min: 1, max: 40 }),
        fc.double({ min: 0.1, max: 9, noNaN: true }),
        (seed, values, stretch) => {
          const random = Random.stream(seed, 'psi');
          const reference = new Float64Array(60).map((_, i) => (i === 0 ? 0 : 1 + random.integer(values)));
          const sample = new Float64Array(25).map(() => stretch * random.integer(values));
          const made = bins(reference);
          expect(populationStability(made, reference)).toMatchObject({ index: 0 });
          const result = populationStability(made, sample);
          if (!result.available) throw new Error(result.reason);
          expect(result.contributions.every((share) => share >= 0)).toBe(true);
          expect(result.index).toBeCloseTo(
            result.contributions.reduce((sum, share) => sum + share, 0),
            14,
          );
          expect(result.counts.reduce((sum, count) => sum + count, 0)).toBe(25);
          expect(made.counts.every((count) => count > 0)).toBe(true);
        },
      ),
      { seed: 101, numRuns: 200 },
    );
  });

  test('an order-preserving change of unit leaves it as it is', () => {
    const [reference, sample] = golden(400, 300, 0.4, false);
    const result = populationStability(bins(reference), sample);
    const scaled = populationStability(
      bins(reference.map((value) => 1024 * value)),
      sample.map((value) => 1024 * value),
    );
    expect(scaled).toEqual(result);
  });
});

test('an empty bin without a pseudo-count has no index, and says which bin it is', () => {
  const made = bins(Float64Array.from({ length: 100 }, (_, i) => i));
  expect(populationStability(made, Float64Array.of(99), 0)).toMatchObject({
    available: false,
    reason: expect.stringContaining('bin 1'),
  });
});

test.each<[string, string, () => unknown]>([
  ['fewer values than bins', 'DATA_INSUFFICIENT', () => referenceBins(new Float64Array(9))],
  ['one bin', 'INPUT_INVALID', () => referenceBins(new Float64Array(9), 1)],
  [
    'a reference that is no number',
    'INPUT_INVALID',
    () => referenceBins(new Float64Array(20).fill(Number.NaN)),
  ],
  [
    'no sample',
    'DATA_INSUFFICIENT',
    () => populationStability(bins(golden(20, 1, 0, false)[0]), new Float64Array(0)),
  ],
  [
    'a negative pseudo-count',
    'INPUT_INVALID',
    () => populationStability(bins(golden(20, 1, 0, false)[0]), Float64Array.of(1), -1),
  ],
])('%s: refused with a remedy', (_, code, act) => {
  expect(act).toThrow(expect.objectContaining({ code, remedy: expect.any(String) }));
});
