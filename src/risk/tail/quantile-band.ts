import { Random } from '../../random.ts';
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

/** Rows of positive weight, packed row by row, weights multiplied in; columns in units of their largest entry. */
export interface Problem {
  readonly x: Float64Array;
  readonly y: Float64Array;
  readonly weights: Float64Array;
  readonly size: number;
  readonly probability: number;
  readonly units: Float64Array;
  /** Where the rows stand in the input. */
  readonly rows: Int32Array;
}

/** A plane to begin from: the quantile lies about `level` above it, as a sample of so many rows tells (0: none did). */
export interface Begin {
  readonly plane: Float64Array;
  readonly level: number;
  readonly sample: number;
}

/** The best plane of the rows in a band around the first one, then of the band with all that have changed sides, and so on. */
export function fitFrom(problem: Problem, { plane, level, sample }: Begin): Vertex | null {
  const { x, y, size, probability, weights } = problem;
  const n = y.length;
  const residuals = residualsOf(problem, plane);
  const meanResidual = meanSize(residuals);
  if (meanResidual <= ON_THE_PLANE * meanSize(y))
    return { coefficients: plane, basis: new Int32Array(0), isStalled: false };
  for (let i = 0; i < n; i++) residuals[i] -= level * weights[i];
  const distances = distancesOf(problem, residuals);
  const wanted = Math.ceil(2 * BAND_WIDTH * Math.sqrt((size * probability * (1 - probability)) / sample) * n);
  const width = Math.max(wanted, LEAST_BAND * size);
  const isInside = nearest(distances, width < n / 2 ? width : n);
  let basis = basisOf(problem, nearest(distances, BASIS_CHOICE * size)) ?? basisOf(problem, isInside.fill(1));
  if (basis === null) return null;
  let outcome = y;
  for (;;) {
    const band = rowsWhere(isInside);
    const pull = new Float64Array(size);
    for (let i = 0; i < n; i++) {
      if (isInside[i] === 1) continue;
      const psi = residuals[i] >= 0 ? probability : probability - 1;
      for (let k = 0; k < size; k++) pull[k] += psi * x[i * size + k];
    }
    const places = basis.map((row) => band.indexOf(row));
    const inside = { x: takeRows(x, band, size), y: takeRows(outcome, band, 1), size, pull };
    const vertex = descend(inside, probability, places, outcome === y ? PATIENCE : Number.POSITIVE_INFINITY);
    if (vertex === null) {
      if (band.length === n) return null;
      isInside.fill(1);
      continue;
    }
    basis = vertex.basis.map((place) => band[place]);
    if (vertex.isStalled && outcome === y) outcome = movedApart(problem, meanResidual);
    else if (!takeIn(problem, vertex.coefficients, residuals, isInside)) {
      const exact = outcome === y ? null : planeThrough(problem, basis);
      return { ...vertex, coefficients: exact ?? vertex.coefficients, basis };
    }
  }
}

/** The outcomes, each moved by chance and by very little, so that no more rows than coefficients lie on one plane. */
function movedApart({ y, weights }: Problem, meanResidual: number): Float64Array {
  const random = new Random(SEED);
  const reach = Math.max(APART * meanResidual, APART_OF_OUTCOME * meanSize(y)) / meanSize(weights);
  return y.map((value, i) => value + reach * weights[i] * (random.uniform() - 0.5));
}

/** Lets rows into the band that lie on the other side of the plane than before; says whether there were any. */
function takeIn(problem: Problem, plane: Float64Array, before: Float64Array, isInside: Uint8Array): boolean {
  const now = residualsOf(problem, plane);
  let isAny = false;
  for (let i = 0; i < now.length; i++) {
    if (isInside[i] === 1 || now[i] >= 0 === before[i] >= 0) continue;
    isInside[i] = 1;
    isAny = true;
  }
  return isAny;
}

