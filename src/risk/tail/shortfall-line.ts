import { cholesky, choleskySolve } from '../numeric/linear.ts';

const MAXIMUM_STEPS = 100;
/** Smaller gains end the search. The loss is a mean of ratios near 1 and a logarithm: this is its rounding in any unit. */
const GAIN = 1e-14;
/** Steps that do not trust the curvature of a start far away. */
const FISHER_STEPS = 2;
const SHORTEST = 1e-12;
/** A product of an e and what lies between these is a number: no e is beyond 1e±100 that the sums of 1/e² would not have lost. */
const LEAST_PRODUCT = 1e-100;
const MOST_PRODUCT = 1e100;

/**
 * The line e with the least mean of z/e + ln e, by Newton's steps, halved until the mean falls; the first ones are Fisher's, which from a
 * constant lead to the line of least squares.
 */
export function shortfallLine(
  columns: readonly Float64Array[],
  tail: Float64Array,
  start: Float64Array | null,
): { readonly coefficients: Float64Array; readonly e: Float64Array; readonly loss: number } | null {
  let coefficients = start ?? new Float64Array(columns.length);
  if (start === null) coefficients[0] = tail.reduce((sum, value) => sum + value, 0) / tail.length;
  let slope = newSlope(columns.length);
  let other = newSlope(columns.length);
  let loss = slopeAt(columns, tail, coefficients, slope);
  if (!Number.isFinite(loss)) return null;
  for (let step = 0; step < MAXIMUM_STEPS; step++) {
    const direction = downhill(slope, start === null && step < FISHER_STEPS);
    if (direction === null) return null;
    // What a parabola promises: below the loss's own rounding there is nothing left to try.
    const promised = (0.5 * dot(slope.score, direction)) / tail.length;
    if (!(promised > GAIN)) break;
    let [trial, value] = [coefficients, Number.POSITIVE_INFINITY];
    for (let share = 1; share > SHORTEST && !(value <= loss); share *= 0.5) {
      trial = coefficients.map((entry, j) => entry + share * direction[j]);
      value = slopeAt(columns, tail, trial, other);
    }
    if (!(value <= loss)) break;
    const gain = loss - value;
    [coefficients, loss, slope, other] = [trial, value, other, slope];
    if (gain <= GAIN) break;
  }
  return { coefficients, e: combine(columns, coefficients), loss };
}

/** Of the sum of z/e + ln e: downhill, its curvature, and the curvature that is to be expected. */
interface Slope {
  readonly score: Float64Array;
  readonly curvature: Float64Array;
  readonly expected: Float64Array;
}

function newSlope(size: number): Slope {
  return {
    score: new Float64Array(size),
    curvature: new Float64Array(size * size),
    expected: new Float64Array(size * size),
  };
}

/**
 * The mean of z/e + ln e at a line, and its slope there: Σ x (z − e)/e², Σ x x' (2 z/e − 1)/e² and Fisher's Σ x x'/e². One pass over the
 * observations does all of it.
 *
 * @returns infinite where an e is not positive.
 */
function slopeAt(
  columns: readonly Float64Array[],
  tail: Float64Array,
  coefficients: Float64Array,
  slope: Slope,
): number {
  // A constant and one regressor is what backtests ask for: its sums fit into registers.
  if (columns.length === 2) return slopeOfLine(columns[1], tail, coefficients, slope);
  const { score, curvature, expected } = slope;
  const size = columns.length;
  score.fill(0);
  curvature.fill(0);
  expected.fill(0);
  let sum = 0;
  for (let t = 0; t < tail.length; t++) {
    let e = 0;
    for (let j = 0; j < size; j++) e += coefficients[j] * columns[j][t];
    if (!(e > 0)) return Number.POSITIVE_INFINITY;
    const inverse = 1 / e;
    const ratio = tail[t] * inverse;
    sum += ratio + Math.log(e);
    for (let j = 0; j < size; j++) {
      const x = columns[j][t] * inverse;
      score[j] += x * (ratio - 1);
      for (let k = 0; k <= j; k++) {
        const product = x * columns[k][t] * inverse;
        expected[j * size + k] += product;
        curvature[j * size + k] += product * (2 * ratio - 1);
      }
    }
  }
  return sum / tail.length;
}

/** The same of a constant, which is a column of ones, and one regressor. */
function slopeOfLine(
  x: Float64Array,
  tail: Float64Array,
  [constant, slope]: Float64Array,
  { score, curvature, expected }: Slope,
): number {
  let [sum, g0, g1, f00, f01, f11, h00, h01, h11] = [0, 0, 0, 0, 0, 0, 0, 0, 0];
  let product = 1;
  for (let t = 0; t < tail.length; t++) {
    const at = x[t];
    const e = constant + slope * at;
    if (!(e > 0)) return Number.POSITIVE_INFINITY;
    const inverse = 1 / e;
    const ratio = tail[t] * inverse;
    const pull = inverse * (ratio - 1);
    const weight = inverse * inverse;
    const bend = weight * (2 * ratio - 1);
    sum += ratio;
    // One logarithm for several factors, as long as their product is far from the ends of what a number can be.
    product *= e;
    if (product < LEAST_PRODUCT || product > MOST_PRODUCT) {
      sum += Math.log(product);
      product = 1;
    }
    g0 += pull;
    g1 += pull * at;
    f00 += weight;
    f01 += weight * at;
    f11 += weight * at * at;
    h00 += bend;
    h01 += bend * at;
    h11 += bend * at * at;
  }
  score.set([g0, g1]);
  expected.set([f00, 0, f01, f11]);
  curvature.set([h00, 0, h01, h11]);
  return (sum + Math.log(product)) / tail.length;
}

function dot(a: Float64Array, b: Float64Array): number {
  return a.reduce((sum, value, j) => sum + value * b[j], 0);
}

/** −H⁻¹ g, with Fisher's curvature where the other is not positive definite. */
function downhill({ score, curvature, expected }: Slope, isFisher: boolean): Float64Array | null {
  const size = score.length;
  const factor = (isFisher ? null : cholesky(curvature, size)) ?? cholesky(expected, size);
  return factor === null ? null : choleskySolve(factor, score);
}

/** Σ b x by observation. */
export function combine(columns: readonly Float64Array[], coefficients: Float64Array): Float64Array {
  const values = new Float64Array(columns[0].length);
  for (let j = 0; j < columns.length; j++) {
    const column = columns[j];
    for (let t = 0; t < values.length; t++) values[t] += coefficients[j] * column[t];
  }
  return values;
}
