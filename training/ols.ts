/**
 * Ordinary least squares with a touch of ridge, by the normal equations and a Cholesky factor, in float64: the number
 * of regressors is small and they are of unit scale, so that the equations are well conditioned.
 */
export class LeastSquares {
  readonly #size: number;
  readonly #gram: Float64Array;
  readonly #moment: Float64Array;
  #rows = 0;

  /** @param regressors without the intercept, which comes first in the solution. */
  constructor(regressors: number) {
    this.#size = regressors + 1;
    this.#gram = new Float64Array(this.#size * this.#size);
    this.#moment = new Float64Array(this.#size);
  }

  /** Adds one row; `x` holds the regressors at the given positions from `offset` on. */
  add(x: Float64Array, offset: number, positions: readonly number[], y: number): void {
    const size = this.#size;
    for (let i = 0; i < size; i++) {
      const xi = i === 0 ? 1 : x[offset + positions[i - 1]];
      this.#moment[i] += xi * y;
      for (let j = 0; j <= i; j++) {
        this.#gram[i * size + j] += xi * (j === 0 ? 1 : x[offset + positions[j - 1]]);
      }
    }
    this.#rows++;
  }

  /** Intercept and coefficients. @param ridge added to the diagonal per row, the intercept's excepted. */
  solve(ridge: number): Float64Array {
    const size = this.#size;
    const factor = this.#gram.slice();
    for (let i = 1; i < size; i++) factor[i * size + i] += ridge * this.#rows;
    for (let i = 0; i < size; i++) {
      for (let j = 0; j <= i; j++) {
        let sum = factor[i * size + j];
        for (let k = 0; k < j; k++) sum -= factor[i * size + k] * factor[j * size + k];
        factor[i * size + j] = i === j ? Math.sqrt(Math.max(sum, 1e-12)) : sum / factor[j * size + j];
      }
    }
    const solution = this.#moment.slice();
    for (let i = 0; i < size; i++) {
      for (let k = 0; k < i; k++) solution[i] -= factor[i * size + k] * solution[k];
      solution[i] /= factor[i * size + i];
    }
    for (let i = size - 1; i >= 0; i--) {
      for (let k = i + 1; k < size; k++) solution[i] -= factor[k * size + i] * solution[k];
      solution[i] /= factor[i * size + i];
    }
    return solution;
  }
}
