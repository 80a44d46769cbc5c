import type { BarSeries } from './bars.ts';

/**
 * Variances per bar and over windows. All are in squared log returns and not annualised; nothing here assumes a
 * bar's length. Prices are positive and finite, as `BarSeries` promises.
 */

/** Log returns close to close: entry i is ln(close[i] / close[i − 1]), entry 0 is 0. Gaps are not seen as such. */
export function logReturns(bars: BarSeries): Float64Array {
  const returns = new Float64Array(bars.length);
  for (let i = 1; i < bars.length; i++) returns[i] = Math.log(bars.close[i] / bars.close[i - 1]);
  return returns;
}

/** Parkinson (1980): (ln high/low)² / (4 ln 2) for each bar. */
export function parkinsonVariance(bars: BarSeries): Float64Array {
  const variance = new Float64Array(bars.length);
  for (let i = 0; i < bars.length; i++) {
    const range = Math.log(bars.high[i] / bars.low[i]);
    variance[i] = (range * range) / (4 * Math.LN2);
  }
  return variance;
}

/** Garman and Klass (1980): ½ (ln high/low)² − (2 ln 2 − 1)(ln close/open)² for each bar. */
export function garmanKlassVariance(bars: BarSeries): Float64Array {
  const variance = new Float64Array(bars.length);
  for (let i = 0; i < bars.length; i++) {
    const range = Math.log(bars.high[i] / bars.low[i]);
    const move = Math.log(bars.close[i] / bars.open[i]);
    variance[i] = 0.5 * range * range - (2 * Math.LN2 - 1) * move * move;
  }
  return variance;
}

/** Rogers and Satchell (1991), unaffected by drift: ln(h/c) ln(h/o) + ln(l/c) ln(l/o) for each bar. */
export function rogersSatchellVariance(bars: BarSeries): Float64Array {
  const variance = new Float64Array(bars.length);
  for (let i = 0; i < bars.length; i++) {
    const high = bars.high[i];
    const low = bars.low[i];
    const upper = Math.log(high / bars.close[i]) * Math.log(high / bars.open[i]);
    const lower = Math.log(low / bars.close[i]) * Math.log(low / bars.open[i]);
    variance[i] = upper + lower;
  }
  return variance;
}

/** Realised variance: Σ r². */
export function realisedVariance(returns: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < returns.length; i++) sum += returns[i] * returns[i];
  return sum;
}

/** Realised semi-variances (Barndorff-Nielsen, Kinnebrock and Shephard 2010): Σ r² of the falls and of the rises. */
export function realisedSemiVariance(returns: Float64Array): {
  readonly downside: number;
  readonly upside: number;
} {
  let downside = 0;
  let upside = 0;
  for (let i = 0; i < returns.length; i++) {
    const square = returns[i] * returns[i];
    if (returns[i] < 0) downside += square;
    else upside += square;
  }
  return { downside, upside };
}

/**
 * Bipower variation (Barndorff-Nielsen and Shephard 2004): (π/2) · n/(n − 1) · Σ |rᵢ||rᵢ₋₁|, the part of the realised
 * variance that does not come from jumps. 0 for fewer than two returns.
 */
export function bipowerVariation(returns: Float64Array): number {
  const n = returns.length;
  if (n < 2) return 0;
  let sum = 0;
  for (let i = 1; i < n; i++) sum += Math.abs(returns[i] * returns[i - 1]);
  return (Math.PI / 2) * (n / (n - 1)) * sum;
}

/** RiskMetrics' daily decay spread over 24 hours: 0.94^(1/24). */
export const HOURLY_EWMA_DECAY = 0.94 ** (1 / 24);

/**
 * Exponentially weighted variance (RiskMetrics 1996): entry i is the forecast for the bar after i,
 * σ²ᵢ = λ σ²ᵢ₋₁ + (1 − λ) r²ᵢ, started from the mean of the first 75 squares with weights 0.94^j, the backcast of the
 * `arch` package.
 *
 * @param decay λ in (0, 1).
 */
export function ewmaVariance(returns: Float64Array, decay: number): Float64Array {
  const variance = new Float64Array(returns.length);
  let current = backcast(returns);
  for (let i = 0; i < returns.length; i++) {
    current = decay * current + (1 - decay) * returns[i] * returns[i];
    variance[i] = current;
  }
  return variance;
}

function backcast(returns: Float64Array): number {
  let sum = 0;
  let weights = 0;
  let weight = 1;
  for (let i = 0; i < Math.min(75, returns.length); i++) {
    sum += weight * returns[i] * returns[i];
    weights += weight;
    weight *= 0.94;
  }
  return weights === 0 ? 0 : sum / weights;
}
