import { chiSquareSurvival } from '../numeric/chi-square.ts';
import { combine, dot, weightedDot } from '../numeric/columns.ts';
import { requireConfidence, requireSameLength, requireSeries, requireWhole } from '../numeric/inputs.ts';
import { cholesky, choleskySolve, multiply, symmetricInverse } from '../numeric/linear.ts';
import { longRunCovariance } from '../numeric/long-run-variance.ts';
import { normalSurvival } from '../numeric/normal.ts';
import { type TestResult, type Unavailable, unavailable } from '../outcome.ts';
import { fitJointRegression, type JointRegression } from '../tail/joint-regression.ts';
import type { JudgedForecasts } from './shortfall-tests.ts';

export interface ShortfallRegressionOptions {
  /** What VaR is regressed on: the forecasts of ES (strict, the default) or those of VaR (auxiliary). */
  readonly version?: 'strict' | 'auxiliary';
  /** Asks for the covariance from the moments, with Bartlett's weights over so many lags (0 for none), in place of the scale model. */
  readonly lags?: number;
}

/** Where an ES regressed on its forecast lies. */
export interface ShortfallRegression extends TestResult {
  readonly available: true;
  /** In the unit of the losses; 0 if the forecasts are right. */
  readonly intercept: number;
  /** 1 if the forecasts are right. */
  readonly slope: number;
  readonly interceptError: number;
  readonly slopeError: number;
  readonly covariance: 'scale' | 'moments';
}

/** By how much ES exceeds its forecasts. */
export interface ShortfallIntercept extends TestResult {
  readonly available: true;
  /** ES of the losses less their forecast ES, in the unit of the losses: positive where risk is understated. */
  readonly intercept: number;
  readonly standardError: number;
  /** One-sided, against "ES is not too small"; `pValue` is two-sided. */
  readonly pValueUnderstated: number;
  readonly covariance: 'scale' | 'moments';
}

/** Losses beyond VaR that are to be expected at least. */
const LEAST_BEYOND = 20;
/** The least scale, as a share of the mean one. */
const LEAST_SCALE = 0.05;

/**
 * The expected shortfall regression backtest (Bayer and Dimitriadis 2022), strict and auxiliary: if the forecasts of ES are right, the
 * line ES = b₀ + b₁ · forecast, fitted jointly with one for VaR (see fitJointRegression), has b = (0, 1). The statistic is
 * Wald's, (b − (0, 1))' C⁻¹ (b − (0, 1)), chi-square with two degrees of freedom: versions 1 and 2 of esr_backtest of R's esback.
 *
 * C = Λ⁻¹ Σ Λ⁻¹ / n of the ES parameters alone: the score of ES does not react to small errors of VaR (it is orthogonal to them where VaR's
 * line is right), so that no density is needed. As a rule Λ = mean x x'/e² and Σ = mean x x' var(z)/e⁴ with
 *
 *   var(z) = κ σ²/α + (1 − α)/α (e − v)²,
 *
 * σ a line through the absolute residuals on VaR's regressors (least squares), κ the variance of (l − v)/σ beyond VaR: a
 * location and scale family. esback's default ('scl_sp', 'nid', misspec) has the same model, with σ by normal likelihood, κ by a
 * kernel density, and terms for a VaR line that is wrong, by VaR's density; those vanish when the forecasts are right.
 *
 * With `lags` Σ is the (long-run) mean of the squared scores and Λ their mean derivative: right for any variance and for dependence,
 * but a heavy tail's few largest losses decide it. Of honest forecasts (GARCH, t with 5 degrees of freedom, 97.5 %, 1,000, 2,500 and
 * 5,000 observations) it rejects 26 %, 17 % and 13 % at 5 %; the scale model 10 %, 6 % and 7 %. With 25 losses beyond VaR
 * that is 10 % to 15 %, from 60 on 5 % to 8 %.
 *
 * @returns unavailable for fewer than 20 observations to be expected beyond VaR, and for forecasts that do not move.
 * @throws PlimsollError INPUT_INVALID, DATA_INSUFFICIENT for series that are none and for bad options.
 */
