import { VARIANCE_FLOOR } from '../../src/features/spec.ts';
import { HORIZONS_HOURS } from '../../src/forecast/predictor.ts';
import { ewmaVariance, HOURLY_EWMA_DECAY } from '../../src/risk/volatility/ewma.ts';
import { fitGarch, LEAST_RETURNS } from '../../src/risk/volatility/garch/fit.ts';
import { garchVariance } from '../../src/risk/volatility/garch/forecast.ts';
import { type GarchModel, type GarchParameters, persistence } from '../../src/risk/volatility/garch/model.ts';
import { LeastSquares } from '../ols.ts';
import { type FieldMarket, LEAST_BARS, type Stretch, trailingMeans } from './market.ts';
import type { Scales } from './scaled.ts';

/** Volatility scales of a stretch by horizon, or null where a method has none there. */
export type ScaleMethod = (market: FieldMarket, stretch: Stretch) => readonly Scales[] | null;

/** No scale: historical simulation. */
export const unitScales: ScaleMethod = (_, { from, end }) =>
  HORIZONS_HOURS.map(() => new Float64Array(end - from).fill(1));

/** RiskMetrics by hour, the daily decay of 0.94 spread over 24 of them. */
export const ewmaScales: ScaleMethod = ({ returns }, { from, end }) => {
  const variance = ewmaVariance(returns, HOURLY_EWMA_DECAY);
  return HORIZONS_HOURS.map((hours) =>
    variance.slice(from, end).map((value) => Math.sqrt(hours * Math.max(value, VARIANCE_FLOOR))),
  );
};

/** Returns that a GARCH model is fitted to, at most. */
const GARCH_RETURNS = 4000;

/**
 * GARCH(1,1) or GJR-GARCH with Student's t on hourly returns, fitted before the fold and run through it; the variance over a horizon is the sum of
 * the expected variances of its hours.
 */
export function garchScales(model: GarchModel): ScaleMethod {
  // Parameters of the stretch before are near those of the next.
  let before: { readonly of: FieldMarket; readonly parameters: GarchParameters } | null = null;
  return (market, { from, fitEnd, end }) => {
    const { returns } = market;
    const sample = returns.slice(Math.max(fitEnd - GARCH_RETURNS, 1), fitEnd);
    if (sample.length < Math.max(LEAST_BARS, LEAST_RETURNS)) return null;
    const fit = fitGarch(sample, { model }, before?.of === market ? before.parameters : undefined);
    if (!fit.available) return null;
    before = { of: market, parameters: fit.parameters };
    const variance = new Float64Array(end - from + 1);
    // What starts the recursion looks at all returns that it is given: none of the fold may be among them.
    variance.set(garchVariance(returns.slice(from, fitEnd), fit.specification, fit.parameters));
    const { mu, omega, alpha, gamma, beta } = fit.parameters;
    for (let i = fitEnd; i < end; i++) {
      const shock = returns[i] - mu;
      const reaction = alpha + (shock < 0 ? gamma : 0);
      variance[i + 1 - from] = omega + reaction * shock * shock + beta * variance[i - from];
    }
    const decay = persistence(model, fit.parameters);
    return HORIZONS_HOURS.map((hours) => {
      // Σ over k < h of σ²₁₊ₖ = s² h + (σ²₁ − s²)(1 − pʰ)/(1 − p); written so that p = 1 is no special case of the limit.
      let [slope, constant, power] = [0, 0, 1];
      for (let k = 0, sum = 0; k < hours; k++) {
        slope += power;
        constant += sum;
        sum += fit.parameters.omega * power;
        power *= decay;
      }
      return Float64Array.from({ length: end - from }, (_, i) =>
        Math.sqrt(Math.max(constant + slope * variance[i + 1], VARIANCE_FLOOR)),
      );
    });
  };
}

const HAR_WINDOWS = [4, 24, 168, 720] as const;
/** A regression takes every so many hours: neighbours tell the same. */
const HAR_EVERY = 4;
const RIDGE = 1e-4;

/** Logs of the mean Parkinson variance over `HAR_WINDOWS`, row-major by bar. */
export function harRegressors({ variance }: FieldMarket): Float64Array {
  const width = HAR_WINDOWS.length;
  const regressors = new Float64Array(variance.length * width);
  for (const [k, window] of HAR_WINDOWS.entries()) {
    const means = trailingMeans(variance, window);
    for (let i = 0; i < means.length; i++)
      regressors[i * width + k] = 0.5 * Math.log(means[i] + VARIANCE_FLOOR);
  }
  return regressors;
}

/** Logs of the volatility over the next hours from ranges, by bar; NaN where they are not all there. */
export function logVolatilityAhead({ variance }: FieldMarket, hours: number): Float64Array {
  const ahead = new Float64Array(variance.length).fill(Number.NaN);
  // Summed from the oldest on: the rounding of a running sum from the other end would tell of bars that were not known.
  const sums = new Float64Array(variance.length + 1);
  for (let i = 0; i < variance.length; i++) sums[i + 1] = sums[i] + variance[i];
  for (let i = 0; i + hours < variance.length; i++)
    ahead[i] = 0.5 * Math.log(Math.max(sums[i + 1 + hours] - sums[i + 1], 0) + hours * VARIANCE_FLOOR);
  return ahead;
}

/** Adds a market's known past to the regressions of all horizons, one for each of `HORIZONS_HOURS`. */
export function addToHar(
  market: FieldMarket,
  regressors: Float64Array,
  fitEnd: number,
  squares: readonly LeastSquares[],
): void {
  const positions = [...HAR_WINDOWS.keys()];
  for (const [h, hours] of HORIZONS_HOURS.entries()) {
    const ahead = logVolatilityAhead(market, hours);
    for (let i = 168; i + hours < fitEnd; i += HAR_EVERY)
      if (market.byHorizon[h].valid[i] === 1)
        squares[h].add(regressors, i * HAR_WINDOWS.length, positions, ahead[i]);
  }
}

export function harRegressions(): readonly LeastSquares[] {
  return HORIZONS_HOURS.map(() => new LeastSquares(HAR_WINDOWS.length));
}

/** log-HAR (Corsi 2009) on ranges of the market itself, fitted on its whole past. */
export const harScales: ScaleMethod = (market, stretch) => {
  if (stretch.fitEnd < LEAST_BARS) return null;
  const regressors = harRegressors(market);
  const squares = harRegressions();
  addToHar(market, regressors, stretch.fitEnd, squares);
  return scalesOf(
    regressors,
    stretch,
    squares.map((own) => own.solve(RIDGE)),
  );
};

/** log-HAR with the coefficients of all markets together. */
export function pooledHarScales(
  coefficientsOf: (stretch: Stretch) => readonly Float64Array[] | null,
): ScaleMethod {
  return (market, stretch) => {
    const coefficients = coefficientsOf(stretch);
    return coefficients === null ? null : scalesOf(harRegressors(market), stretch, coefficients);
  };
}

function scalesOf(
  regressors: Float64Array,
  { from, end }: Stretch,
  coefficients: readonly Float64Array[],
): readonly Scales[] {
  const width = HAR_WINDOWS.length;
  return coefficients.map((own) =>
    Float64Array.from({ length: end - from }, (_, i) => {
      let log = own[0];
      for (let k = 0; k < width; k++) log += own[k + 1] * regressors[(from + i) * width + k];
      return Math.exp(log);
    }),
  );
}
