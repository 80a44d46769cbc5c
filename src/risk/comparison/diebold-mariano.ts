import { requireSameLength, requireSeries, requireWhole } from '../numeric/inputs.ts';
import { longRunVariance, truncatedLongRunVariance } from '../numeric/long-run-variance.ts';
import { studentSurvival } from '../numeric/student-t.ts';
import { type TestResult, type Unavailable, unavailable } from '../outcome.ts';

export interface DieboldMarianoOptions {
  /** Steps h that the forecasts look ahead; outcomes of forecasts made less than h steps apart overlap. */
  readonly horizonSteps?: number;
  /** Asks for Bartlett's weights over so many lags in place of equal weights over h − 1. */
  readonly bartlettLags?: number;
}

export interface DieboldMariano extends TestResult {
  readonly available: true;
  /** Mean of the first's losses less the second's: negative where the first is better. */
  readonly meanDifference: number;
  /** One-sided, against "the first is no better": small where the first is better. */
  readonly pValueFirstBetter: number;
  /** One-sided, against "the second is no better": small where the second is better. */
  readonly pValueSecondBetter: number;
  /** How the autocovariances were weighted: Bartlett's weights also stand in for equal ones that gave no positive variance. */
  readonly weights: 'rectangular' | 'bartlett';
  readonly lags: number;
  readonly degreesOfFreedom: number;
}

const LEAST = 10;
/** A sum of autocovariances below this share of the variance is 0 up to rounding, or negative. */
const POSITIVE = 1e-12;

/**
 * Whether two forecasts are equally good (Diebold and Mariano 1995), with the small-sample factor and the Student
 * distribution of Harvey, Leybourne and Newbold (1997). With d the difference of the losses by time,
 *
 *   t = d̄ / √(Ω/n) · √((n + 1 − 2h + h(h − 1)/n) / n) ~ t(n − 1), Ω = γ₀ + 2 Σ_{k<h} γ_k.
 *
 * Ω has equal weights as in the original; where that is not positive, Bartlett's over the same lags (Newey and West 1987).
 *
 * @param first losses (scores, lower is better) of the first forecast, by time. @param second of the second, equally long.
 * @returns `pValue` is two-sided; unavailable for too few observations and for losses that differ by a constant.
 * @throws PlimsollError INPUT_INVALID, DATA_INSUFFICIENT for series that are none.
 */
export function dieboldMariano(
  first: Float64Array,
  second: Float64Array,
  { horizonSteps = 1, bartlettLags }: DieboldMarianoOptions = {},
): DieboldMariano | Unavailable {
  requireWhole('the horizon in steps', horizonSteps, 1);
  if (bartlettLags !== undefined) requireWhole('the number of lags', bartlettLags, 0);
  const difference = lossDifference(first, second);
  const n = difference.length;
  const lags = bartlettLags ?? horizonSteps - 1;
  const needed = Math.max(LEAST, 2 * horizonSteps, lags + 2);
  if (n < needed) return unavailable(`${n} observations are too few; ${needed} are needed`);
  const meanDifference = meanOf(difference);
  const variance = longRunVariance(difference, 0);
  if (!exceedsRounding(variance, first, second)) return unavailable('the losses differ by a constant only');
  const rectangular = bartlettLags === undefined ? truncatedLongRunVariance(difference, lags) : 0;
  const isRectangular = rectangular > POSITIVE * variance;
  const longRun = isRectangular ? rectangular : longRunVariance(difference, lags);
  if (!(longRun > POSITIVE * variance))
    return unavailable('the mean difference has no variance in the long run');
  const h = horizonSteps;
  const factor = Math.sqrt((n + 1 - 2 * h + (h * (h - 1)) / n) / n);
  const statistic = (meanDifference / Math.sqrt(longRun / n)) * factor;
  return {
    available: true,
    statistic,
    pValue: 2 * studentSurvival(Math.abs(statistic), n - 1),
    meanDifference,
    pValueFirstBetter: studentSurvival(-statistic, n - 1),
    pValueSecondBetter: studentSurvival(statistic, n - 1),
    weights: isRectangular ? 'rectangular' : 'bartlett',
    lags,
    degreesOfFreedom: n - 1,
  };
}

/** The first's losses less the second's, both checked. */
export function lossDifference(first: Float64Array, second: Float64Array): Float64Array {
  requireSameLength('the losses of the two forecasts', first.length, second.length);
  requireSeries('losses of the first forecast', first, 1);
  requireSeries('losses of the second forecast', second, 1);
  return first.map((loss, t) => loss - second[t]);
}

/** Whether a variance of the difference is more than what rounding of the losses themselves leaves. */
export function exceedsRounding(variance: number, first: Float64Array, second: Float64Array): boolean {
  let largest = 0;
  for (let t = 0; t < first.length; t++) largest = Math.max(largest, Math.abs(first[t]), Math.abs(second[t]));
  return variance > (4 * Number.EPSILON * largest) ** 2;
}

function meanOf(values: Float64Array): number {
  let sum = 0;
  for (let t = 0; t < values.length; t++) sum += values[t];
  return sum / values.length;
}
