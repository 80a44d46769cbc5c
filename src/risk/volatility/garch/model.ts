import { refusal } from '../../numeric/inputs.ts';

/**
 * Conditional variance models of returns r = μ + ε, ε = σ z, z independent with unit variance.
 *
 * - `garch` (Bollerslev 1986): σ²ₜ = ω + α ε²ₜ₋₁ + β σ²ₜ₋₁.
 * - `gjr` (Glosten, Jagannathan and Runkle 1993): + γ ε²ₜ₋₁ 1{εₜ₋₁ < 0}.
 * - `egarch` (Nelson 1991): ln σ²ₜ = ω + α (|zₜ₋₁| − √(2/π)) + γ zₜ₋₁ + β ln σ²ₜ₋₁. The centre √(2/π) is that of a normal z for every
 *   distribution, as in the `arch` package; under another centre only ω differs.
 */
export interface GarchSpecification {
  readonly model: GarchModel;
  readonly distribution: ErrorDistribution;
  /** Whether μ is estimated or 0. */
  readonly mean: 'constant' | 'zero';
  /**
   * What stands for ε² and σ² before the sample. backcast: the mean of the first 75 squares with weights 0.94^i, about the mean of the
   * sample, as in `arch`. mean-square: the mean of all ε² at the μ in question, as in `rugarch` and in the benchmark of Fiorentini,
   * Calzolari and Panattoni (1996). Likelihoods compare only under one of them.
   */
  readonly start: 'backcast' | 'mean-square';
}

export type GarchModel = 'garch' | 'gjr' | 'egarch';
export type ErrorDistribution = 'normal' | 't';

/**
 * The parameters of every model, those that it does not have at 0 (and ν at infinity under normal errors). In the unit of
 * the returns: ω of `garch` and `gjr` is a variance.
 */
export interface GarchParameters {
  readonly mu: number;
  readonly omega: number;
  readonly alpha: number;
  readonly gamma: number;
  readonly beta: number;
  /** Degrees of freedom ν of t errors, above 2. */
  readonly nu: number;
}

export type ParameterName = keyof GarchParameters;

/** The order in which likelihoods and gradients have the parameters. */
export const PARAMETER_NAMES: readonly ParameterName[] = ['mu', 'omega', 'alpha', 'gamma', 'beta', 'nu'];
export const PARAMETER_COUNT = PARAMETER_NAMES.length;
export const [MU, OMEGA, ALPHA, GAMMA, BETA, NU] = [0, 1, 2, 3, 4, 5] as const;

/** E|z| of a standard normal z. */
export const NORMAL_ABSOLUTE_MEAN = Math.sqrt(2 / Math.PI);

/** The places of the parameters that the specification estimates. */
export function freePlaces({ model, distribution, mean }: GarchSpecification): readonly number[] {
  const free = [OMEGA, ALPHA, BETA] as number[];
  if (mean === 'constant') free.push(MU);
  if (model !== 'garch') free.push(GAMMA);
  if (distribution === 't') free.push(NU);
  return free.sort((a, b) => a - b);
}

export function toVector(parameters: GarchParameters): Float64Array {
  return Float64Array.from(PARAMETER_NAMES, (name) => parameters[name]);
}

export function fromVector(vector: Float64Array): GarchParameters {
  const [mu, omega, alpha, gamma, beta, nu] = vector;
  return { mu, omega, alpha, gamma, beta, nu };
}

/** How much of a variance's distance from its long-run level is left a step later: α + γ/2 + β, for `egarch` β. */
export function persistence(model: GarchModel, { alpha, gamma, beta }: GarchParameters): number {
  return model === 'egarch' ? beta : alpha + 0.5 * gamma + beta;
}

/** @throws PlimsollError INPUT_INVALID for parameters under which the model is not defined. */
export function requireParameters(specification: GarchSpecification, parameters: GarchParameters): void {
  const { mu, omega, alpha, gamma, beta, nu } = parameters;
  const remedy = 'Give the parameters of a stationary model with positive variance.';
  if (![mu, omega, alpha, gamma, beta].every(Number.isFinite))
    throw refusal('a parameter is not finite', remedy);
  if (specification.distribution === 't' && !(nu > 2))
    throw refusal(`ν is ${nu}: t errors have no variance`, 'Give degrees of freedom above 2.');
  if (specification.model === 'egarch') {
    if (Math.abs(beta) >= 1) throw refusal(`β is ${beta}`, remedy);
    return;
  }
  if (!(omega > 0 && alpha >= 0 && alpha + gamma >= 0 && beta >= 0))
    throw refusal(`ω ${omega}, α ${alpha}, γ ${gamma}, β ${beta} allow a negative variance`, remedy);
}
