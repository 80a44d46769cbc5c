import { requireConfidence, requireSameLength, requireSeries } from '../numeric/inputs.ts';
import { fitQuantileRegression, type QuantileRegression } from './quantile-regression.ts';
import { combine, shortfallLine } from './shortfall-line.ts';

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
  const regressors = [...forValueAtRisk, ...forShortfall];
  requireSameLength('losses and regressors', losses.length, ...regressors.map((column) => column.length));
  for (const column of regressors) requireSeries('a regressor', column, 2);
  let shift = losses[0];
  for (let t = 1; t < losses.length; t++) if (losses[t] < shift) shift = losses[t];
  const y = losses.map((loss) => loss - shift);
  const quantileSide = standardise(forValueAtRisk, y.length);
  const shortfallSide = standardise(forShortfall, y.length);
  if (quantileSide === null || shortfallSide === null || y.every((value) => value === 0)) return null;
  const sides = { quantileSide, shortfallSide, y, confidence };
  const first = bestFrom(sides, null);
  if (first === null) return null;
  // There may be more than one valley: another search starts from the VaR that too heavy weights lead to.
  const heavier = { ...first, e: first.e.map((value) => value * value) };
  const isOneValley = isFlat(shortfallSide) || (1 - confidence) * y.length >= MANY_BEYOND;
  const second = isOneValley ? null : bestFrom(sides, heavier);
  const best = second !== null && second.loss < first.loss - ROUND_GAIN ? second : first;
  const { quantile, v, tail, loss } = best;
  const hits = new Uint8Array(y.length);
  for (let t = 0; t < y.length; t++) hits[t] = y[t] > v[t] ? 1 : 0;
  for (const row of quantile.rows) hits[row] = 0;
  const valueAtRisk = lineOf(quantileSide, quantile.coefficients, v, shift);
  const shortfall = lineOf(shortfallSide, best.coefficients, best.e, shift);
  return { valueAtRisk, shortfall, shift, outcome: y, tail, hits, loss };
}

type Start = Pick<Round, 'quantile' | 'coefficients' | 'e'>;

interface Round {
  readonly quantile: QuantileRegression;
  readonly v: Float64Array;
  readonly tail: Float64Array;
  readonly coefficients: Float64Array;
  readonly e: Float64Array;
  readonly loss: number;
}

interface Sides {
  readonly quantileSide: Regressors;
  readonly shortfallSide: Regressors;
  readonly y: Float64Array;
  readonly confidence: number;
}

/** Rounds until the loss no longer falls. */
function bestFrom(sides: Sides, start: Start | null): Round | null {
  let best = bestGiven(sides, start);
  // A constant e weighs all observations alike: v is final.
  for (let round = 1; best !== null && !isFlat(sides.shortfallSide) && round < MAXIMUM_ROUNDS; round++) {
    const next = bestGiven(sides, best);
    if (next === null || !(next.loss < best.loss)) break;
    const gain = best.loss - next.loss;
    best = next;
    if (gain <= ROUND_GAIN) break;
  }
  return best;
}

/** The best v under the weights 1/e, and the best e given that v. */
function bestGiven({ quantileSide, shortfallSide, y, confidence }: Sides, start: Start | null): Round | null {
  const weights = start?.e.map((value) => 1 / value);
  const known = start?.quantile.coefficients;
  const quantile = fitQuantileRegression(quantileSide.columns, y, confidence, weights, known);
  if (quantile === null) return null;
  const v = combine(quantileSide.columns, quantile.coefficients);
  const alpha = 1 - confidence;
  const tail = new Float64Array(y.length);
  for (let t = 0; t < y.length; t++) tail[t] = v[t] + (y[t] > v[t] ? (y[t] - v[t]) / alpha : 0);
  const shortfall = shortfallLine(shortfallSide.columns, tail, start?.coefficients ?? null);
  return shortfall === null ? null : { quantile, v, tail, ...shortfall };
}

function isFlat({ columns }: Regressors): boolean {
  return columns.length === 1;
}

/** A constant and regressors in standard deviations from their means. */
interface Regressors {
  readonly columns: readonly Float64Array[];
  readonly means: readonly number[];
  readonly deviations: readonly number[];
}

/** Null where one is constant. */
function standardise(regressors: readonly Float64Array[], n: number): Regressors | null {
  const columns = [new Float64Array(n).fill(1)];
  const means: number[] = [];
  const deviations: number[] = [];
  for (const regressor of regressors) {
    let mean = 0;
    for (let t = 0; t < n; t++) mean += regressor[t] / n;
    let square = 0;
    for (let t = 0; t < n; t++) square += (regressor[t] - mean) ** 2 / n;
    const deviation = Math.sqrt(square);
    if (!(deviation > CONSTANT * Math.abs(mean))) return null;
    columns.push(regressor.map((value) => (value - mean) / deviation));
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
