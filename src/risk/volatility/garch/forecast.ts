import type { Random } from '../../../random.ts';
import { requireWhole } from '../../numeric/inputs.ts';
import { GarchLikelihood } from './likelihood.ts';
import {
  type GarchParameters,
  type GarchSpecification,
  NORMAL_ABSOLUTE_MEAN,
  PARAMETER_COUNT,
  persistence,
  requireParameters,
  toVector,
} from './model.ts';

/**
 * The variance path of given parameters: entry t is σ² of observation t, known one step before; the last entry, one more than
 * there are returns, is the forecast.
 *
 * @throws PlimsollError INPUT_INVALID for parameters that allow a negative variance.
 */
export function garchVariance(
  returns: Float64Array,
  specification: GarchSpecification,
  parameters: GarchParameters,
): Float64Array {
  requireParameters(specification, parameters);
  const likelihood = new GarchLikelihood(returns, specification);
  likelihood.evaluate(toVector(parameters), new Float64Array(PARAMETER_COUNT));
  return likelihood.variance.slice();
}

/**
 * Variances of the next steps by formula: σ²ₕ = s² + pʰ⁻¹ (σ²₁ − s²), s² = ω/(1 − p) and p the persistence (Bollerslev 1986); of a
 * persistence of 1, σ²₁ + (h − 1) ω. Half of the shocks to come count as falls: the errors are symmetric. Only for `garch` and
 * `gjr`; `egarch` has no closed form beyond one step, see `simulateGarch`.
 *
 * @returns entry h − 1 is the variance h steps ahead.
 */
export function forecastVariance(
  parameters: GarchParameters,
  nextVariance: number,
  steps: number,
): Float64Array {
  requireWhole('the number of steps', steps, 1);
  const decay = persistence('gjr', parameters);
  const forecast = new Float64Array(steps);
  let current = nextVariance;
  for (let h = 0; h < steps; h++) {
    forecast[h] = current;
    current = parameters.omega + decay * current;
  }
  return forecast;
}

/** What a simulated path is made of: how the next standardised shock is drawn. */
export type DrawShock = () => number;

/** Draws shocks of the fitted error distribution, of mean 0 and variance 1. */
export function shocksOf(
  { distribution }: GarchSpecification,
  { nu }: GarchParameters,
  random: Random,
): DrawShock {
  return distribution === 't' ? () => random.studentT(nu) : () => random.normal();
}

/** Draws from standardised residuals as they were: filtered historical simulation (Barone-Adesi et al. 1999). */
export function shocksFrom(residuals: Float64Array, random: Random): DrawShock {
  return () => residuals[random.integer(residuals.length)];
}

/**
 * One simulated path of returns: each shock is scaled by the variance that the path itself has led to.
 *
 * @param nextVariance σ² of the first step.
 * @param path overwritten; as long as the path is to be.
 */
export function simulateGarch(
  model: GarchSpecification['model'],
  parameters: GarchParameters,
  nextVariance: number,
  draw: DrawShock,
  path: Float64Array,
): void {
  const { mu, omega, alpha, gamma, beta } = parameters;
  let variance = nextVariance;
  for (let h = 0; h < path.length; h++) {
    const z = draw();
    const shock = Math.sqrt(variance) * z;
    path[h] = mu + shock;
    if (model === 'egarch') {
      const logVariance =
        omega + alpha * (Math.abs(z) - NORMAL_ABSOLUTE_MEAN) + gamma * z + beta * Math.log(variance);
      variance = Math.exp(Math.min(logVariance, MOST_LOG_VARIANCE));
    } else variance = omega + (alpha + (z < 0 ? gamma : 0)) * shock * shock + beta * variance;
  }
}

/** Beyond it a path of `egarch` has left every scale of prices; it must stay a number. */
const MOST_LOG_VARIANCE = 50;
