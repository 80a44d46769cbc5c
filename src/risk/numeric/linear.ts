/**
 * Small dense linear algebra: symmetric systems of a handful of unknowns. Matrices are row by row in one Float64Array.
 */

/** A pivot below this share of its own diagonal entry counts as zero: the matrix is singular to working precision. */
const SINGULAR = 1e-13;

/**
 * Lower Cholesky factor of a symmetric positive definite matrix; only its lower triangle is read.
 *
 * @param matrix size × size. @returns null where the matrix is not positive definite.
 */
export function cholesky(matrix: Float64Array, size: number): Float64Array | null {
  const factor = new Float64Array(size * size);
  for (let i = 0; i < size; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = matrix[i * size + j];
      for (let k = 0; k < j; k++) sum -= factor[i * size + k] * factor[j * size + k];
      if (i !== j) factor[i * size + j] = sum / factor[j * size + j];
      else if (sum > SINGULAR * Math.abs(matrix[i * size + i])) factor[i * size + i] = Math.sqrt(sum);
      else return null;
    }
  }
  return factor;
}

/** x with L Lᵀ x = b, L from `cholesky`. */
export function choleskySolve(factor: Float64Array, right: Float64Array): Float64Array {
  const size = right.length;
  const x = right.slice();
  for (let i = 0; i < size; i++) {
    for (let k = 0; k < i; k++) x[i] -= factor[i * size + k] * x[k];
    x[i] /= factor[i * size + i];
  }
  for (let i = size - 1; i >= 0; i--) {
    for (let k = i + 1; k < size; k++) x[i] -= factor[k * size + i] * x[k];
    x[i] /= factor[i * size + i];
  }
  return x;
}

/** Inverse of a symmetric positive definite matrix; null where it is none. */
export function symmetricInverse(matrix: Float64Array, size: number): Float64Array | null {
  const factor = cholesky(matrix, size);
  if (factor === null) return null;
  const inverse = new Float64Array(size * size);
  const unit = new Float64Array(size);
  for (let j = 0; j < size; j++) {
    unit.fill(0);
    unit[j] = 1;
    const column = choleskySolve(factor, unit);
    for (let i = 0; i < size; i++) inverse[i * size + j] = column[i];
  }
  return inverse;
}

/** A · B of size × size matrices. */
export function multiply(a: Float64Array, b: Float64Array, size: number): Float64Array {
  const product = new Float64Array(size * size);
  for (let i = 0; i < size; i++) {
    for (let k = 0; k < size; k++) {
      const left = a[i * size + k];
      for (let j = 0; j < size; j++) product[i * size + j] += left * b[k * size + j];
    }
  }
  return product;
}

/** vᵀ A v. */
export function quadraticForm(matrix: Float64Array, vector: Float64Array): number {
  const size = vector.length;
  let sum = 0;
  for (let i = 0; i < size; i++)
    for (let j = 0; j < size; j++) sum += vector[i] * matrix[i * size + j] * vector[j];
  return sum;
}
