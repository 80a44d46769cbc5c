/** Eigenvalues and eigenvectors of a symmetric matrix. */
export interface SymmetricEigen {
  /** Falling. */
  readonly values: Float64Array;
  /** Column j, that is entries i · size + j, is the unit vector of value j; its entry of the largest size is positive. */
  readonly vectors: Float64Array;
}

/** Sweeps converge quadratically: a matrix of any size met here needs fewer than a dozen. */
const MAXIMUM_SWEEPS = 60;

/**
 * A = V diag(λ) Vᵀ by cyclic Jacobi rotations (Jacobi 1846; Rutishauser 1966; Golub and Van Loan 2013, 8.5): each rotation
 * makes one entry beside the diagonal zero, until all are. Eigenvalues are exact to the rounding of the largest one, so that
 * zeros of a singular matrix come out as ±1e-16 of it.
 *
 * @param matrix size × size, row by row, finite; only its upper triangle is read.
 */
export function symmetricEigen(matrix: Float64Array, size: number): SymmetricEigen {
  const a = new Float64Array(size * size);
  for (let i = 0; i < size; i++)
    for (let j = i; j < size; j++) a[j * size + i] = a[i * size + j] = matrix[i * size + j];
  const v = new Float64Array(size * size);
  for (let i = 0; i < size; i++) v[i * size + i] = 1;
  let squares = 0;
  for (let i = 0; i < a.length; i++) squares += a[i] * a[i];
  const negligible = (Number.EPSILON * Math.sqrt(squares)) / Math.max(size, 1);
  for (let sweep = 0; sweep < MAXIMUM_SWEEPS; sweep++) {
    let rotations = 0;
    for (let p = 0; p < size - 1; p++)
      for (let q = p + 1; q < size; q++) if (rotate(a, v, size, p, q, negligible)) rotations++;
    if (rotations === 0) break;
  }
  return sorted(a, v, size);
}

/** Makes entry (p, q) zero; false where it already is. */
function rotate(
  a: Float64Array,
  v: Float64Array,
  size: number,
  p: number,
  q: number,
  negligible: number,
): boolean {
  const app = a[p * size + p];
  const aqq = a[q * size + q];
  const apq = a[p * size + q];
  if (!(Math.abs(apq) > negligible)) return false;
  const theta = (aqq - app) / (2 * apq);
  const t = (theta < 0 ? -1 : 1) / (Math.abs(theta) + Math.hypot(theta, 1));
  const c = 1 / Math.sqrt(t * t + 1);
  const s = t * c;
  for (let k = 0; k < size; k++) {
    if (k === p || k === q) continue;
    const kp = a[k * size + p];
    const kq = a[k * size + q];
    a[k * size + p] = a[p * size + k] = c * kp - s * kq;
    a[k * size + q] = a[q * size + k] = s * kp + c * kq;
  }
  a[p * size + p] = app - t * apq;
  a[q * size + q] = aqq + t * apq;
  a[p * size + q] = a[q * size + p] = 0;
  for (let k = 0; k < size; k++) {
    const kp = v[k * size + p];
    const kq = v[k * size + q];
    v[k * size + p] = c * kp - s * kq;
    v[k * size + q] = s * kp + c * kq;
  }
  return true;
}

function sorted(a: Float64Array, v: Float64Array, size: number): SymmetricEigen {
  const order = Array.from({ length: size }, (_, i) => i).sort((i, j) => a[j * size + j] - a[i * size + i]);
  const values = new Float64Array(size);
  const vectors = new Float64Array(size * size);
  for (let j = 0; j < size; j++) {
    const from = order[j];
    values[j] = a[from * size + from];
    let largest = 0;
    for (let i = 0; i < size; i++)
      if (Math.abs(v[i * size + from]) > Math.abs(largest)) largest = v[i * size + from];
    const sign = largest < 0 ? -1 : 1;
    for (let i = 0; i < size; i++) vectors[i * size + j] = sign * v[i * size + from];
  }
  return { values, vectors };
}
