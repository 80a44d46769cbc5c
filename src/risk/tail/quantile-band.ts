import { Random } from '../../random.ts';
import { addScaled, dot, entriesOf } from '../numeric/columns.ts';
import { leastSquares } from '../numeric/least-squares.ts';
import { symmetricInverse } from '../numeric/linear.ts';
import { quantile, selectInPlace } from '../numeric/quantile.ts';
import { descend, type Vertex } from './quantile-descent.ts';

/** Of more rows than this a sample is fitted first. */
const SAMPLED_FROM = 4000;
const LEAST_SAMPLE = 1500;
/** Rows of a sample beyond the quantile, for each column. */
const SAMPLED_TAIL = 25;
/** Standard errors of the start on either side of it that make the band. */
const BAND_WIDTH = 4;
const LEAST_BAND = 100;
/** Of more rows than this, some that are spread evenly tell how wide the band is. */
const RANKED = 4000;
/** Rows from which a basis is chosen, for each column: the more there are, the further apart they lie. */
const BASIS_CHOICE = 20;
/** Turns in one place after which rows on one plane are moved apart, by these shares of the mean residual or outcome. */
const PATIENCE = 10;
const APART = 1e-7;
const APART_OF_OUTCOME = 1e-11;
/** A mean residual below this share of the mean outcome is rounding. */
const ON_THE_PLANE = 1e-13;
/** A row whose part that the ones before do not explain is below this share of its length is dependent on them. */
const DEPENDENT = 1e-10;
const SEED = 1;

/** Rows of a quantile regression, and room to work in: it is used again by every fit of the same rows. */
export interface PlaneProblem {
  /** Regressors, whose largest entries are of about the same size. */
  readonly columns: readonly Float64Array[];
  readonly y: Float64Array;
  readonly probability: number;
  /** By row, one over the standard error of a plane there, up to a common factor. */
  readonly sharpness: Float64Array;
  readonly residuals: Float64Array;
  /** By row outside the band, its weight times p above the plane and p − 1 below; 0 inside. */
  readonly pulls: Float64Array;
}

/** A plane to begin from: the quantile lies about `level` above it, as a sample of so many rows tells (0: none did). */
interface Begin {
  readonly plane: Float64Array;
  readonly level: number;
  readonly sample: number;
}

/** What fits of the same rows have in common, whatever their weights. @param columns kept, as y is: not to be changed afterwards. */
export function planeProblem(
  columns: readonly Float64Array[],
  y: Float64Array,
  probability: number,
): PlaneProblem {
  const n = y.length;
  return {
    columns,
    y,
    probability,
    sharpness: sharpnessOf(columns, n),
    residuals: new Float64Array(n),
    pulls: new Float64Array(n),
  };
}

/**
 * The plane with the least Σ w ρ(y − x'b), and the rows that it passes through; no row where all lie on one plane.
 *
 * @param weights all positive; none: all are 1. @param start coefficients near the minimum, if they are known.
 * @returns null where the columns depend on each other.
 */
export function bestPlane(
  problem: PlaneProblem,
  weights?: Float64Array,
  start?: Float64Array,
): Vertex | null {
  const begin =
    start === undefined ? beginOf(problem, weights) : { plane: start, level: 0, sample: problem.y.length };
  return begin === null ? null : fitFrom(problem, weights, begin);
}

/** The best plane of the rows in a band around the first one, then of the band with all that have changed sides, and so on. */
function fitFrom(
  problem: PlaneProblem,
  weights: Float64Array | undefined,
  { plane, level, sample }: Begin,
): Vertex | null {
  const { columns, y, probability, residuals, pulls } = problem;
  const n = y.length;
  const size = columns.length;
  setResiduals(problem, plane, 0);
  const meanResidual = meanSize(residuals, weights);
  if (meanResidual <= ON_THE_PLANE * meanSize(y, weights))
    return { coefficients: plane, basis: new Int32Array(0), isStalled: false };
  if (level !== 0) setResiduals(problem, plane, level);
  const wanted = Math.ceil(2 * BAND_WIDTH * Math.sqrt((size * probability * (1 - probability)) / sample) * n);
  const width = Math.max(wanted, LEAST_BAND * size);
  leaveOut(problem, weights, width < n / 2 ? reachOf(problem, width) : Number.POSITIVE_INFINITY);
  let band = rowsInside(pulls);
  let basis = basisAmong(problem, nearestOf(problem, band, BASIS_CHOICE * size), weights);
  basis ??= basisAmong(problem, band, weights);
  if (basis === null) {
    // The rows of the band depend on each other: all take part.
    pulls.fill(0);
    band = rowsInside(pulls);
    basis = basisAmong(problem, band, weights);
  }
  if (basis === null) return null;
  let outcome = y;
  for (;;) {
    const pull = Float64Array.from(columns, (column) => dot(pulls, column));
    const inside = { x: packed(columns, band, weights), y: weighed(outcome, band, weights), size, pull };
    const places = basis.map((row) => band.indexOf(row));
    const vertex = descend(inside, probability, places, outcome === y ? PATIENCE : Number.POSITIVE_INFINITY);
    if (vertex === null) {
      if (band.length === n) return null;
      pulls.fill(0);
      band = rowsInside(pulls);
      continue;
    }
    basis = vertex.basis.map((place) => band[place]);
    if (vertex.isStalled && outcome === y) outcome = movedApart(problem, weights, meanResidual);
    else if (band.length === n || !takeIn(problem, vertex.coefficients)) {
      const exact = outcome === y ? null : planeThrough(problem, basis);
      return { ...vertex, coefficients: exact ?? vertex.coefficients, basis };
    } else band = rowsInside(pulls);
  }
}

