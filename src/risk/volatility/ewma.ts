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
