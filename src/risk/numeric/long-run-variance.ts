/** Variances of means of dependent series (heteroskedasticity and autocorrelation consistent, HAC). */

/**
 * Long-run covariance Γ₀ + Σ_{k=1}^{lags} (1 − k/(lags + 1)) (Γ_k + Γ_kᵀ) of several series (Newey and West 1987): the
 * covariance of their means is this divided by n. Bartlett's weights keep it positive semi-definite.
 *
 * @param series equally long. @param lags at least 0; those beyond n − 1 count for nothing.
 * @param centre whether the means are taken off first.
 * @returns size × size, row by row.
 */
export function longRunCovariance(
  series: readonly Float64Array[],
  lags: number,
  centre = true,
): Float64Array {
  const size = series.length;
  const n = series[0].length;
  const centred = centre ? series.map(withoutMean) : series;
  const covariance = new Float64Array(size * size);
  for (let lag = 0; lag <= Math.min(lags, n - 1); lag++) {
    const weight = 1 - lag / (lags + 1);
    for (let i = 0; i < size; i++) {
      for (let j = 0; j < size; j++) {
        const gamma = weight * laggedProduct(centred[i], centred[j], lag);
        covariance[i * size + j] += gamma;
        if (lag > 0) covariance[j * size + i] += gamma;
      }
    }
  }
  return covariance;
}

/** The same of one series. */
export function longRunVariance(values: Float64Array, lags: number): number {
  return longRunCovariance([values], lags)[0];
}

/** The sum of autocovariances up to a lag, all of weight 1, as for forecasts that overlap by so many steps; may be negative. */
export function truncatedLongRunVariance(values: Float64Array, lags: number): number {
  const centred = withoutMean(values);
  let variance = laggedProduct(centred, centred, 0);
  for (let lag = 1; lag <= Math.min(lags, values.length - 1); lag++)
    variance += 2 * laggedProduct(centred, centred, lag);
  return variance;
}

/** Newey and West's rule of thumb (1994) for the number of lags: ⌊4 (n/100)^(2/9)⌋. */
export function automaticLags(n: number): number {
  return Math.floor(4 * (n / 100) ** (2 / 9));
}

function withoutMean(values: Float64Array): Float64Array {
  let mean = 0;
  for (let i = 0; i < values.length; i++) mean += values[i];
  mean /= values.length;
  return values.map((value) => value - mean);
}

/** (1/n) Σ a[t] b[t − lag]. */
function laggedProduct(a: Float64Array, b: Float64Array, lag: number): number {
  let sum = 0;
  for (let t = lag; t < a.length; t++) sum += a[t] * b[t - lag];
  return sum / a.length;
}
