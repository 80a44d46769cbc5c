import { refusal, requireSameLength, requireSeries, requireWhole } from '../numeric/inputs.ts';
import { leastSquares, robustCovariance } from '../numeric/least-squares.ts';
import { automaticLags } from '../numeric/long-run-variance.ts';
import { type Unavailable, unavailable } from '../outcome.ts';

/** Realised measures by period (a day, as a rule), oldest first and equally long. */
export interface RealisedSeries {
  /** RV, positive. */
  readonly variance: Float64Array;
  /** Semi-variance of the falls, for `semiVariance`; at least 0 and at most RV. */
  readonly downside?: Float64Array;
  /** Log return of the period, for `leverage`. */
  readonly returns?: Float64Array;
}

export interface HarSpecification {
  /** Periods over which RV is averaged: 1, 7 and 30 days in a market that never closes. */
  readonly averages: readonly number[];
  /** Whether logarithms are regressed: the forecast is then κ exp(fit). */
  readonly isLogarithmic: boolean;
  /** Splits the last period's RV into that of the falls and that of the rises (Patton and Sheppard 2015). */
  readonly semiVariance: boolean;
  /** Adds the last period's return where it is negative (Corsi and Renò 2012). */
  readonly leverage: boolean;
  /** Periods ahead over which the forecast variance is averaged. */
  readonly horizon: number;
}

const STANDARD: HarSpecification = {
  averages: [1, 7, 30],
  isLogarithmic: true,
  semiVariance: false,
  leverage: false,
  horizon: 1,
};

export interface HarFit {
  readonly available: true;
  readonly specification: HarSpecification;
  /** By name: constant, average1, average7, …, downside, upside, leverage. */
  readonly coefficients: Readonly<Record<string, number>>;
  /** Robust to heteroskedasticity and to the overlap of horizons (Newey and West 1987). */
  readonly standardErrors: Readonly<Record<string, number>>;
  readonly rSquared: number;
  /** κ = mean of RV/exp(fit), the scale that QLIKE asks for; 1 where levels are regressed. */
  readonly scale: number;
  readonly rows: number;
  /** Mean variance per period over the next `horizon` periods, positive. */
  readonly forecast: number;
  /** Whether a regression on levels fell below the smallest variance ever seen, which then stands for it. */
  readonly wasRaised: boolean;
}

/** ln of a semi-variance of 0 is none: what is added, as a share of the mean RV, before logarithms are taken. */
const SEMI_VARIANCE_FLOOR = 1e-4;
const LEAST_ROWS_PER_REGRESSOR = 5;

/**
 * The heterogeneous autoregression of realised variance (Corsi 2009): the mean RV of the next periods on its means over the last day,
 * week and month; by least squares, in logarithms or in levels.
 *
 * @throws PlimsollError INPUT_INVALID for an RV that is not positive or a specification that asks for a series that was not given;
 * DATA_INSUFFICIENT for too few periods.
 */
export function fitHar(
  series: RealisedSeries,
  specification: Partial<HarSpecification> = {},
): HarFit | Unavailable {
  const whole = { ...STANDARD, ...specification };
  requireUsable(series, whole);
  const { horizon, isLogarithmic } = whole;
  const n = series.variance.length;
  const regressors = regressorsOf(series, whole);
  const first = Math.max(...whole.averages) - 1;
  const rows = n - horizon - first;
  const names = Object.keys(regressors);
  if (rows < LEAST_ROWS_PER_REGRESSOR * names.length)
    return unavailable(`${Math.max(rows, 0)} rows are too few for ${names.length} coefficients`);
  const columns = names.map((name) => regressors[name].slice(first, first + rows));
  const level = Float64Array.from({ length: rows }, (_, i) =>
    meanOf(series.variance, first + i + 1, horizon),
  );
  const fit = leastSquares(columns, isLogarithmic ? level.map(Math.log) : level);
  if (fit === null)
    return unavailable('the regressors depend on each other: the series does not move enough');
  const covariance = robustCovariance(fit, columns, Math.max(automaticLags(rows), horizon - 1));
  const scale = isLogarithmic ? meanExponential(fit.residuals) : 1;
  const linear = names.reduce((sum, name, j) => sum + fit.coefficients[j] * regressors[name][n - 1], 0);
  const least = series.variance.reduce((low, value) => Math.min(low, value));
  const raw = isLogarithmic ? scale * Math.exp(linear) : linear;
  const named = (value: (j: number) => number): Readonly<Record<string, number>> =>
    Object.fromEntries(names.map((name, j) => [name, value(j)]));
  return {
    available: true,
    specification: whole,
    coefficients: named((j) => fit.coefficients[j]),
    standardErrors: named((j) => Math.sqrt(covariance[j * names.length + j])),
    rSquared: fit.rSquared,
    scale,
    rows,
    forecast: Math.max(raw, least),
    wasRaised: raw < least,
  };
}

/** Each regressor as known at the end of each period; entries before the longest average are not whole and are not used. */
function regressorsOf(
  { variance, downside, returns }: RealisedSeries,
  { averages, isLogarithmic, semiVariance, leverage }: HarSpecification,
): Record<string, Float64Array> {
  const n = variance.length;
  const transform = isLogarithmic ? Math.log : (value: number): number => value;
  const regressors: Record<string, Float64Array> = { constant: new Float64Array(n).fill(1) };
  for (const periods of averages) {
    if (periods === 1 && semiVariance) continue;
    regressors[`average${periods}`] = variance.map((_, t) =>
      transform(meanOf(variance, Math.max(t - periods + 1, 0), Math.min(periods, t + 1))),
    );
  }
  if (semiVariance && downside !== undefined) {
    const floor = isLogarithmic ? SEMI_VARIANCE_FLOOR * meanOf(variance, 0, n) : 0;
    regressors.downside = downside.map((value) => transform(value + floor));
    regressors.upside = variance.map((value, t) => transform(Math.max(value - downside[t], 0) + floor));
  }
  if (leverage && returns !== undefined) regressors.leverage = returns.map((value) => Math.min(value, 0));
  return regressors;
}

function requireUsable(series: RealisedSeries, specification: HarSpecification): void {
  const { variance, downside, returns } = series;
  requireWhole('the horizon', specification.horizon, 1);
  for (const periods of specification.averages) requireWhole('an average', periods, 1);
  if (specification.averages.length === 0)
    throw refusal('no average is given', 'Give for example 1, 7 and 30.');
  requireSeries('realised variances', variance, 2);
  if (variance.some((value) => value <= 0))
    throw refusal('a realised variance is not positive', 'Leave out periods in which nothing traded.');
  if (specification.semiVariance) {
    if (downside === undefined)
      throw refusal('there is no downside semi-variance', 'Give it, or do without.');
    requireSameLength('variances and semi-variances', variance.length, downside.length);
    requireSeries('semi-variances', downside, 2);
    if (downside.some((value, t) => value < 0 || value > variance[t] * (1 + 1e-9)))
      throw refusal('a semi-variance is below 0 or above its variance', 'Give both of the same returns.');
  }
  if (specification.leverage) {
    if (returns === undefined) throw refusal('there are no returns', 'Give them, or do without leverage.');
    requireSameLength('variances and returns', variance.length, returns.length);
    requireSeries('returns', returns, 2);
  }
}

function meanExponential(values: Float64Array): number {
  return values.reduce((sum, value) => sum + Math.exp(value), 0) / values.length;
}

function meanOf(values: Float64Array, from: number, count: number): number {
  let sum = 0;
  for (let i = from; i < from + count; i++) sum += values[i];
  return sum / count;
}
