/**
 * Peaks over threshold: what exceeds a high threshold u follows, approximately, a generalised Pareto distribution
 * (Balkema and de Haan 1974; Pickands 1975). It smooths and extends the tail where the sample has few losses.
 */
export interface ParetoTail {
  /** u. */
  readonly threshold: number;
  /** Share of the sample above u. */
  readonly exceedanceShare: number;
  /** ξ in [0, `MAXIMUM_SHAPE`]. */
  readonly shape: number;
  /** β, at least 0; 0 where nothing exceeds u. */
  readonly scale: number;
}

/**
 * Bounds of the shape. A thin, bounded tail (ξ below 0) is not believed from one sample: it would promise that nothing
 * worse can come. From ξ = 1 on the mean is infinite, and beyond ½ the moments below are no longer reliable.
 */
export const MINIMUM_SHAPE = 0;
export const MAXIMUM_SHAPE = 0.5;

/**
 * Fits by probability-weighted moments (Hosking and Wallis 1987): with a₀ the mean excess and
 * a₁ = mean of (1 − pᵢ) xᵢ, pᵢ = (i − 0.35)/n, ξ = 2 − a₀/(a₀ − 2a₁) and β = 2a₀a₁/(a₀ − 2a₁).
 * Where ξ meets a bound, β = a₀ (1 − ξ) keeps the mean excess.
 *
 * @param tail the largest values of the sample, ascending; those above the threshold are fitted.
 * @param n size of the whole sample.
 */
export function fitParetoTail(tail: Float64Array, n: number, threshold: number): ParetoTail {
  let first = tail.length;
  while (first > 0 && tail[first - 1] > threshold) first--;
  const count = tail.length - first;
  if (count === 0) return { threshold, exceedanceShare: 0, shape: 0, scale: 0 };
  let mean = 0;
  let weighted = 0;
  for (let i = 0; i < count; i++) {
    const excess = tail[first + i] - threshold;
    mean += excess;
    weighted += (1 - (i + 0.65) / count) * excess;
  }
  mean /= count;
  weighted /= count;
  const difference = mean - 2 * weighted;
  const raw = difference > 0 ? 2 - mean / difference : MINIMUM_SHAPE;
  const shape = Math.min(Math.max(raw, MINIMUM_SHAPE), MAXIMUM_SHAPE);
  return { threshold, exceedanceShare: count / n, shape, scale: mean * (1 - shape) };
}

/** VaR = u + (β/ξ)[((1 − c)/share)^(−ξ) − 1]; at ξ = 0, u + β ln(share/(1 − c)). For c at or beyond 1 − share. */
export function paretoValueAtRisk(tail: ParetoTail, confidence: number): number {
  if (tail.scale === 0) return tail.threshold;
  const logRatio = Math.log(tail.exceedanceShare / (1 - confidence));
  if (logRatio <= 0) return tail.threshold;
  const growth = tail.shape < 1e-9 ? logRatio : Math.expm1(tail.shape * logRatio) / tail.shape;
  return tail.threshold + tail.scale * growth;
}

/** Expected shortfall beyond a VaR v ≥ u: v + (β + ξ (v − u)) / (1 − ξ). */
export function paretoExpectedShortfall(tail: ParetoTail, valueAtRisk: number): number {
  const excess = Math.max(valueAtRisk - tail.threshold, 0);
  return valueAtRisk + (tail.scale + tail.shape * excess) / (1 - tail.shape);
}

/** Probability of a loss beyond x ≥ u: share · (1 + ξ (x − u)/β)^(−1/ξ). */
export function paretoSurvival(tail: ParetoTail, x: number): number {
  return survivalBeyond(tail.threshold, tail.exceedanceShare, tail.shape, tail.scale, x);
}

/** The same from the fields of `ParetoTail`. */
export function survivalBeyond(
  threshold: number,
  exceedanceShare: number,
  shape: number,
  scale: number,
  x: number,
): number {
  if (scale === 0) return 0;
  const excess = Math.max(x - threshold, 0) / scale;
  const exponent = shape < 1e-9 ? -excess : -Math.log1p(shape * excess) / shape;
  return exceedanceShare * Math.exp(exponent);
}
