import { combine } from '../numeric/columns.ts';
import { requireConfidence, requireSameLength, requireSeries } from '../numeric/inputs.ts';
import { bestPlane, type PlaneProblem, planeProblem } from './quantile-band.ts';
import type { Vertex } from './quantile-descent.ts';
import { shortfallLine } from './shortfall-line.ts';

/** A fitted line over a constant and regressors that are taken in standard deviations from their mean. */
export interface StandardLine {
  /** A column of ones, then the regressors in standard deviations. */
  readonly columns: readonly Float64Array[];
  /** Of those columns. */
  readonly standardised: Float64Array;
  /** Of each regressor. */
  readonly means: readonly number[];
  readonly deviations: readonly number[];
  /** Intercept and slopes in the units of the input. */
  readonly coefficients: Float64Array;
  readonly fitted: Float64Array;
}

/** VaR and ES, fitted together. `standardised` and `fitted` are of the losses less `shift`, `coefficients` of the losses. */
export interface JointRegression {
  readonly valueAtRisk: StandardLine;
  readonly shortfall: StandardLine;
  /** The least loss: what is fitted starts from 0. */
  readonly shift: number;
  /** The losses less `shift`. */
  readonly outcome: Float64Array;
  /** v + (l − v)⁺/α by observation: its mean is ES where v is VaR. */
  readonly tail: Float64Array;
  /** 1 where the loss lies above the fitted VaR; the observations that the line passes through are not above it. */
  readonly hits: Uint8Array;
  /** Mean of (v + (l − v)⁺/α)/e + ln e at the minimum. */
  readonly loss: number;
}

const MAXIMUM_ROUNDS = 50;
/** With this many losses to be expected beyond VaR there is one valley: a second search finds the same. */
const MANY_BEYOND = 200;
/** Smaller gains of a round, in any unit, are none: far below what the lines are known to. */
const ROUND_GAIN = 1e-10;
/** A regressor that moves by less than this share of its mean is constant. */
const CONSTANT = 1e-9;
/** A loss above VaR by less than this share of both lies on the line: losses in whole ticks do, many at once. */
const ON_THE_LINE = 1e-12;

/**
 * Joint linear regression of VaR and ES (Dimitriadis and Bayer 2019): the lines v and e with the least mean of
 *
 *   FZ0 = (v + (l − v)⁺/α)/e + ln e, losses l less the smallest of them, α = 1 − confidence,
 *
 * the loss of R's esreg with its defaults (G₁ = 0, 𝒢₂(z) = −ln(−z)) after the same shift, which keeps e positive. Given e, v is
 * a quantile regression with weights 1/e; given v, e minimises a smooth function. Each is solved to the end, in turns: where
 * neither can be bettered alone, no direction in both is downhill. The score of e does not react to small errors of v, so that
 * one or two rounds suffice. Of two searches the better one counts. (esreg searches by Nelder and Mead from perturbed starts,
 * and bars e below 0.01 in whatever unit the losses have.)
 *
 * @param forValueAtRisk regressors of VaR besides a constant; may be none. @param forShortfall those of ES.
 * @returns null where a regressor is constant or depends on others, and where losses do not vary.
 * @throws PlimsollError INPUT_INVALID, DATA_INSUFFICIENT for series that are none.
 */
export function fitJointRegression(
  forValueAtRisk: readonly Float64Array[],
  forShortfall: readonly Float64Array[],
  losses: Float64Array,
  confidence: number,
): JointRegression | null {
  requireConfidence(confidence);
  requireSeries('losses', losses, 2);
  const regressors = new Set([...forValueAtRisk, ...forShortfall]);
  for (const column of regressors) {
    requireSameLength('losses and regressors', losses.length, column.length);
    requireSeries('a regressor', column, 2);
  }
  const n = losses.length;
  const y = new Float64Array(n);
  const shift = leastOf(losses);
  let most = 0;
  for (let t = 0; t < n; t++) {
    y[t] = losses[t] - shift;
    if (y[t] > most) most = y[t];
  }
  const ones = new Float64Array(n).fill(1);
  const quantileSide = standardise(forValueAtRisk, ones);
  const isAlike =
    forShortfall.length === forValueAtRisk.length &&
    forShortfall.every((column, j) => column === forValueAtRisk[j]);
  const shortfallSide = isAlike ? quantileSide : standardise(forShortfall, ones);
  if (quantileSide === null || shortfallSide === null || most === 0) return null;
  const problem = planeProblem(quantileSide.columns, y, confidence);
  const work = { v: new Float64Array(n), tail: new Float64Array(n), e: new Float64Array(n) };
  const search: Search = { problem, shortfallColumns: shortfallSide.columns, work };
  const first = bestFrom(search, null);
  if (first === null) return null;
  // There may be more than one valley: another search starts from the VaR that too heavy weights lead to.
  const isOneValley = isFlat(search) || (1 - confidence) * n >= MANY_BEYOND;
  const second = isOneValley ? null : bestFrom(search, { ...first, power: 2 });
  const best = second !== null && second.loss < first.loss - ROUND_GAIN ? second : first;
  const { vertex, coefficients, loss } = best;
  const { v, tail, e } = work;
  setTail(search, vertex);
  combine(shortfallSide.columns, coefficients, e);
  const hits = new Uint8Array(n);
  for (let t = 0; t < n; t++) hits[t] = y[t] - v[t] > ON_THE_LINE * (y[t] + Math.abs(v[t])) ? 1 : 0;
  for (const row of vertex.basis) hits[row] = 0;
  const valueAtRisk = lineOf(quantileSide, vertex.coefficients, v, shift);
  const shortfall = lineOf(shortfallSide, coefficients, e, shift);
  return { valueAtRisk, shortfall, shift, outcome: y, tail, hits, loss };
}

