import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parkMiller } from '../park-miller.fixture.ts';
import { symmetricEigen } from './eigen.ts';
import { multiply } from './linear.ts';

/** Park and Miller's generator, for matrices that NumPy can have too. */
function symmetricMatrix(size: number, seed: number): Float64Array {
  const { uniform } = parkMiller(seed);
  const matrix = new Float64Array(size * size);
  for (let i = 0; i < size; i++) {
    for (let j = i; j < size; j++) {
      matrix[i * size + j] = matrix[j * size + i] = 2 * uniform() - 1;
    }
  }
  return matrix;
}

function transposed(matrix: Float64Array, size: number): Float64Array {
  return matrix.map((_, k) => matrix[(k % size) * size + Math.floor(k / size)]);
}

function largestDifference(a: Float64Array, b: Float64Array): number {
  return a.reduce((largest, value, i) => Math.max(largest, Math.abs(value - b[i])), 0);
}

describe('eigenvalues of symmetric matrices', () => {
  test('equal NumPy 2.4', () => {
    const expected = [
      1.9078821056717352, 0.9488376588798959, 0.7067971960889704, -0.23090379415581577, -0.7404823864878118,
      -2.033141915203072,
    ];
    const { values } = symmetricEigen(symmetricMatrix(6, 7), 6);
    for (let i = 0; i < 6; i++) expect(Math.abs(values[i] / expected[i] - 1)).toBeLessThan(1e-13);
  });

  test('and vectors give the matrix back, and the vectors are orthonormal', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 25 }), fc.integer({ min: 1, max: 1e6 }), (size, seed) => {
        const matrix = symmetricMatrix(size, seed);
        const before = matrix.slice();
        const { values, vectors } = symmetricEigen(matrix, size);
        expect(matrix).toEqual(before);
        const scaled = vectors.map((entry, k) => entry * values[k % size]);
        const back = multiply(scaled, transposed(vectors, size), size);
        expect(largestDifference(back, matrix)).toBeLessThan(1e-13 * size);
        const identity = matrix.map((_, k) => (k % (size + 1) === 0 ? 1 : 0));
        const gram = multiply(transposed(vectors, size), vectors, size);
        expect(largestDifference(gram, identity)).toBeLessThan(1e-13 * size);
        for (let i = 1; i < size; i++) expect(values[i]).toBeLessThanOrEqual(values[i - 1]);
        for (let j = 0; j < size; j++) {
          const column = Array.from({ length: size }, (_, i) => vectors[i * size + j]);
          expect(Math.max(...column)).toBe(Math.max(...column.map(Math.abs)));
        }
        const upper = matrix.map((entry, k) => (k % size < Math.floor(k / size) ? Number.NaN : entry));
        expect(symmetricEigen(upper, size).values).toEqual(values);
      }),
      { seed: 1, numRuns: 100 },
    );
  });

  test.each([1, 2, 30])(
    'of a matrix of ones of size %i are its size and zeros, and no vector is lost',
    (size) => {
      const { values, vectors } = symmetricEigen(new Float64Array(size * size).fill(1), size);
      expect(values[0]).toBeCloseTo(size, 12);
      for (let i = 1; i < size; i++) expect(Math.abs(values[i])).toBeLessThan(1e-14 * size);
      expect(vectors[0]).toBeCloseTo(1 / Math.sqrt(size), 12);
    },
  );

  test('of a diagonal, of zeros and of nothing end at once', () => {
    expect(Array.from(symmetricEigen(Float64Array.of(2, 0, 0, 5), 2).values)).toEqual([5, 2]);
    expect(Array.from(symmetricEigen(new Float64Array(9), 3).values)).toEqual([0, 0, 0]);
    expect(symmetricEigen(new Float64Array(0), 0).values).toHaveLength(0);
  });

  test('keep their digits whatever the unit', () => {
    for (const unit of [1e-150, 1e150]) {
      const matrix = symmetricMatrix(6, 7).map((entry) => entry * unit);
      expect(symmetricEigen(matrix, 6).values[0] / unit).toBeCloseTo(1.9078821056717352, 12);
    }
  });
});
