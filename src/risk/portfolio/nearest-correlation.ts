import { symmetricEigen } from '../numeric/eigen.ts';
import { refusal, requireSameLength } from '../numeric/inputs.ts';

export interface NearestCorrelation {
  /** Ones on the diagonal; eigenvalues at least zero, to rounding. */
  readonly matrix: Float64Array;
  /** Of the matrix given. */
  readonly smallestEigenvalue: number;
  /** Frobenius norm of the difference; 0 where the matrix was one of correlations. */
  readonly distance: number;
  readonly iterations: number;
}

/** Eigenvalues this far below zero are rounding. */
const ROUNDING = 1e-12;
const TOLERANCE = 1e-12;
const MAXIMUM_ITERATIONS = 500;

/**
 * The correlation matrix nearest to a symmetric one in the Frobenius norm: alternating projections on the matrices without
 * negative eigenvalues and on those with a unit diagonal, with Dykstra's correction, without which the limit would not be
 * the nearest (Higham 2002, algorithm 3.3). What the iteration leaves below zero is clipped and the diagonal scaled to one
 * again, so that the result is a correlation matrix even where the iteration was cut short.
 *
 * @param matrix size × size, row by row, symmetric, ones on the diagonal.
 * @throws PlimsollError INPUT_INVALID for a matrix that is not symmetric, has another diagonal or an entry beyond ±1.
 */
export function nearestCorrelation(matrix: Float64Array, size: number): NearestCorrelation {
  requireCorrelations(matrix, size);
  const { values } = symmetricEigen(matrix, size);
  const smallestEigenvalue = values[size - 1];
  if (smallestEigenvalue >= -ROUNDING * size)
    return { matrix: matrix.slice(), smallestEigenvalue, distance: 0, iterations: 0 };
  let y = matrix.slice();
  const correction = new Float64Array(size * size);
  let iterations = 0;
  let change = Number.POSITIVE_INFINITY;
  while (change > TOLERANCE && iterations < MAXIMUM_ITERATIONS) {
    iterations++;
    const r = y.map((entry, i) => entry - correction[i]);
    const x = withoutNegative(r, size);
    for (let i = 0; i < x.length; i++) correction[i] = x[i] - r[i];
    const next = x.slice();
    for (let i = 0; i < size; i++) next[i * size + i] = 1;
    change = distanceOf(next, y) / Math.sqrt(squares(next));
    y = next;
  }
  const clean = toUnitDiagonal(withoutNegative(y, size), size);
  return { matrix: clean, smallestEigenvalue, distance: distanceOf(clean, matrix), iterations };
}

/** The nearest matrix without negative eigenvalues: V max(λ, 0) Vᵀ. */
function withoutNegative(matrix: Float64Array, size: number): Float64Array {
  const { values, vectors } = symmetricEigen(matrix, size);
  const clipped = new Float64Array(size * size);
  for (let k = 0; k < size && values[k] > 0; k++) {
    for (let i = 0; i < size; i++) {
      const left = values[k] * vectors[i * size + k];
      for (let j = 0; j < size; j++) clipped[i * size + j] += left * vectors[j * size + k];
    }
  }
  return clipped;
}

function toUnitDiagonal(matrix: Float64Array, size: number): Float64Array {
  const unit = new Float64Array(size * size);
  for (let i = 0; i < size; i++) {
    for (let j = 0; j <= i; j++) {
      const scaled = matrix[i * size + j] / Math.sqrt(matrix[i * size + i] * matrix[j * size + j]);
      unit[i * size + j] = unit[j * size + i] = i === j ? 1 : Math.max(-1, Math.min(1, scaled));
    }
  }
  return unit;
}

/** @throws PlimsollError INPUT_INVALID unless size × size, symmetric, with ones on the diagonal and entries in [−1, 1]. */
export function requireCorrelations(matrix: Float64Array, size: number): void {
  requireSameLength('entries and pairs', matrix.length, size * size);
  for (let i = 0; i < size; i++) {
    for (let j = 0; j <= i; j++) {
      const entry = matrix[i * size + j];
      const isFine = i === j ? entry === 1 : Math.abs(entry) <= 1 && entry === matrix[j * size + i];
      if (!isFine)
        throw refusal(
          `entry (${i + 1}, ${j + 1}) is no correlation`,
          'Give a symmetric matrix with ones on its diagonal and entries from -1 to 1.',
        );
    }
  }
}

function distanceOf(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] - b[i]) ** 2;
  return Math.sqrt(sum);
}

function squares(values: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i] * values[i];
  return sum;
}
