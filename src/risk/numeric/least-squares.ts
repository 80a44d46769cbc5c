import { multiply } from './linear.ts';
import { longRunCovariance } from './long-run-variance.ts';

/** A least squares fit. */
export interface LeastSquares {
  readonly coefficients: Float64Array;
  /** y − x'b, not weighted. */
  readonly residuals: Float64Array;
  /** Share of the (weighted) variance about the mean that is explained. */
  readonly rSquared: number;
  /** (XᵀWX)⁻¹, columns × columns. */
  readonly inverseGram: Float64Array;
  /** W; null for ordinary least squares. */
  readonly weights: Float64Array | null;
}

/** A column whose part that the ones before do not explain is below this share of its length is dependent on them. */
const DEPENDENT = 1e-10;

/**
 * Ordinary least squares by Householder's triangularisation, which keeps the digits that normal equations lose.
 *
 * @param columns the regressors, each of n entries; a constant is a column of ones.
 * @param weights if given, positive: Σ w (y − x'b)² is minimised.
 * @returns null where the columns depend on each other or are more than the rows.
 */
export function leastSquares(
  columns: readonly Float64Array[],
  outcome: Float64Array,
  weights?: Float64Array,
): LeastSquares | null {
  const n = outcome.length;
  const size = columns.length;
  if (n < size) return null;
  const root = weights?.map(Math.sqrt);
  const scaled = (values: Float64Array): Float64Array =>
    root === undefined ? values.slice() : values.map((value, i) => value * root[i]);
  const q = columns.map(scaled);
  const y = scaled(outcome);
  const triangle = new Float64Array(size * size);
  for (let j = 0; j < size; j++) {
    const length = norm(q[j], 0);
    const left = norm(q[j], j);
    if (!(left > DEPENDENT * length)) return null;
    const pivot = q[j][j] > 0 ? -left : left;
    // The reflection that turns the rest of column j into (pivot, 0, …, 0).
    const v = q[j].slice(j);
    v[0] -= pivot;
    const square = dot(v, v, 0);
    for (let k = j + 1; k < size; k++) reflect(q[k], v, square, j);
    reflect(y, v, square, j);
    for (let k = 0; k < j; k++) triangle[k * size + j] = q[j][k];
    triangle[j * size + j] = pivot;
  }
  const coefficients = new Float64Array(size);
  for (let i = size - 1; i >= 0; i--) {
    let sum = y[i];
    for (let k = i + 1; k < size; k++) sum -= triangle[i * size + k] * coefficients[k];
    coefficients[i] = sum / triangle[i * size + i];
  }
  const residuals = outcome.slice();
  for (let j = 0; j < size; j++) for (let i = 0; i < n; i++) residuals[i] -= coefficients[j] * columns[j][i];
  return {
    coefficients,
    residuals,
    rSquared: explainedShare(outcome, residuals, weights),
    inverseGram: inverseGramOf(triangle, size),
    weights: weights ?? null,
  };
}

/**
 * Covariance of the coefficients, robust to heteroskedasticity and to dependence up to some lags (White 1980; Newey and
 * West 1987): (XᵀWX)⁻¹ Ω (XᵀWX)⁻¹ with Ω the Bartlett-weighted sum of the scores' autocovariances.
 *
 * @param lags 0 for White's.
 */
export function robustCovariance(
  fit: LeastSquares,
  columns: readonly Float64Array[],
  lags: number,
): Float64Array {
  const size = columns.length;
  const errors = weighted(fit.residuals, fit.weights);
  const scores = columns.map((column) => column.map((value, i) => value * errors[i]));
  const middle = longRunCovariance(scores, lags, false);
  const n = fit.residuals.length;
  for (let i = 0; i < middle.length; i++) middle[i] *= n;
  return multiply(multiply(fit.inverseGram, middle, size), fit.inverseGram, size);
}

/** The usual covariance of the coefficients: s² (XᵀWX)⁻¹, s² = weighted residual squares / (n − columns). */
export function classicalCovariance(fit: LeastSquares): Float64Array {
  const size = fit.coefficients.length;
  const squares = dot(fit.residuals, weighted(fit.residuals, fit.weights), 0);
  const variance = squares / (fit.residuals.length - size);
  return fit.inverseGram.map((entry) => entry * variance);
}

function explainedShare(outcome: Float64Array, residuals: Float64Array, weights?: Float64Array): number {
  let [mean, weight] = [0, 0];
  for (let i = 0; i < outcome.length; i++) {
    const own = weights === undefined ? 1 : weights[i];
    mean += own * outcome[i];
    weight += own;
  }
  mean /= weight;
  const centred = outcome.map((value) => value - mean);
  const total = dot(centred, weighted(centred, weights ?? null), 0);
  return total > 0 ? 1 - dot(residuals, weighted(residuals, weights ?? null), 0) / total : 0;
}

function weighted(values: Float64Array, weights: Float64Array | null): Float64Array {
  return weights === null ? values : values.map((value, i) => value * weights[i]);
}

/** (RᵀR)⁻¹ = R⁻¹R⁻ᵀ, from R itself: RᵀR would have the square of its condition. */
function inverseGramOf(triangle: Float64Array, size: number): Float64Array {
  const inverse = new Float64Array(size * size);
  for (let j = 0; j < size; j++) {
    inverse[j * size + j] = 1 / triangle[j * size + j];
    for (let i = j - 1; i >= 0; i--) {
      let sum = 0;
      for (let k = i + 1; k <= j; k++) sum -= triangle[i * size + k] * inverse[k * size + j];
      inverse[i * size + j] = sum / triangle[i * size + i];
    }
  }
  const gram = new Float64Array(size * size);
  for (let i = 0; i < size; i++)
    for (let j = 0; j < size; j++)
      for (let k = Math.max(i, j); k < size; k++)
        gram[i * size + j] += inverse[i * size + k] * inverse[j * size + k];
  return gram;
}

function norm(values: Float64Array, from: number): number {
  return Math.sqrt(dot(values, values, from));
}

function dot(a: Float64Array, b: Float64Array, from: number): number {
  let sum = 0;
  for (let i = from; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}

/** values[from…] −= 2 v (v·values[from…]) / v·v. */
function reflect(values: Float64Array, v: Float64Array, square: number, from: number): void {
  if (square === 0) return;
  let sum = 0;
  for (let i = 0; i < v.length; i++) sum += v[i] * values[from + i];
  const factor = (2 * sum) / square;
  for (let i = 0; i < v.length; i++) values[from + i] -= factor * v[i];
}
