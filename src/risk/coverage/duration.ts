import { chiSquareSurvival } from '../numeric/chi-square.ts';
import { requireConfidence, requireWhole } from '../numeric/inputs.ts';
import { minimise } from '../numeric/minimise.ts';
import { normalCumulative } from '../numeric/normal.ts';
import { rootOf } from '../numeric/scalar.ts';
import { type TestOutcome, type TestResult, type Unavailable, unavailable } from '../outcome.ts';

/** Whether exceedances keep the gaps that independence leaves between them. */
export interface DurationIndependence extends TestResult {
  readonly available: true;
  /** b of the Weibull hazard: below 1 exceedances cluster, above 1 they keep apart. */
  readonly shape: number;
  /** One-sided, against "they do not cluster": Φ of the signed root of the statistic, negative where b is below 1. */
  readonly pValueClustering: number;
  /** Gaps between two exceedances: one fewer than there are exceedances. */
  readonly gaps: number;
}

/** Below so many gaps their distribution says nothing. */
const LEAST_GAPS = 5;
const LEAST_SHAPE = 1e-3;
const MOST_SHAPE = 1e3;
/** Where a discrete shape counts as running off: then the gaps are alike. */
const RUNAWAY_SHAPE = 50;

/**
 * The duration test of independence (Christoffersen and Pelletier 2004): where an exceedance does not depend on when the last
 * one was, the time d between them has no memory. Against a Weibull hazard a^b b d^(b−1), with
 *
 *   f(d) = a^b b d^(b−1) exp(−(a d)^b), S(d) = exp(−(a d)^b),
 *
 * LR = 2 (max ln L(a, b) − max ln L(a, 1)) is chi-square with one degree of freedom. The time up to the first exceedance and the
 * time after the last are cut short by the sample and enter by S; there is none where the sample begins or ends with one. Given
 * b the best a is (m / Σ d^b)^(1/b) with m the gaps that are whole, and the likelihood of b then has one peak.
 *
 * The likelihood is that of VaRDurTest of R's rugarch, which looks for b in [0.001, 10] only, from 2.
 *
 * Time is continuous here, exceedances come in whole steps: where they are frequent, honest forecasts look too regular (b
 * above 1). At 95 % a tenth of honest series of 1,000 is rejected at 5 %, and a quarter of those of 5,000; at 99 % the size is
 * right. discreteDurationIndependence has none of that.
 *
 * @param hits by time, 1 where the loss exceeded VaR.
 * @returns unavailable for fewer than six exceedances, and where the gaps are so alike that no finite shape is the best.
 */
export function durationIndependence(hits: Uint8Array): DurationIndependence | Unavailable {
  const { whole, first, last } = gapsOf(hits);
  const gaps = whole.length;
  if (gaps < LEAST_GAPS) return tooFew(gaps);
  const all = [...whole, ...(first > 0 ? [first] : []), ...(last > 0 ? [last] : [])];
  // In units of the longest one, of which the likelihood ratio knows nothing: no power overflows.
  const longest = all.reduce((most, duration) => Math.max(most, duration), 0);
  const logs = Float64Array.from(all, (duration) => Math.log(duration / longest));
  let sumOfLogs = 0;
  for (let i = 0; i < gaps; i++) sumOfLogs += logs[i];
  const slope = (shape: number): number => {
    let [sum, weighted] = [0, 0];
    for (const log of logs) {
      const power = Math.exp(shape * log);
      sum += power;
      weighted += power * log;
    }
    return gaps / shape + sumOfLogs - (gaps * weighted) / sum;
  };
  const logLikelihood = (shape: number): number => {
    let sum = 0;
    for (const log of logs) sum += Math.exp(shape * log);
    return gaps * Math.log((gaps * shape) / sum) - gaps + (shape - 1) * sumOfLogs;
  };
  if (slope(MOST_SHAPE) > 0) return alike();
  const shape = rootOf(slope, LEAST_SHAPE, MOST_SHAPE);
  return judged(2 * (logLikelihood(shape) - logLikelihood(1)), shape, gaps);
}

/**
 * The same test in whole steps (Haas 2005): S(d) = exp(−(a d)^b) at whole d, f(d) = S(d − 1) − S(d), which at b = 1 is the
 * geometric distribution that independent exceedances have exactly. A first gap of d that is cut short enters by S(d − 1), a
 * last one by S(d). Its size is right at every confidence: 5 % to 6 % from 25 exceedances on, 7 % to 9 % with ten.
 *
 * @param hits by time, 1 where the loss exceeded VaR.
 * @returns unavailable for fewer than six exceedances, and where the gaps are so alike that no finite shape is the best.
 */
export function discreteDurationIndependence(hits: Uint8Array): DurationIndependence | Unavailable {
  const { whole, first, last } = gapsOf(hits);
  const gaps = whole.length;
  if (gaps < LEAST_GAPS) return tooFew(gaps);
  const survived = [...(first > 1 ? [first - 1] : []), ...(last > 0 ? [last] : [])];
  let steps = 0;
  for (const duration of whole) steps += duration;
  for (const duration of survived) steps += duration;
  if (steps === gaps) return unavailable('every observation but for the ends is an exceedance');
  // At b = 1: each step is an exceedance with probability gaps / steps.
  const logScale = Math.log(-Math.log1p(-gaps / steps));
  const memoryless = gaps * Math.log(gaps / steps) + (steps - gaps) * Math.log1p(-gaps / steps);
  const found = minimise(
    ([scale, shape], gradient) => -discreteLikelihood(whole, survived, scale, shape, gradient) / gaps,
    Float64Array.of(logScale, 0),
  );
  const shape = Math.exp(found.at[1]);
  if (!(shape < RUNAWAY_SHAPE)) return alike();
  return judged(2 * (-found.value * gaps - memoryless), shape, gaps);
}