/** What all rounds have in common; `work` is what the last of them has left there. */
interface Search {
  readonly problem: PlaneProblem;
  readonly shortfallColumns: readonly Float64Array[];
  readonly work: { readonly v: Float64Array; readonly tail: Float64Array; readonly e: Float64Array };
}

interface Round {
  /** VaR. */
  readonly vertex: Vertex;
  /** Of ES. */
  readonly coefficients: Float64Array;
  readonly loss: number;
}

/** Lines to start from; VaR is to be weighted by 1/e to a power. */
type Start = Round & { readonly power: number };

/** Rounds until the loss no longer falls. */
function bestFrom(search: Search, start: Start | null): Round | null {
  let best = bestGiven(search, start);
  // A constant e weighs all observations alike: v is final.
  for (let round = 1; best !== null && !isFlat(search) && round < MAXIMUM_ROUNDS; round++) {
    const next = bestGiven(search, { ...best, power: 1 });
    if (next === null || !(next.loss < best.loss)) break;
    const gain = best.loss - next.loss;
    best = next;
    if (gain <= ROUND_GAIN) break;
  }
  return best;
}

/** The best v under the weights of the start, and the best e given that v. */
function bestGiven(search: Search, start: Start | null): Round | null {
  const { problem, shortfallColumns, work } = search;
  const vertex =
    start === null
      ? bestPlane(problem)
      : bestPlane(problem, weightsOf(search, start), start.vertex.coefficients);
  if (vertex === null) return null;
  // The same v has the same e.
  if (start !== null && isSame(vertex, start.vertex)) return start;
  setTail(search, vertex);
  const shortfall = shortfallLine(shortfallColumns, work.tail, start?.coefficients ?? null);
  return shortfall === null ? null : { vertex, ...shortfall };
}

/** e to a power, one over it. */
function weightsOf({ shortfallColumns, work: { e } }: Search, { coefficients, power }: Start): Float64Array {
  combine(shortfallColumns, coefficients, e);
  for (let t = 0; t < e.length; t++) e[t] = power === 1 ? 1 / e[t] : 1 / (e[t] * e[t]);
  return e;
}

/** Whether two planes pass through the same rows; where they do through none, all rows lie on the one plane that there is. */
function isSame({ basis }: Vertex, other: Vertex): boolean {
  return basis.length === other.basis.length && basis.every((row) => other.basis.includes(row));
}

/** VaR, and v + (l − v)⁺/α. */
function setTail({ problem: { columns, y, probability }, work: { v, tail } }: Search, vertex: Vertex): void {
  const share = 1 / (1 - probability);
  combine(columns, vertex.coefficients, v);
  for (let t = 0; t < y.length; t++) tail[t] = y[t] > v[t] ? v[t] + share * (y[t] - v[t]) : v[t];
}

function isFlat({ shortfallColumns }: Search): boolean {
  return shortfallColumns.length === 1;
}

function leastOf(values: Float64Array): number {
  let least = values[0];
  for (let t = 1; t < values.length; t++) if (values[t] < least) least = values[t];
  return least;
}

/** A constant and regressors in standard deviations from their means. */
interface Regressors {
  readonly columns: readonly Float64Array[];
  readonly means: readonly number[];
  readonly deviations: readonly number[];
}

/** Null where one is constant. */
function standardise(regressors: readonly Float64Array[], ones: Float64Array): Regressors | null {
  const n = ones.length;
  const columns = [ones];
  const means: number[] = [];
  const deviations: number[] = [];
  for (const regressor of regressors) {
    let sum = 0;
    for (let t = 0; t < n; t++) sum += regressor[t];
    const mean = sum / n;
    const column = new Float64Array(n);
    let squares = 0;
    for (let t = 0; t < n; t++) {
      column[t] = regressor[t] - mean;
      squares += column[t] * column[t];
    }
    const deviation = Math.sqrt(squares / n);
    if (!(deviation > CONSTANT * Math.abs(mean))) return null;
    for (let t = 0; t < n; t++) column[t] /= deviation;
    columns.push(column);
    means.push(mean);
    deviations.push(deviation);
  }
  return { columns, means, deviations };
}

function lineOf(
  { columns, means, deviations }: Regressors,
  standardised: Float64Array,
  fitted: Float64Array,
  shift: number,
): StandardLine {
  const coefficients = standardised.map((value, j) => (j === 0 ? value : value / deviations[j - 1]));
  coefficients[0] += shift;
  for (let j = 1; j < columns.length; j++) coefficients[0] -= coefficients[j] * means[j - 1];
  return { columns, standardised, means, deviations, coefficients, fitted };
}