/** The outcomes, each moved by chance and by very little, so that no more rows than coefficients lie on one plane. */
function movedApart(
  { y }: PlaneProblem,
  weights: Float64Array | undefined,
  meanResidual: number,
): Float64Array {
  const random = new Random(SEED);
  const meanWeight = weights === undefined ? 1 : meanSize(weights, undefined);
  const reach = Math.max(APART * meanResidual, APART_OF_OUTCOME * meanSize(y, weights)) / meanWeight;
  return y.map((value) => value + reach * (random.uniform() - 0.5));
}

/** Lets rows into the band that lie on the other side of the plane than before; says whether there were any. */
function takeIn(problem: PlaneProblem, plane: Float64Array): boolean {
  const { residuals, pulls } = problem;
  setResiduals(problem, plane, 0);
  let isAny = false;
  for (let i = 0; i < pulls.length; i++) {
    if (pulls[i] === 0 || residuals[i] >= 0 === pulls[i] > 0) continue;
    pulls[i] = 0;
    isAny = true;
  }
  return isAny;
}

/** Least squares, moved up to their quantile, of few rows; of many the quantile regression of a sample. */
function beginOf({ columns, y, probability }: PlaneProblem, weights: Float64Array | undefined): Begin | null {
  const n = y.length;
  const size = columns.length;
  const tail = (SAMPLED_TAIL * size) / Math.min(probability, 1 - probability);
  const sample = Math.ceil(Math.max(LEAST_SAMPLE, Math.sqrt(size) * n ** (2 / 3), tail));
  if (n > SAMPLED_FROM && sample < n / 2) {
    const random = new Random(SEED);
    const rows = new Int32Array(sample);
    for (let i = 0; i < sample; i++) rows[i] = Math.floor(((i + random.uniform()) * n) / sample);
    const few = planeProblem(
      columns.map((column) => entriesOf(column, rows)),
      entriesOf(y, rows),
      probability,
    );
    const fit = bestPlane(few, weights === undefined ? undefined : entriesOf(weights, rows));
    if (fit !== null) return { plane: fit.coefficients, level: 0, sample };
  }
  const fit = leastSquares(columns, y, weights);
  if (fit === null) return null;
  return { plane: fit.coefficients, level: quantile(fit.residuals, probability), sample: 0 };
}

/** One over the length of a row, measured by the inverse of the columns' products, or as it is where there is none. */
function sharpnessOf(columns: readonly Float64Array[], n: number): Float64Array {
  const size = columns.length;
  const gram = new Float64Array(size * size);
  for (let j = 0; j < size; j++)
    for (let k = 0; k <= j; k++) gram[j * size + k] = dot(columns[j], columns[k]) / n;
  const inverse = symmetricInverse(gram, size);
  const lengths = new Float64Array(n);
  for (let j = 0; j < size; j++) {
    for (let k = 0; k <= j; k++) {
      const own = inverse === null ? 1 : inverse[j * size + j];
      const share = j === k ? own : 2 * (inverse?.[j * size + k] ?? 0);
      if (share !== 0) addProducts(lengths, columns[j], columns[k], share);
    }
  }
  for (let i = 0; i < n; i++) lengths[i] = lengths[i] > 0 ? 1 / Math.sqrt(lengths[i]) : Number.MAX_VALUE;
  return lengths;
}

function addProducts(sums: Float64Array, a: Float64Array, b: Float64Array, share: number): void {
  for (let i = 0; i < sums.length; i++) sums[i] += share * a[i] * b[i];
}

