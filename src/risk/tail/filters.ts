import { requireWithin } from '../numeric/inputs.ts';
import { type Unavailable, unavailable } from '../outcome.ts';
import { ewmaVariance, fitEwma } from '../volatility/ewma.ts';
import { fitGarch, type GarchFit } from '../volatility/garch/fit.ts';
import type { RiskOptions } from './estimates.ts';
import type { LossSample } from './loss-sample.ts';

/** Variance of the next step as each origin knew it. */
export interface KnownVariance {
  readonly available: true;
  /** By origin, from the one before the first return to today's: one more than there are returns. */
  readonly variance: Float64Array;
  readonly parameters: Readonly<Record<string, number | string>>;
}

/** EWMA with zero mean, its decay given or estimated. */
export function ewmaKnown(returns: Float64Array, decay: number | 'estimate'): KnownVariance | Unavailable {
  let lambda: number;
  if (decay === 'estimate') {
    const fit = fitEwma(returns);
    if (!fit.available) return fit;
    lambda = fit.decay;
  } else {
    requireWithin('the decay', decay, 1e-6, 1 - 1e-9);
    lambda = decay;
  }
  const after = ewmaVariance(returns, lambda);
  const variance = new Float64Array(returns.length + 1);
  variance.set(after, 1);
  // Undone once, the recursion gives what it started from.
  variance[0] = Math.max((after[0] - (1 - lambda) * returns[0] ** 2) / lambda, 0);
  if (!variance.every((value) => value > 0))
    return unavailable('the first returns do not vary: there is no volatility');
  return { available: true, variance, parameters: { filter: 'ewma', decay: lambda } };
}

/** The parameters of a fit as a method reports them. */
export function garchParameters(fit: GarchFit): Readonly<Record<string, number | string>> {
  const { model, distribution } = fit.specification;
  const { mu, omega, alpha, gamma, beta, nu } = fit.parameters;
  return {
    distribution,
    mu,
    omega,
    alpha,
    ...(model === 'garch' ? {} : { gamma }),
    beta,
    ...(distribution === 't' ? { nu } : {}),
    logLikelihood: fit.logLikelihood,
    nextVolatility: Math.sqrt(fit.nextVariance),
  };
}

/** Losses divided by the volatility of their origins, to the power g. */
export interface LossScales {
  readonly available: true;
  readonly standardised: Float64Array;
  /** Today's volatility to the power g. */
  readonly today: number;
  readonly parameters: Readonly<Record<string, number | string>>;
}

export function lossScales(sample: LossSample, options: RiskOptions): LossScales | Unavailable {
  requireWithin('the exponent', options.exponent, 0, 1);
  const known = knownVariance(sample.returns, options);
  if (!known.available) return known;
  const half = 0.5 * options.exponent;
  const { variance, parameters } = known;
  const standardised = sample.losses.map((loss, i) => loss / variance[i] ** half);
  const today = variance[variance.length - 1] ** half;
  return { available: true, standardised, today, parameters };
}

function knownVariance(
  returns: Float64Array,
  { filter, decay, distribution, mean }: RiskOptions,
): KnownVariance | Unavailable {
  if (filter === 'ewma') return ewmaKnown(returns, decay);
  const fit = fitGarch(returns, { model: filter === 'garch' ? 'garch' : 'gjr', distribution, mean });
  if (!fit.available) return fit;
  const variance = new Float64Array(returns.length + 1);
  variance.set(fit.variance);
  variance[returns.length] = fit.nextVariance;
  return { available: true, variance, parameters: { filter, ...garchParameters(fit) } };
}