export function shortfallRegression(
  forecasts: JudgedForecasts,
  { version = 'strict', lags }: ShortfallRegressionOptions = {},
): ShortfallRegression | Unavailable {
  const refused = checked(forecasts, lags);
  if (refused !== null) return refused;
  const { loss, valueAtRisk, expectedShortfall, confidence } = forecasts;
  const regressor = version === 'strict' ? expectedShortfall : valueAtRisk;
  const fit = fitJointRegression([regressor], [expectedShortfall], loss, confidence);
  if (fit === null) return unavailable('the forecasts, or the losses, do not move enough for a regression');
  const covariance = covarianceOf(fit, 1 - confidence, lags);
  const factor = covariance === null ? null : cholesky(covariance, 2);
  if (covariance === null || factor === null)
    return unavailable('the covariance of the coefficients is singular');
  const { standardised, means, deviations, coefficients } = fit.shortfall;
  const [mean, deviation] = [means[0], deviations[0]];
  // In standard deviations the hypothesis is e = forecast − shift = (mean − shift) + deviation · x.
  const distance = Float64Array.of(standardised[0] + fit.shift - mean, standardised[1] - deviation);
  const solved = choleskySolve(factor, distance);
  const statistic = distance[0] * solved[0] + distance[1] * solved[1];
  const ratio = mean / deviation;
  const interceptVariance = covariance[0] - 2 * ratio * covariance[1] + ratio * ratio * covariance[3];
  return {
    available: true,
    statistic,
    pValue: chiSquareSurvival(statistic, 2),
    intercept: coefficients[0],
    slope: coefficients[1],
    interceptError: Math.sqrt(interceptVariance),
    slopeError: Math.sqrt(covariance[3]) / deviation,
    covariance: lags === undefined ? 'scale' : 'moments',
  };
}

/**
 * The strict intercept version (Bayer and Dimitriadis 2022; version 3 of esback): the ES of loss − forecast, fitted as a constant
 * jointly with a VaR that is linear in the forecast, is 0 if the forecasts are right and positive where they are too small. The statistic
 * is Student's t of that constant, compared with the normal distribution; covariance as in shortfallRegression.
 *
 * Against understated risk it is cautious: the t of a skewed tail seldom comes out large, and honest forecasts are rejected at
 * 5 % in 2 % to 3 % of series.
 *
 * @returns unavailable as shortfallRegression.
 * @throws PlimsollError INPUT_INVALID, DATA_INSUFFICIENT for series that are none and for bad options.
 */
export function shortfallIntercept(
  forecasts: JudgedForecasts,
  { lags }: Pick<ShortfallRegressionOptions, 'lags'> = {},
): ShortfallIntercept | Unavailable {
  const refused = checked(forecasts, lags);
  if (refused !== null) return refused;
  const { loss, expectedShortfall, confidence } = forecasts;
  const excess = new Float64Array(loss.length);
  for (let t = 0; t < excess.length; t++) excess[t] = loss[t] - expectedShortfall[t];
  const fit = fitJointRegression([expectedShortfall], [], excess, confidence);
  if (fit === null) return unavailable('the forecasts, or the losses, do not move enough for a regression');
  const covariance = covarianceOf(fit, 1 - confidence, lags);
  if (covariance === null || !(covariance[0] > 0)) return unavailable('the ES of the errors has no variance');
  const intercept = fit.shortfall.coefficients[0];
  const standardError = Math.sqrt(covariance[0]);
  const statistic = intercept / standardError;
  return {
    available: true,
    statistic,
    pValue: 2 * normalSurvival(Math.abs(statistic)),
    intercept,
    standardError,
    pValueUnderstated: normalSurvival(statistic),
    covariance: lags === undefined ? 'scale' : 'moments',
  };
}

function checked(forecasts: JudgedForecasts, lags: number | undefined): Unavailable | null {
  const { loss, valueAtRisk, expectedShortfall, confidence } = forecasts;
  requireConfidence(confidence);
  if (lags !== undefined) requireWhole('the number of lags', lags, 0);
  requireSameLength('losses, VaR and ES', loss.length, valueAtRisk.length, expectedShortfall.length);
  requireSeries('losses', loss, 1);
  requireSeries('VaR', valueAtRisk, 1);
  requireSeries('ES', expectedShortfall, 1);
  const beyond = loss.length * (1 - confidence);
  // The tolerance is for a confidence that is no binary fraction.
  if (beyond >= LEAST_BEYOND - 1e-9) return null;
  const needed = Math.ceil(LEAST_BEYOND / (1 - confidence) - 1e-9);
  return unavailable(`${loss.length} observations are too few at this confidence; ${needed} are needed`);
}

