import { chiSquareSurvival } from '../numeric/chi-square.ts';
import { requireConfidence, requireSameLength, requireSeries, requireWhole } from '../numeric/inputs.ts';
import { cholesky, choleskySolve } from '../numeric/linear.ts';
import { longRunCovariance } from '../numeric/long-run-variance.ts';
import { normalSurvival } from '../numeric/normal.ts';
import { type TestResult, type Unavailable, unavailable } from '../outcome.ts';
import type { JudgedForecasts } from './shortfall-tests.ts';

export interface ConditionalCalibrationOptions {
  /** Lags of Bartlett's weights in the covariance; 0, the default, takes the observations for uncorrelated. */
  readonly lags?: number;
}

/** Whether the moments that identify VaR and ES are zero. */
export interface ConditionalCalibration extends TestResult {
  readonly available: true;
  /** Standardised mean of 1{l > v} − α: positive where VaR was exceeded too often. */
  readonly valueAtRiskUnderstated: number;
  /** Standardised mean of v + (l − v)⁺/α − e: positive where ES is too small. */
  readonly shortfallUnderstated: number;
  /** One-sided, against "neither VaR nor ES is too small", of both by Hommel's rule (1983). */
  readonly pValueUnderstated: number;
  readonly lags: number;
}

/** Exceedances that the two means need at least. */
const LEAST_HITS = 5;

/**
 * The simple test of conditional calibration (Nolde and Ziegel 2017, section 2.2): the function that identifies VaR and ES,
 *
 *   V = (α − 1{l > v}, v − e + (l − v)⁺/α), losses l, VaR v and ES e positive, α = 1 − confidence,
 *
 * has mean 0 at every time if both are right; n V̄' Ω⁻¹ V̄ with Ω = (1/n) Σ V V', not centred, is chi-square with two degrees of
 * freedom. It is invariant to the signs and the unit of the losses, and so equal to the simple two-sided test of R's esback.
 *
 * The one-sided p-value asks whether risk is understated: VaR exceeded too often, or ES too small. The one of Nolde and Ziegel
 * and of esback turns the first of the two around (there a VaR exceeded too seldom speaks against the forecasts); their p-value
 * follows from the two standardised means.
 *
 * Of a heavy tail the few largest losses make up most of Ω: at 5 %, two-sided, 12 % to 15 % of honest series with 25 exceedances are
 * rejected, 6 % to 8 % with 60 or more; one-sided at most 3 %.
 *
 * @returns unavailable for fewer than five exceedances and where the two moments are not independent.
 * @throws PlimsollError INPUT_INVALID, DATA_INSUFFICIENT for series that are none and for bad options.
 */
export function conditionalCalibration(
  { loss, valueAtRisk, expectedShortfall, confidence }: JudgedForecasts,
  { lags = 0 }: ConditionalCalibrationOptions = {},
): ConditionalCalibration | Unavailable {
  requireConfidence(confidence);
  requireWhole('the number of lags', lags, 0);
  requireSameLength('losses, VaR and ES', loss.length, valueAtRisk.length, expectedShortfall.length);
  requireSeries('losses', loss, 1);
  requireSeries('VaR', valueAtRisk, 1);
  requireSeries('ES', expectedShortfall, 1);
  const alpha = 1 - confidence;
  const n = loss.length;
  const coverage = new Float64Array(n).fill(alpha);
  const shortfall = new Float64Array(n);
  let hits = 0;
  for (let t = 0; t < n; t++) {
    shortfall[t] = valueAtRisk[t] - expectedShortfall[t];
    if (loss[t] <= valueAtRisk[t]) continue;
    hits++;
    coverage[t] -= 1;
    shortfall[t] += (loss[t] - valueAtRisk[t]) / alpha;
  }
  if (hits < LEAST_HITS) return unavailable(`${hits} exceedances are too few; ${LEAST_HITS} are needed`);
  const covariance = longRunCovariance([coverage, shortfall], lags, false);
  const factor = cholesky(covariance, 2);
  if (factor === null) return unavailable('the moments of VaR and of ES depend on each other');
  const means = Float64Array.of(meanOf(coverage), meanOf(shortfall));
  const solved = choleskySolve(factor, means);
  const statistic = n * (means[0] * solved[0] + means[1] * solved[1]);
  const valueAtRiskUnderstated = (-means[0] * Math.sqrt(n)) / Math.sqrt(covariance[0]);
  const shortfallUnderstated = (means[1] * Math.sqrt(n)) / Math.sqrt(covariance[3]);
  const pValueUnderstated = hommel(
    normalSurvival(valueAtRiskUnderstated),
    normalSurvival(shortfallUnderstated),
  );
  const pValue = chiSquareSurvival(statistic, 2);
  return {
    available: true,
    statistic,
    pValue,
    valueAtRiskUnderstated,
    shortfallUnderstated,
    pValueUnderstated,
    lags,
  };
}

/** Of two dependent p-values: min(1, 2 (1 + ½) min(p₍₁₎, p₍₂₎/2)). */
function hommel(first: number, second: number): number {
  const [small, large] = first < second ? [first, second] : [second, first];
  return Math.min(3 * Math.min(small, large / 2), 1);
}

function meanOf(values: Float64Array): number {
  let sum = 0;
  for (let t = 0; t < values.length; t++) sum += values[t];
  return sum / values.length;
}
