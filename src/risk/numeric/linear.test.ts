import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Random } from '../../random.ts';
import { cholesky, choleskySolve, multiply, quadraticForm, symmetricInverse } from './linear.ts';

describe('small symmetric systems', () => {
  /** A'A + a little of the identity, of a random A. */
  function positive(seed: number, size: number): Float64Array {
    const random = Random.stream(seed, 'linear');
    const a = new Float64Array(size * size).map(() => random.normal());
    const matrix = multiply(
      a.map((_, i) => a[(i % size) * size + Math.floor(i / size)]),
      a,
      size,
    );
    for (let i = 0; i < size; i++) matrix[i * size + i] += 0.1;
    return matrix;
  }

  test('are solved and inverted: L Lᵀ = A, A A⁻¹ = 1', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1_000_000 }), fc.integer({ min: 1, max: 7 }), (seed, size) => {
        const matrix = positive(seed, size);
        const factor = cholesky(matrix, size);
        const inverse = symmetricInverse(matrix, size);
        if (factor === null || inverse === null) throw new Error('not positive definite');
        const transposed = factor.map((_, i) => factor[(i % size) * size + Math.floor(i / size)]);
        const again = multiply(factor, transposed, size);
        const identity = multiply(matrix, inverse, size);
        for (let i = 0; i < size * size; i++) {
          expect(again[i]).toBeCloseTo(matrix[i], 10);
          expect(identity[i]).toBeCloseTo(i % (size + 1) === 0 ? 1 : 0, 9);
        }
        const right = Float64Array.from({ length: size }, (_, i) => i - 1);
        const solved = choleskySolve(factor, right);
        // bᵀA⁻¹b by the solution and by the inverse.
        const byInverse = quadraticForm(inverse, right);
        const bySolution = right.reduce((sum, value, i) => sum + value * solved[i], 0);
        expect(bySolution).toBeCloseTo(byInverse, 8);
      }),
      { seed: 123, numRuns: 100 },
    );
  });

  test.each([
    ['singular', Float64Array.of(1, 2, 2, 4)],
    ['indefinite', Float64Array.of(1, 2, 2, 1)],
    ['negative', Float64Array.of(-1, 0, 0, 1)],
    ['zero', new Float64Array(4)],
    ['not of numbers', Float64Array.of(Number.NaN, 0, 0, 1)],
  ])('a matrix that is %s has no factor and no inverse', (_, matrix) => {
    expect(cholesky(matrix, 2)).toBeNull();
    expect(symmetricInverse(matrix, 2)).toBeNull();
  });

  test.each([1e-30, 1, 1e30])('whether a matrix is singular does not depend on its unit, %d', (unit) => {
    const matrix = (last: number): Float64Array =>
      Float64Array.of(1, 1, 1, last).map((entry) => entry * unit);
    expect(cholesky(matrix(1 + 1e-14), 2)).toBeNull();
    expect(cholesky(matrix(1 + 1e-11), 2)).not.toBeNull();
  });

  test('only the lower triangle is read', () => {
    expect(cholesky(Float64Array.of(4, Number.NaN, 2, 5), 2)).toEqual(Float64Array.of(2, 0, 1, 2));
  });
});