/**
 * ln L of whole gaps and of steps survived, θ = a^b = e^scale, b = e^shape: a gap of d gives −θ (d − 1)^b + ln(1 − e^(−θ c)) with
 * c = d^b − (d − 1)^b, and d steps survived −θ d^b. The gradient of −ln L per gap goes into `gradient`.
 */
function discreteLikelihood(
  whole: Float64Array,
  survived: readonly number[],
  scale: number,
  shape: number,
  gradient: Float64Array,
): number {
  const theta = Math.exp(scale);
  const b = Math.exp(shape);
  let [value, byTheta, byB] = [0, 0, 0];
  const survive = (steps: number): void => {
    const power = steps ** b;
    value -= theta * power;
    byTheta -= power;
    byB -= theta * power * Math.log(steps);
  };
  for (const duration of survived) survive(duration);
  for (const duration of whole) {
    const power = duration ** b;
    let rise = power;
    let riseByB = power * Math.log(duration);
    if (duration > 1) {
      survive(duration - 1);
      const before = (duration - 1) ** b;
      rise -= before;
      riseByB -= before * Math.log(duration - 1);
    }
    const inner = theta * rise;
    value += Math.log(-Math.expm1(-inner));
    const factor = 1 / Math.expm1(inner);
    byTheta += rise * factor;
    byB += theta * riseByB * factor;
  }
  gradient[0] = (-byTheta * theta) / whole.length;
  gradient[1] = (-byB * b) / whole.length;
  return value;
}

/**
 * The moment test of coverage and independence by durations (Candelon, Colletaz, Hurlin and Tokpavi 2011): under honest
 * forecasts the times between exceedances are geometric with α = 1 − confidence, and polynomials orthonormal to that have mean 0,
 *
 *   M_{j+1}(d) = ((1 − α)(2j + 1) + α (j − d + 1)) / ((j + 1) √(1 − α)) M_j(d) − j/(j + 1) M_{j−1}(d), M_{−1} = 0, M_0 = 1,
 *
 * and J = Σ_{j ≤ order} (Σ_i M_j(d_i) / √N)² is chi-square with `order` degrees of freedom. Order 1 sees the rate alone. The
 * first time counts from the start of the sample; the one after the last exceedance is left out. With few it rejects too seldom.
 *
 * @param hits by time, 1 where the loss exceeded VaR. @param order how many moments; the authors use 2 to 5.
 * @returns unavailable for fewer than six exceedances.
 * @throws PlimsollError INPUT_INVALID for a bad confidence or order.
 */
export function durationMoments(hits: Uint8Array, confidence: number, order = 3): TestOutcome {
  requireConfidence(confidence);
  requireWhole('the order', order, 1);
  const { whole, first } = gapsOf(hits);
  if (whole.length < LEAST_GAPS) return tooFew(whole.length);
  const alpha = 1 - confidence;
  const sums = new Float64Array(order + 1);
  // An exceedance at the very start ends a time of one step, which is not cut short.
  for (const duration of [...whole, Math.max(first, 1)]) {
    let [before, now] = [0, 1];
    for (let j = 0; j < order; j++) {
      const slope =
        (confidence * (2 * j + 1) + alpha * (j - duration + 1)) / ((j + 1) * Math.sqrt(confidence));
      [before, now] = [now, slope * now - (j / (j + 1)) * before];
      sums[j + 1] += now;
    }
  }
  let statistic = 0;
  for (let j = 1; j <= order; j++) statistic += sums[j] ** 2 / (whole.length + 1);
  return { available: true, statistic, pValue: chiSquareSurvival(statistic, order) };
}

/** Times between exceedances; those before the first one and after the last, 0 where the sample begins or ends with one. */
interface Gaps {
  readonly whole: Float64Array;
  readonly first: number;
  readonly last: number;
}

function gapsOf(hits: Uint8Array): Gaps {
  const whole: number[] = [];
  let first = 0;
  let newest = -1;
  for (let t = 0; t < hits.length; t++) {
    if (hits[t] === 0) continue;
    if (newest >= 0) whole.push(t - newest);
    else if (t > 0) first = t + 1;
    newest = t;
  }
  return { whole: Float64Array.from(whole), first, last: newest < 0 ? 0 : hits.length - 1 - newest };
}

function judged(ratio: number, shape: number, gaps: number): DurationIndependence {
  const statistic = Math.max(ratio, 0);
  const root = shape < 1 ? -Math.sqrt(statistic) : Math.sqrt(statistic);
  const pValueClustering = normalCumulative(root);
  return {
    available: true,
    statistic,
    pValue: chiSquareSurvival(statistic, 1),
    shape,
    pValueClustering,
    gaps,
  };
}

function tooFew(gaps: number): Unavailable {
  return unavailable(`${gaps} gaps between exceedances are too few; ${LEAST_GAPS} are needed`);
}

function alike(): Unavailable {
  return unavailable('the gaps between exceedances are too much alike: no finite shape is the best');
}