/** How far rows lie from the plane, in standard errors of the plane there, of which about so many rows lie nearer. */
function reachOf({ residuals, sharpness }: PlaneProblem, count: number): number {
  const n = residuals.length;
  const step = Math.max(Math.floor(n / RANKED), 1);
  const distances = new Float64Array(Math.ceil(n / step));
  for (let i = 0, at = 0; at < n; i++, at += step) distances[i] = Math.abs(residuals[at]) * sharpness[at];
  return selectInPlace(distances, Math.ceil((count * distances.length) / n) - 1);
}

/** Fills in the pulls of the rows that lie further from the plane. */
function leaveOut(
  { residuals, sharpness, pulls, probability }: PlaneProblem,
  weights: Float64Array | undefined,
  reach: number,
): void {
  for (let i = 0; i < pulls.length; i++) {
    const psi = residuals[i] >= 0 ? probability : probability - 1;
    const isInside = Math.abs(residuals[i]) * sharpness[i] <= reach;
    pulls[i] = isInside ? 0 : weights === undefined ? psi : psi * weights[i];
  }
}

function rowsInside(pulls: Float64Array): Int32Array {
  let count = 0;
  for (let i = 0; i < pulls.length; i++) if (pulls[i] === 0) count++;
  const rows = new Int32Array(count);
  for (let i = 0, at = 0; i < pulls.length; i++) if (pulls[i] === 0) rows[at++] = i;
  return rows;
}

/** The rows that are among so many of the least distance, and those as near. */
function nearestOf({ residuals, sharpness }: PlaneProblem, rows: Int32Array, count: number): Int32Array {
  if (count >= rows.length) return rows;
  const distances = new Float64Array(rows.length);
  for (let i = 0; i < rows.length; i++) distances[i] = Math.abs(residuals[rows[i]]) * sharpness[rows[i]];
  const limit = selectInPlace(distances.slice(), count - 1);
  return rows.filter((_, i) => distances[i] <= limit);
}

/** Independent rows out of some, each as far as can be from the span of those before it; null where there are too few. */
function basisAmong(
  { columns }: PlaneProblem,
  allowed: Int32Array,
  weights: Float64Array | undefined,
): Int32Array | null {
  const size = columns.length;
  const left = packed(columns, allowed, weights);
  const basis = new Int32Array(size);
  let first = 0;
  for (let found = 0; found < size; found++) {
    let most = 0;
    let place = -1;
    for (let i = 0; i < allowed.length; i++) {
      let square = 0;
      for (let k = 0; k < size; k++) square += left[i * size + k] ** 2;
      if (square > most) [most, place] = [square, i];
    }
    if (found === 0) first = most;
    if (place < 0 || most <= DEPENDENT ** 2 * first) return null;
    basis[found] = allowed[place];
    const axis = left.slice(place * size, (place + 1) * size);
    for (let i = 0; i < allowed.length; i++) {
      let share = 0;
      for (let k = 0; k < size; k++) share += left[i * size + k] * axis[k];
      for (let k = 0; k < size; k++) left[i * size + k] -= (share / most) * axis[k];
    }
  }
  return basis;
}

/** The plane through the rows of a basis. */
function planeThrough({ columns, y }: PlaneProblem, basis: Int32Array): Float64Array | null {
  const some = columns.map((column) => entriesOf(column, basis));
  return leastSquares(some, entriesOf(y, basis))?.coefficients ?? null;
}

function setResiduals({ columns, y, residuals }: PlaneProblem, plane: Float64Array, level: number): void {
  const [first] = columns;
  const [own] = plane;
  for (let i = 0; i < y.length; i++) residuals[i] = y[i] - level - own * first[i];
  for (let k = 1; k < columns.length; k++) addScaled(residuals, columns[k], -plane[k]);
}

/** Entries times weights. */
function weighed(values: Float64Array, rows: Int32Array, weights: Float64Array | undefined): Float64Array {
  const taken = entriesOf(values, rows);
  if (weights !== undefined) for (let i = 0; i < rows.length; i++) taken[i] *= weights[rows[i]];
  return taken;
}

/** Some rows one after the other, weights multiplied in. */
function packed(
  columns: readonly Float64Array[],
  rows: Int32Array,
  weights: Float64Array | undefined,
): Float64Array {
  const size = columns.length;
  const taken = new Float64Array(rows.length * size);
  for (let k = 0; k < size; k++) {
    const column = columns[k];
    for (let i = 0; i < rows.length; i++)
      taken[i * size + k] = weights === undefined ? column[rows[i]] : weights[rows[i]] * column[rows[i]];
  }
  return taken;
}

function meanSize(values: Float64Array, weights: Float64Array | undefined): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++)
    sum += weights === undefined ? Math.abs(values[i]) : weights[i] * Math.abs(values[i]);
  return sum / values.length;
}