/** Covariance of the standardised ES coefficients; null where there is none. */
function covarianceOf(fit: JointRegression, alpha: number, lags: number | undefined): Float64Array | null {
  const { columns, fitted: e } = fit.shortfall;
  const size = columns.length;
  const n = e.length;
  // By observation, what x x' is multiplied by in Λ and, of the scale model, in Σ.
  const curvature = new Float64Array(n);
  let filling: Float64Array;
  if (lags === undefined) {
    const variance = tailVariance(fit, alpha);
    if (variance === null) return null;
    for (let t = 0; t < n; t++) {
      curvature[t] = 1 / (e[t] * e[t]);
      variance[t] = variance[t] * curvature[t] * curvature[t];
    }
    filling = meanProducts(columns, variance);
  } else {
    for (let t = 0; t < n; t++) curvature[t] = ((2 * fit.tail[t]) / e[t] - 1) / (e[t] * e[t]);
    const scores = columns.map((column) => column.map((x, t) => (x * (e[t] - fit.tail[t])) / (e[t] * e[t])));
    filling = longRunCovariance(scores, lags, false);
  }
  const inverse = symmetricInverse(meanProducts(columns, curvature), size);
  if (inverse === null) return null;
  return multiply(multiply(inverse, filling, size), inverse, size).map((entry) => entry / n);
}

/** The weighted mean of x x'. */
function meanProducts(columns: readonly Float64Array[], weights: Float64Array): Float64Array {
  const size = columns.length;
  const products = new Float64Array(size * size);
  for (let j = 0; j < size; j++) {
    for (let k = 0; k <= j; k++) {
      const mean = weightedDot(columns[j], columns[k], weights) / weights.length;
      products[j * size + k] = mean;
      products[k * size + j] = mean;
    }
  }
  return products;
}

/** Variance of v + (l − v)⁺/α by observation under a location and scale family; null for too few losses beyond VaR. */
function tailVariance(fit: JointRegression, alpha: number): Float64Array | null {
  const v = fit.valueAtRisk.fitted;
  const e = fit.shortfall.fitted;
  const scale = scaleOf(fit);
  let [count, mean, squares] = [0, 0, 0];
  for (let t = 0; t < v.length; t++) {
    if (fit.hits[t] === 0) continue;
    // The excess over VaR is α (z − v).
    const excess = (alpha * (fit.tail[t] - v[t])) / scale[t];
    count++;
    const before = excess - mean;
    mean += before / count;
    squares += before * (excess - mean);
  }
  if (count < 2) return null;
  const ofScale = squares / (count - 1) / alpha;
  const ofGap = (1 - alpha) / alpha;
  const variance = scale;
  for (let t = 0; t < v.length; t++) {
    const gap = e[t] - v[t];
    variance[t] = ofScale * scale[t] * scale[t] + ofGap * gap * gap;
  }
  return variance;
}

/** The line through the absolute residuals of the losses about theirs, on VaR's regressor. */
function scaleOf({ outcome, valueAtRisk: { columns } }: JointRegression): Float64Array {
  const values = new Float64Array(outcome.length);
  combine(columns, projection(columns, outcome), values);
  for (let t = 0; t < values.length; t++) values[t] = Math.abs(outcome[t] - values[t]);
  combine(columns, projection(columns, values), values);
  let sum = 0;
  for (let t = 0; t < values.length; t++) sum += values[t];
  const least = (LEAST_SCALE * sum) / values.length;
  for (let t = 0; t < values.length; t++) if (values[t] < least) values[t] = least;
  return values;
}

/** Coefficients of least squares on a constant and one standardised regressor, which are orthonormal. */
function projection(columns: readonly Float64Array[], values: Float64Array): Float64Array {
  return Float64Array.from(columns, (column) => dot(column, values) / values.length);
}
