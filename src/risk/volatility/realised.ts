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