/** Least squares, moved up to their quantile, of few rows; of many the quantile regression of a sample. */
export function beginOf(problem: Problem): Begin | null {
  const { x, y, size, probability, weights } = problem;
  const n = y.length;
  const tail = (SAMPLED_TAIL * size) / Math.min(probability, 1 - probability);
  const sample = Math.ceil(Math.max(LEAST_SAMPLE, Math.sqrt(size) * n ** (2 / 3), tail));
  if (n > SAMPLED_FROM && sample < n / 2) {
    const random = new Random(SEED);
    const rows = Int32Array.from({ length: sample }, (_, i) =>
      Math.floor(((i + random.uniform()) * n) / sample),
    );
    const few = {
      ...problem,
      x: takeRows(x, rows, size),
      y: takeRows(y, rows, 1),
      weights: takeRows(weights, rows, 1),
      rows,
    };
    const begin = beginOf(few);
    const fit = begin === null ? null : fitFrom(few, begin);
    if (fit !== null) return { plane: fit.coefficients, level: 0, sample };
  }
  const columns = Array.from({ length: size }, (_, k) => y.map((_, i) => x[i * size + k]));
  const fit = leastSquares(columns, y);
  if (fit === null) return null;
  const level = quantile(
    fit.residuals.map((value, i) => value / weights[i]),
    probability,
  );
  return { plane: fit.coefficients, level, sample: 0 };
}

/** How far rows lie from the plane, in standard errors of the plane there up to a common factor. */
function distancesOf({ x, size }: Problem, residuals: Float64Array): Float64Array {
  const gram = new Float64Array(size * size);
  for (let at = 0; at < x.length; at += size)
    for (let j = 0; j < size; j++) for (let k = 0; k <= j; k++) gram[j * size + k] += x[at + j] * x[at + k];
  const inverse = symmetricInverse(gram, size);
  const distances = new Float64Array(residuals.length);
  for (let i = 0; i < residuals.length; i++) {
    const at = i * size;
    let square = 0;
    for (let j = 0; j < size; j++) {
      const own = x[at + j];
      if (inverse === null) square += own * own;
      else for (let k = 0; k < size; k++) square += own * x[at + k] * inverse[j * size + k];
    }
    distances[i] = square > 0 ? Math.abs(residuals[i]) / Math.sqrt(square) : Number.MAX_VALUE;
  }
  return distances;
}

/** 1 for the rows that are among so many of the least distance, and for those as near. */
function nearest(distances: Float64Array, count: number): Uint8Array {
  const isNear = new Uint8Array(distances.length);
  if (count >= distances.length) return isNear.fill(1);
  const limit = selectInPlace(distances.slice(), count - 1);
  for (let i = 0; i < distances.length; i++) if (distances[i] <= limit) isNear[i] = 1;
  return isNear;
}

/** Independent rows out of some, each as far as can be from the span of those before it; null where there are too few. */
function basisOf({ x, size }: Problem, isAllowed: Uint8Array): Int32Array | null {
  const allowed = rowsWhere(isAllowed);
  const left = takeRows(x, allowed, size);
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
function planeThrough({ x, y, size }: Problem, basis: Int32Array): Float64Array | null {
  const columns = Array.from({ length: size }, (_, k) =>
    Float64Array.from(basis, (row) => x[row * size + k]),
  );
  return leastSquares(columns, takeRows(y, basis, 1))?.coefficients ?? null;
}

function residualsOf({ x, y, size }: Problem, plane: Float64Array): Float64Array {
  const residuals = y.slice();
  for (let i = 0, at = 0; i < residuals.length; i++, at += size)
    for (let k = 0; k < size; k++) residuals[i] -= plane[k] * x[at + k];
  return residuals;
}

export function rowsWhere(isTaken: Uint8Array): Int32Array {
  let count = 0;
  for (let i = 0; i < isTaken.length; i++) count += isTaken[i];
  const rows = new Int32Array(count);
  for (let i = 0, at = 0; i < isTaken.length; i++) if (isTaken[i] === 1) rows[at++] = i;
  return rows;
}

/** Some rows of a packed matrix. */
export function takeRows(packed: Float64Array, rows: Int32Array, size: number): Float64Array {
  const taken = new Float64Array(rows.length * size);
  for (let i = 0; i < rows.length; i++)
    for (let k = 0; k < size; k++) taken[i * size + k] = packed[rows[i] * size + k];
  return taken;
}

function meanSize(values: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += Math.abs(values[i]);
  return sum / values.length;
}
