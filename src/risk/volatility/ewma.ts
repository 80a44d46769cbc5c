import { requireSeries } from '../numeric/inputs.ts';
import { minimiseScalar } from '../numeric/scalar.ts';
import { type Unavailable, unavailable } from '../outcome.ts';

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

/**
 * What stands for the variance before a sample: the mean of the first 75 squares about a centre with weights 0.94^j, as the `arch` package
 * has it; 0 of no returns.
 */
export function backcast(returns: Float64Array, centre = 0): number {
  let sum = 0;
  let weights = 0;
  let weight = 1;
  for (let i = 0; i < Math.min(75, returns.length); i++) {
    const shock = returns[i] - centre;
    sum += weight * shock * shock;
    weights += weight;
    weight *= 0.94;
  }
  return weights === 0 ? 0 : sum / weights;
}

export interface EwmaFit {
  readonly available: true;
  /** λ. */
  readonly decay: number;
  /** Of normal errors with these variances; only its differences mean anything. */
  readonly logLikelihood: number;
  /** σ² of the observation after the last. */
  readonly nextVariance: number;
}

const LEAST_RETURNS = 50;
/** 1 − λ is searched between these: from half a step of memory to hardly any forgetting. */
const FASTEST = 0.75;
const SLOWEST = 0.0005;

/**
 * The decay that makes the returns likeliest under normal errors, which is the one with the least mean QLIKE of r² (RiskMetrics'
 * own choice is by squared error, which the largest returns alone decide). Zero mean, as RiskMetrics has it.
 *
 * @param returns at least 50, finite, oldest first.
 * @throws PlimsollError DATA_INSUFFICIENT, INPUT_INVALID.
 */
export function fitEwma(returns: Float64Array): EwmaFit | Unavailable {
  requireSeries('returns', returns, LEAST_RETURNS);
  if (!(backcast(returns) > 0))
    return unavailable('the first returns do not vary: there is no variance to start from');
  // The logarithm of 1 − λ, along which likelihoods are smooth; scanned first, since there may be two valleys.
  const loss = (x: number): number => ewmaLoss(returns, 1 - Math.exp(x));
  const best = minimiseScalar(loss, Math.log(SLOWEST), Math.log(FASTEST), 24);
  if (!Number.isFinite(best.value))
    return unavailable('the squares of the returns leave the range of a double');
  const decay = 1 - Math.exp(best.at);
  const variance = ewmaVariance(returns, decay);
  const logLikelihood = -0.5 * (best.value + returns.length * Math.log(2 * Math.PI));
  return { available: true, decay, logLikelihood, nextVariance: variance[variance.length - 1] };
}

/** Σ ln σ² + r²/σ², each σ² known before its r. */
function ewmaLoss(returns: Float64Array, decay: number): number {
  let variance = backcast(returns);
  let loss = 0;
  for (let i = 0; i < returns.length; i++) {
    const square = returns[i] * returns[i];
    loss += Math.log(variance) + square / variance;
    variance = decay * variance + (1 - decay) * square;
  }
  return loss;
}
