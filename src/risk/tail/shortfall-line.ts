import { dot } from '../numeric/columns.ts';
import { cholesky, choleskySolve } from '../numeric/linear.ts';

const MAXIMUM_STEPS = 100;
/** Smaller gains end the search. The loss is a mean of ratios near 1 and a logarithm: this is its rounding in any unit. */
const GAIN = 1e-14;
/** Steps that do not trust the curvature of a start far away. */
const FISHER_STEPS = 2;
const SHORTEST = 1e-12;
/** Of so many observations groups are looked at first; so many groups at most, from the least to the largest regressor. */
const GROUPED_FROM = 4000;
const GROUPS = 512;
/** A product of an e and what lies between these is a number: no e is beyond 1e±100 that the sums of 1/e² would not have lost. */
const LEAST_PRODUCT = 1e-100;
const MOST_PRODUCT = 1e100;

/** A line e, and the mean of z/e + ln e there, to its own rounding. */
interface Line {
  readonly coefficients: Float64Array;
  readonly loss: number;
}

/**
 * The line e with the least mean of z/e + ln e, by Newton's steps, halved until the mean falls. Without a start, the first ones are
 * Fisher's, which from a constant lead to the line of least squares; of many observations on one regressor they look at groups of
 * them, and all observations at the end.
 *
 * @param columns the first one of ones. @param start coefficients near the minimum, if they are known.
 * @returns null where the start is not positive at every observation, and where the columns depend on each other.
 */
export function shortfallLine(
  columns: readonly Float64Array[],
  tail: Float64Array,
  start: Float64Array | null,
): Line | null {
  const observations = { columns, tail, counts: null, total: tail.length };
  if (columns.length === 1) return constantLine(tail);
  if (start !== null) return descend(observations, start, 0);
  if (columns.length === 2 && tail.length >= GROUPED_FROM) {
    const groups = groupsOf(columns[1], tail);
    const near = descend(groups, meanLine(groups), FISHER_STEPS);
    const line = near === null ? null : descend(observations, near.coefficients, 0);
    if (line !== null) return line;
  }
  return descend(observations, meanLine(observations), FISHER_STEPS);
}

/** Observations, or groups of them with how many each stands for. */
interface Observations {
  readonly columns: readonly Float64Array[];
  readonly tail: Float64Array;
  /** Null for 1 each. */
  readonly counts: Float64Array | null;
  readonly total: number;
}

/** Observations of about the same regressor, by their means: a line through these is near the one through all. */
function groupsOf(x: Float64Array, tail: Float64Array): Observations {
  let [low, high] = [x[0], x[0]];
  for (let t = 1; t < x.length; t++) {
    if (x[t] < low) low = x[t];
    else if (x[t] > high) high = x[t];
  }
  const ofAll = {
    x: new Float64Array(GROUPS),
    tail: new Float64Array(GROUPS),
    counts: new Float64Array(GROUPS),
  };
  const share = GROUPS / (high - low);
  for (let t = 0; t < x.length; t++) {
    const group = Math.min(Math.floor((x[t] - low) * share), GROUPS - 1);
    ofAll.x[group] += x[t];
    ofAll.tail[group] += tail[t];
    ofAll.counts[group]++;
  }
  const isFilled = (_: number, group: number): boolean => ofAll.counts[group] > 0;
  const counts = ofAll.counts.filter(isFilled);
  const meansOf = (sums: Float64Array): Float64Array =>
    sums.filter(isFilled).map((sum, group) => sum / counts[group]);
  const columns = [new Float64Array(counts.length).fill(1), meansOf(ofAll.x)];
  return { columns, tail: meansOf(ofAll.tail), counts, total: x.length };
}

/** Of all constants the mean of z is the best. Null where it is not positive. */
function constantLine(tail: Float64Array): Line | null {
  const mean = meanOf(tail, null, tail.length);
  return mean > 0 ? { coefficients: Float64Array.of(mean), loss: 1 + Math.log(mean) } : null;
}

/** The best constant, as a line without a slope. */
function meanLine({ columns, tail, counts, total }: Observations): Float64Array {
  const coefficients = new Float64Array(columns.length);
  coefficients[0] = meanOf(tail, counts, total);
  return coefficients;
}

function meanOf(values: Float64Array, counts: Float64Array | null, total: number): number {
  let sum = 0;
  for (let t = 0; t < values.length; t++) sum += counts === null ? values[t] : counts[t] * values[t];
  return sum / total;
}

/** Newton's steps from a start, so many of Fisher's before them; null as shortfallLine. */
function descend(observations: Observations, start: Float64Array, fisherSteps: number): Line | null {
  let coefficients = start;
  let slope = newSlope(start.length);
  let other = newSlope(start.length);
  let loss = slopeAt(observations, coefficients, slope);
  if (!Number.isFinite(loss)) return null;
  for (let step = 0; step < MAXIMUM_STEPS; step++) {
    const direction = downhill(slope, step < fisherSteps);
    if (direction === null) return null;
    // What a parabola promises: below the loss's own rounding there is nothing left to see, and the step is the last.
    const promised = (0.5 * dot(slope.score, direction)) / observations.total;
    if (!(promised > GAIN)) {
      // Nor does an e change its sign where the squares of all relative changes sum to less than 1.
      const isSafe = squaredChange(slope, direction) < 1;
      return { coefficients: isSafe ? moved(coefficients, direction, 1) : coefficients, loss };
    }
    let [trial, value] = [coefficients, Number.POSITIVE_INFINITY];
    for (let share = 1; share > SHORTEST && !(value <= loss); share *= 0.5) {
      trial = moved(coefficients, direction, share);
      value = slopeAt(observations, trial, other);
    }
    if (!(value <= loss)) break;
    const gain = loss - value;
    [coefficients, loss, slope, other] = [trial, value, other, slope];
    if (gain <= GAIN) break;
  }
  return { coefficients, loss };
}

function moved(from: Float64Array, direction: Float64Array, share: number): Float64Array {
  return from.map((value, j) => value + share * direction[j]);
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
function slopeAt(observations: Observations, coefficients: Float64Array, slope: Slope): number {
  const { columns, tail, counts, total } = observations;
  // A constant and one regressor is what backtests ask for: its sums fit into registers.
  if (columns.length === 2 && counts === null) return slopeOfLine(columns[1], tail, coefficients, slope);
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
    const count = counts === null ? 1 : counts[t];
    const inverse = 1 / e;
    const ratio = tail[t] * inverse;
    sum += count * (ratio + Math.log(e));
    for (let j = 0; j < size; j++) {
      const x = count * columns[j][t] * inverse;
      score[j] += x * (ratio - 1);
      for (let k = 0; k <= j; k++) {
        const product = x * columns[k][t] * inverse;
        expected[j * size + k] += product;
        curvature[j * size + k] += product * (2 * ratio - 1);
      }
    }
  }
  return sum / total;
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

/** Σ (change of e / e)² of a step. */
function squaredChange({ expected }: Slope, step: Float64Array): number {
  const size = step.length;
  let sum = 0;
  for (let j = 0; j < size; j++)
    for (let k = 0; k <= j; k++) sum += (j === k ? 1 : 2) * expected[j * size + k] * step[j] * step[k];
  return sum;
}

/** −H⁻¹ g, with Fisher's curvature where the other is not positive definite. */
function downhill({ score, curvature, expected }: Slope, isFisher: boolean): Float64Array | null {
  const size = score.length;
  const factor = (isFisher ? null : cholesky(curvature, size)) ?? cholesky(expected, size);
  return factor === null ? null : choleskySolve(factor, score);
}
