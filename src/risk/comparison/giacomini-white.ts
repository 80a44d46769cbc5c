import { chiSquareSurvival } from '../numeric/chi-square.ts';
import { requireWhole } from '../numeric/inputs.ts';
import { cholesky, choleskySolve } from '../numeric/linear.ts';
import { longRunCovariance } from '../numeric/long-run-variance.ts';
import { type TestResult, type Unavailable, unavailable } from '../outcome.ts';
import { exceedsRounding, lossDifference } from './diebold-mariano.ts';

export interface GiacominiWhiteOptions {
  /** Steps τ that the forecasts look ahead. */
  readonly horizonSteps?: number;
  /** Lags of Bartlett's weights; τ − 1 where none are given. */
  readonly lags?: number;
}

export interface GiacominiWhite extends TestResult {
  readonly available: true;
  readonly degreesOfFreedom: number;
  /** Mean of the first's losses less the second's over the rows used: negative where the first is better. */
  readonly meanDifference: number;
  /** Observations less the horizon: the first have no difference known before them. */
  readonly rows: number;
}

/** A constant and the difference that was known when the forecast was made. */
const INSTRUMENTS = 2;
const LEAST_ROWS = 20;

/**
 * Whether it can be told beforehand which of two forecasts will be the better one (Giacomini and White 2006, theorems 1
 * and 3). With d the difference of the losses and h_t = (1, d_t), Z_t = h_t d_{t+τ} has mean 0 under the hypothesis, and
 *
 *   n Z̄' Ω⁻¹ Z̄ ~ χ²(2), Ω = (1/n) Σ Z Z' with Bartlett's weighted autocovariances (Newey and West 1987), not centred.
 *
 * @param first losses (lower is better) by time of the first forecast. @param second of the second, equally long.
 * @returns unavailable for too few observations and for differences that do not vary.
 * @throws PlimsollError INPUT_INVALID, DATA_INSUFFICIENT for series that are none.
 */
export function giacominiWhite(
  first: Float64Array,
  second: Float64Array,
  { horizonSteps = 1, lags = horizonSteps - 1 }: GiacominiWhiteOptions = {},
): GiacominiWhite | Unavailable {
  requireWhole('the horizon in steps', horizonSteps, 1);
  requireWhole('the number of lags', lags, 0);
  const difference = lossDifference(first, second);
  const rows = difference.length - horizonSteps;
  const needed = Math.max(LEAST_ROWS, 2 * horizonSteps, lags + 2);
  if (rows < needed)
    return unavailable(`${difference.length} observations are too few; ${needed + horizonSteps} are needed`);
  const now = difference.subarray(horizonSteps);
  const product = now.map((value, t) => value * difference[t]);
  const means = Float64Array.of(0, 0);
  for (let t = 0; t < rows; t++) {
    means[0] += now[t] / rows;
    means[1] += product[t] / rows;
  }
  if (!exceedsRounding(longRunCovariance([now], 0)[0], first, second))
    return unavailable('the losses differ by a constant only');
  const factor = cholesky(longRunCovariance([now, product], lags, false), INSTRUMENTS);
  if (factor === null) return unavailable('the differences do not vary enough: their covariance is singular');
  const solved = choleskySolve(factor, means);
  const statistic = rows * (means[0] * solved[0] + means[1] * solved[1]);
  return {
    available: true,
    statistic,
    pValue: chiSquareSurvival(statistic, INSTRUMENTS),
    degreesOfFreedom: INSTRUMENTS,
    meanDifference: means[0],
    rows,
  };
}
