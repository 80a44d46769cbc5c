import { backcast } from '../ewma.ts';
import { ALPHA, BETA, GAMMA, type GarchSpecification, MU, NORMAL_ABSOLUTE_MEAN, OMEGA } from './model.ts';

/** Derivatives of a variance by μ, ω, α, γ and β. */
export const DERIVATIVES = 5;

/** Beyond these ln σ² is not a variance but an explosion of the recursion. */
const LOG_VARIANCE_LIMIT = 200;

/** What stands before the first observation, and how it moves with μ. */
export interface PresampleVariance {
  readonly variance: number;
  readonly byMu: number;
}

/** @param returns at least one. @param mu the μ in question, which only `mean-square` depends on. */
export function presample(
  returns: Float64Array,
  mu: number,
  start: GarchSpecification['start'],
  mean: GarchSpecification['mean'],
): PresampleVariance {
  if (start === 'mean-square') {
    let sum = 0;
    let squares = 0;
    for (let t = 0; t < returns.length; t++) {
      sum += returns[t] - mu;
      squares += (returns[t] - mu) ** 2;
    }
    return { variance: squares / returns.length, byMu: (-2 * sum) / returns.length };
  }
  let centre = 0;
  if (mean === 'constant') for (let t = 0; t < returns.length; t++) centre += returns[t] / returns.length;
  return { variance: backcast(returns, centre), byMu: 0 };
}

/**
 * Variances of `garch` and `gjr` with their derivatives. Entry t of `variance` is σ²ₜ, known at t − 1; entries 5 t … 5 t + 4 of
 * `derivatives` are those of σ²ₜ. One entry more than there are returns: the last is the forecast.
 *
 * @param parameters by place. @returns false where a variance is not positive and finite.
 */
export function gjrVariance(
  returns: Float64Array,
  parameters: Float64Array,
  before: PresampleVariance,
  variance: Float64Array,
  derivatives: Float64Array,
): boolean {
  const mu = parameters[MU];
  const omega = parameters[OMEGA];
  const alpha = parameters[ALPHA];
  const gamma = parameters[GAMMA];
  const beta = parameters[BETA];
  let square = before.variance;
  // Before the sample half of the shocks counts as falls.
  let fall = 0.5 * before.variance;
  let current = before.variance;
  let byMu = (alpha + 0.5 * gamma + beta) * before.byMu;
  let byOmega = 0;
  let byAlpha = 0;
  let byGamma = 0;
  let byBeta = 0;
  for (let t = 0; t <= returns.length; t++) {
    if (t > 0) {
      const shock = returns[t - 1] - mu;
      square = shock * shock;
      fall = shock < 0 ? square : 0;
      byMu = beta * byMu - 2 * shock * (shock < 0 ? alpha + gamma : alpha);
    }
    byOmega = 1 + beta * byOmega;
    byAlpha = square + beta * byAlpha;
    byGamma = fall + beta * byGamma;
    byBeta = current + beta * byBeta;
    current = omega + alpha * square + gamma * fall + beta * current;
    if (!(current > 0 && current < Number.MAX_VALUE)) return false;
    variance[t] = current;
    const place = t * DERIVATIVES;
    derivatives[place] = byMu;
    derivatives[place + 1] = byOmega;
    derivatives[place + 2] = byAlpha;
    derivatives[place + 3] = byGamma;
    derivatives[place + 4] = byBeta;
  }
  return true;
}

/** The same of `egarch`. */
export function egarchVariance(
  returns: Float64Array,
  parameters: Float64Array,
  before: PresampleVariance,
  variance: Float64Array,
  derivatives: Float64Array,
): boolean {
  const mu = parameters[MU];
  const omega = parameters[OMEGA];
  const alpha = parameters[ALPHA];
  const gamma = parameters[GAMMA];
  const beta = parameters[BETA];
  let logVariance = Math.log(before.variance);
  let byMu = before.byMu / before.variance;
  let byOmega = 0;
  let byAlpha = 0;
  let byGamma = 0;
  let byBeta = 0;
  let size = 0;
  let z = 0;
  let decay = beta;
  let shockByMu = 0;
  for (let t = 0; t <= returns.length; t++) {
    if (t > 0) {
      const deviation = Math.sqrt(variance[t - 1]);
      z = (returns[t - 1] - mu) / deviation;
      size = Math.abs(z) - NORMAL_ABSOLUTE_MEAN;
      const slope = (z < 0 ? -alpha : alpha) + gamma;
      // z itself shrinks as the variance before it grows: dz = −z/2 · d ln σ².
      decay = beta - 0.5 * slope * z;
      shockByMu = -slope / deviation;
    }
    byMu = decay * byMu + shockByMu;
    byOmega = 1 + decay * byOmega;
    byAlpha = size + decay * byAlpha;
    byGamma = z + decay * byGamma;
    byBeta = logVariance + decay * byBeta;
    logVariance = omega + alpha * size + gamma * z + beta * logVariance;
    if (!(Math.abs(logVariance) < LOG_VARIANCE_LIMIT)) return false;
    const current = Math.exp(logVariance);
    variance[t] = current;
    const place = t * DERIVATIVES;
    derivatives[place] = current * byMu;
    derivatives[place + 1] = current * byOmega;
    derivatives[place + 2] = current * byAlpha;
    derivatives[place + 3] = current * byGamma;
    derivatives[place + 4] = current * byBeta;
  }
  return true;
}
