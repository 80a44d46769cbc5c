import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Random } from '../../random.ts';
import {
  quantile,
  quantileOfSorted,
  selectInPlace,
  sortedTailInPlace,
  tailMean,
  tailMeanOfSorted,
} from './quantile.ts';

const samples = fc
  .array(fc.oneof(fc.double({ min: -1e3, max: 1e3, noNaN: true }), fc.integer({ min: 0, max: 3 })), {
    minLength: 1,
    maxLength: 200,
  })
  .map((values) => Float64Array.from(values));
const confidences = fc.constantFrom(0.5, 0.9, 0.95, 0.99, 0.995, 0.999);

/** Rockafellar and Uryasev's definition as an optimisation: the least v + E[(L − v)⁺]/(1 − c) over v in the sample. */
function optimisedShortfall(losses: Float64Array, confidence: number): number {
  let least = Number.POSITIVE_INFINITY;
  for (const v of losses) {
    let excess = 0;
    for (const loss of losses) excess += Math.max(loss - v, 0);
    least = Math.min(least, v + excess / (losses.length * (1 - confidence)));
  }
  return least;
}

describe('order statistics', () => {
  test('type 7 quantiles equal those of NumPy 2.4', () => {
    const values = Float64Array.of(3.1, -1.2, 0.4, 8.8, 2.2, 5.0, 4.1, 0.0, 9.9, 1.7);
    const golden: [number, number][] = [
      [0, -1.2],
      [0.1, -0.11999999999999997],
      [0.25, 0.725],
      [0.5, 2.65],
      [0.9, 8.91],
      [0.95, 9.405],
      [0.99, 9.801],
      [1, 9.9],
    ];
    for (const [p, expected] of golden) expect(quantile(values, p)).toBeCloseTo(expected, 13);
  });

  test('selection finds what sorting finds, among ties too', () => {
    fc.assert(
      fc.property(samples, fc.nat(), (values, pick) => {
        const k = pick % values.length;
        const scratch = values.slice();
        expect(selectInPlace(scratch, k)).toBe(values.slice().sort()[k]);
        expect(scratch.slice().sort()).toEqual(values.slice().sort());
      }),
      { seed: 12, numRuns: 300 },
    );
  });

  test('selection finds what sorting finds in samples long enough to be cut by a sample, however they are ordered', () => {
    const random = new Random(16);
    const orders: ((i: number, n: number) => number)[] = [
      () => random.normal(),
      (i) => i,
      (i, n) => n - i,
      (i) => Math.sin(i / 40) + 0.01 * random.normal(),
      () => random.integer(3),
      () => 1,
      // What a sample spread evenly cannot see: all that is large lies between its entries.
      (i) => (i % 16 === 1 ? 1 + random.uniform() : random.uniform()),
    ];
    for (const order of orders) {
      for (const n of [1500, 4096, 8737]) {
        const values = Float64Array.from({ length: n }, (_, i) => order(i, n));
        const sorted = values.slice().sort();
        for (const k of [0, 1, n >> 1, Math.floor(0.95 * n), n - 2, n - 1]) {
          const scratch = values.slice();
          expect(selectInPlace(scratch, k)).toBe(sorted[k]);
          expect(scratch.subarray(0, k).every((value) => value <= sorted[k])).toBe(true);
          expect(scratch.subarray(k).every((value) => value >= sorted[k])).toBe(true);
          expect(scratch.sort()).toEqual(sorted);
        }
      }
    }
  });

  test('the tail mean is the optimum of Rockafellar and Uryasev', () => {
    fc.assert(
      fc.property(samples, confidences, (losses, confidence) => {
        const expected = optimisedShortfall(losses, confidence);
        expect(tailMean(losses, confidence)).toBeCloseTo(expected, 8);
      }),
      { seed: 13, numRuns: 300 },
    );
  });

  test('the last loss of the tail counts by its fraction', () => {
    // 10 · (1 − 0.75) = 2.5 losses: 10 and 9 whole, 8 by half.
    const losses = Float64Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9, 10);
    expect(tailMean(losses, 0.75)).toBeCloseTo((10 + 9 + 0.5 * 8) / 2.5, 14);
    expect(tailMean(losses, 0.95)).toBe(10);
  });

  test('the tail mean is not below the quantile', () => {
    fc.assert(
      fc.property(samples, confidences, (losses, confidence) => {
        const q = quantile(losses, confidence);
        expect(tailMean(losses, confidence)).toBeGreaterThanOrEqual(q - 1e-12 * Math.abs(q));
      }),
      { seed: 14, numRuns: 300 },
    );
  });

  test('one sorted tail answers every higher confidence as the whole sample does', () => {
    fc.assert(
      fc.property(samples, confidences, confidences, (losses, a, b) => {
        const from = Math.min(a, b);
        const at = Math.max(a, b);
        const tail = sortedTailInPlace(losses.slice(), from);
        expect(quantileOfSorted(tail, losses.length, at)).toBe(quantile(losses, at));
        expect(tailMeanOfSorted(tail, losses.length, at)).toBeCloseTo(tailMean(losses, at), 9);
      }),
      { seed: 15, numRuns: 300 },
    );
  });

  test("the caller's array stays as it is", () => {
    const losses = Float64Array.of(3, 1, 2, 5, 4);
    quantile(losses, 0.9);
    tailMean(losses, 0.9);
    expect(Array.from(losses)).toEqual([3, 1, 2, 5, 4]);
  });
});
