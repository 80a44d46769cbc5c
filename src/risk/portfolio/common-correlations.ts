import { requireSameLength, requireWhole } from '../numeric/inputs.ts';

/** How markets moved together, as it is kept and handed on. */
export interface MarketCorrelations {
  /** Close of the newest bar that counted, epoch milliseconds. */
  readonly asOf: number;
  readonly markets: readonly string[];
  /** markets × markets, row by row: ones on the diagonal, symmetric, no eigenvalue below zero but for rounding. */
  readonly matrix: Float64Array;
  /** How far each moves with the mean of all, see `commonBetas`; absent where they were not measured. */
  readonly betas?: Float64Array;
}

/** Returns of several markets on one grid of times: market m at slot t is entry m · slots + t; 0 where it is not known. */
export interface CommonReturns {
  readonly markets: readonly string[];
  readonly slots: number;
  readonly returns: Float64Array;
  /** 1 where there is a return. */
  readonly known: Uint8Array;
}

/**
 * Makes each market's returns a vector of length 1: less their mean, over the root of their squares, and 0 where nothing is
 * known. A market without a move stays all 0, so that it is correlated with none.
 */
export function unitVectors({ markets, slots, returns, known }: CommonReturns): Float64Array {
  requireSameLength('returns and slots', returns.length, markets.length * slots);
  requireSameLength('returns and their marks', returns.length, known.length);
  const units = new Float64Array(returns.length);
  for (let m = 0; m < markets.length; m++) {
    const [from, to] = [m * slots, (m + 1) * slots];
    let [count, sum] = [0, 0];
    for (let i = from; i < to; i++) {
      if (known[i] === 0) continue;
      count++;
      sum += returns[i];
    }
    const mean = count === 0 ? 0 : sum / count;
    let squares = 0;
    for (let i = from; i < to; i++) {
      if (known[i] === 0) continue;
      units[i] = returns[i] - mean;
      squares += units[i] * units[i];
    }
    // What is left of a constant is rounding, and no move.
    const isFlat = Math.sqrt(squares) <= Math.abs(mean) * Math.sqrt(count) * 1e-12;
    const length = isFlat ? 0 : Math.sqrt(squares);
    for (let i = from; i < to; i++) units[i] = length > 0 ? units[i] / length : 0;
  }
  return units;
}

/**
 * Rows [from, to) of UUᵀ and the same columns, for U the rows of `unitVectors`, into `matrix`; the diagonal is 1. Where all
 * markets know all slots this is the sample correlation. Where one lacks some, it counts in them as if it had not moved,
 * which takes correlations towards none; in return the matrix of all rows is one of correlations, whatever is missing, and needs
 * no repair (a Gram matrix has no eigenvalue below zero).
 *
 * @param matrix size × size, filled where it is done.
 */
export function fillCorrelations(
  units: Float64Array,
  size: number,
  from: number,
  to: number,
  matrix: Float64Array,
): void {
  requireSameLength('entries and pairs', matrix.length, size * size);
  requireWhole('the number of markets', size, 1);
  const slots = units.length / size;
  for (let i = from; i < to; i++) {
    const a = i * slots;
    matrix[i * size + i] = 1;
    for (let j = 0; j < i; j++) {
      const b = j * slots;
      let sum = 0;
      for (let t = 0; t < slots; t++) sum += units[a + t] * units[b + t];
      matrix[i * size + j] = matrix[j * size + i] = Math.max(-1, Math.min(1, sum));
    }
  }
}

/** All rows at once. */
export function commonCorrelations(returns: CommonReturns): Float64Array {
  const size = returns.markets.length;
  const matrix = new Float64Array(size * size);
  fillCorrelations(unitVectors(returns), size, 0, size, matrix);
  return matrix;
}
