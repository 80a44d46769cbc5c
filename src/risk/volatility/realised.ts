import { logGamma } from '../numeric/gamma.ts';
import { requireSeries } from '../numeric/inputs.ts';
import { normalSurvival } from '../numeric/normal.ts';
import { type TestOutcome, unavailable } from '../outcome.ts';

/** What the returns within a day, or any other span, tell of its variance. Sums, not means, and not annualised. */

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

/**
 * MedRV (Andersen, Dobrev and Schaumburg 2012): π/(6 − 4√3 + π) · n/(n − 2) · Σ med(|rᵢ₋₁|, |rᵢ|, |rᵢ₊₁|)², which a jump and a return of 0
 * leave alone. 0 for fewer than three returns.
 */
export function medianRealisedVariance(returns: Float64Array): number {
  const n = returns.length;
  if (n < 3) return 0;
  let sum = 0;
  for (let i = 1; i < n - 1; i++) {
    const [a, b, c] = [Math.abs(returns[i - 1]), Math.abs(returns[i]), Math.abs(returns[i + 1])];
    const median = Math.max(Math.min(a, b), Math.min(Math.max(a, b), c));
    sum += median * median;
  }
  return (Math.PI / (6 - 4 * Math.sqrt(3) + Math.PI)) * (n / (n - 2)) * sum;
}

/** MinRV (the same): π/(π − 2) · n/(n − 1) · Σ min(|rᵢ|, |rᵢ₊₁|)². 0 for fewer than two returns. */
export function minimumRealisedVariance(returns: Float64Array): number {
  const n = returns.length;
  if (n < 2) return 0;
  let sum = 0;
  for (let i = 1; i < n; i++) sum += Math.min(Math.abs(returns[i - 1]), Math.abs(returns[i])) ** 2;
  return (Math.PI / (Math.PI - 2)) * (n / (n - 1)) * sum;
}

/** Realised quarticity: (n/3) Σ r⁴, the variance of the realised variance but for a factor. */
export function realisedQuarticity(returns: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < returns.length; i++) sum += returns[i] ** 4;
  return (returns.length / 3) * sum;
}

/** E|z|^(4/3) of a standard normal z: 2^(2/3) Γ(7/6)/Γ(1/2). */
const FOUR_THIRDS_MOMENT = 2 ** (2 / 3) * Math.exp(logGamma(7 / 6) - logGamma(1 / 2));

/**
 * Tripower quarticity (Barndorff-Nielsen and Shephard 2004): n · μ₄⸝₃⁻³ · n/(n − 2) · Σ (|rᵢ||rᵢ₋₁||rᵢ₋₂|)^(4/3), which jumps leave alone.
 * 0 for fewer than three returns.
 */
export function tripowerQuarticity(returns: Float64Array): number {
  const n = returns.length;
  if (n < 3) return 0;
  let sum = 0;
  for (let i = 2; i < n; i++) sum += Math.abs(returns[i] * returns[i - 1] * returns[i - 2]) ** (4 / 3);
  return (n * n * sum) / ((n - 2) * FOUR_THIRDS_MOMENT ** 3);
}

export interface JumpVariation {
  /** max(RV − BV, 0): the part of the realised variance that jumps are estimated to have made. */
  readonly jump: number;
  /** The same where the test finds a jump, else 0 (Andersen, Bollerslev and Diebold 2007). */
  readonly significantJump: number;
  readonly test: TestOutcome;
}

/**
 * The ratio test for jumps (Barndorff-Nielsen and Shephard 2006; Huang and Tauchen 2005):
 * z = (1 − BV/RV) / √[(π²/4 + π − 5)/n · max(1, TP/BV²)], standard normal without jumps; one-sided.
 *
 * @param returns at least three, finite. @param level of significance, for example 0.001.
 * @throws PlimsollError DATA_INSUFFICIENT, INPUT_INVALID.
 */
export function jumpVariation(returns: Float64Array, level: number): JumpVariation {
  requireSeries('returns', returns, 3);
  const total = realisedVariance(returns);
  const continuous = bipowerVariation(returns);
  const jump = Math.max(total - continuous, 0);
  if (!(total > 0)) return { jump, significantJump: 0, test: unavailable('no return differs from 0') };
  const ratio = continuous > 0 ? tripowerQuarticity(returns) / continuous ** 2 : 1;
  const spread = Math.sqrt(((Math.PI ** 2 / 4 + Math.PI - 5) / returns.length) * Math.max(1, ratio));
  const statistic = (1 - continuous / total) / spread;
  const pValue = normalSurvival(statistic);
  return { jump, significantJump: pValue < level ? jump : 0, test: { available: true, statistic, pValue } };
}
