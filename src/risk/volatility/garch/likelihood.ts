import { digamma, logGamma } from '../../numeric/gamma.ts';
import { type GarchSpecification, MU, NU, PARAMETER_COUNT } from './model.ts';
import { DERIVATIVES, egarchVariance, gjrVariance, type PresampleVariance, presample } from './recursion.ts';

const LOG_TWO_PI = Math.log(2 * Math.PI);
/** Factors are multiplied this many at a time before a logarithm is taken, which costs more than all the rest of a step. */
const FACTORS_PER_LOGARITHM = 8;

/**
 * The log likelihood of a series under a specification, with its gradient by all parameters: analytic derivatives carried along
 * the recursion (Fiorentini, Calzolari and Panattoni 1996). Keeps its scratch, so that a search allocates nothing.
 */
export class GarchLikelihood {
  /** σ² by observation, and the forecast for the one after the last; of the parameters evaluated last. */
  readonly variance: Float64Array;
  readonly #returns: Float64Array;
  readonly #specification: GarchSpecification;
  readonly #derivatives: Float64Array;
  readonly #fixedStart: PresampleVariance | null;

  /** @param returns at least two, finite, not all alike. */
  constructor(returns: Float64Array, specification: GarchSpecification) {
    this.#returns = returns;
    this.#specification = specification;
    this.variance = new Float64Array(returns.length + 1);
    this.#derivatives = new Float64Array((returns.length + 1) * DERIVATIVES);
    const { start, mean } = specification;
    this.#fixedStart = start === 'backcast' ? presample(returns, 0, start, mean) : null;
  }

  /**
   * @param parameters by place. @param gradient by place, overwritten.
   * @param scores if given, n × parameters: the gradient of each observation.
   * @returns −∞ where the model is not defined, and where a product of variances leaves the range of a double.
   */
  evaluate(parameters: Float64Array, gradient: Float64Array, scores?: Float64Array): number {
    const { start, mean, model, distribution } = this.#specification;
    const before = this.#fixedStart ?? presample(this.#returns, parameters[MU], start, mean);
    const recursion = model === 'egarch' ? egarchVariance : gjrVariance;
    gradient.fill(0);
    if (!recursion(this.#returns, parameters, before, this.variance, this.#derivatives))
      return Number.NEGATIVE_INFINITY;
    const value =
      distribution === 'normal'
        ? this.#normal(parameters[MU], gradient, scores)
        : this.#student(parameters[MU], parameters[NU], gradient, scores);
    // Variances whose product is lost to 0 would be likelier than all others.
    return value < Number.POSITIVE_INFINITY ? value : Number.NEGATIVE_INFINITY;
  }

  /** −½ Σ [ln 2π + ln σ² + ε²/σ²]. */
  #normal(mu: number, gradient: Float64Array, scores: Float64Array | undefined): number {
    const returns = this.#returns;
    const variance = this.variance;
    let squares = 0;
    let logs = 0;
    let product = 1;
    for (let t = 0; t < returns.length; t++) {
      const shock = returns[t] - mu;
      const inverse = 1 / variance[t];
      const square = shock * shock * inverse;
      squares += square;
      product *= variance[t];
      if (t % FACTORS_PER_LOGARITHM === 0) {
        logs += Math.log(product);
        product = 1;
      }
      this.#add(t, 0.5 * (square - 1) * inverse, shock * inverse, 0, gradient, scores);
    }
    return -0.5 * (returns.length * LOG_TWO_PI + logs + Math.log(product) + squares);
  }

  /**
   * Σ [ln Γ((ν + 1)/2) − ln Γ(ν/2) − ½ ln(π (ν − 2)) − ½ ln σ² − ½ (ν + 1) ln(1 + ε²/((ν − 2) σ²))]: t errors of unit variance
   * (Bollerslev 1987).
   */
  #student(mu: number, nu: number, gradient: Float64Array, scores: Float64Array | undefined): number {
    const returns = this.#returns;
    const variance = this.variance;
    const n = returns.length;
    const excess = nu - 2;
    const constant = logGamma(0.5 * (nu + 1)) - logGamma(0.5 * nu) - 0.5 * Math.log(Math.PI * excess);
    const constantByNu = 0.5 * (digamma(0.5 * (nu + 1)) - digamma(0.5 * nu) - 1 / excess);
    let varianceLogs = 0;
    let varianceProduct = 1;
    let tailLogs = 0;
    let tailProduct = 1;
    let sharesByNu = 0;
    for (let t = 0; t < n; t++) {
      const shock = returns[t] - mu;
      const inverse = 1 / variance[t];
      const square = shock * shock * inverse;
      const share = 1 / (excess + square);
      const weight = (nu + 1) * share;
      const tail = 1 + square / excess;
      varianceProduct *= variance[t];
      tailProduct *= tail;
      if (t % FACTORS_PER_LOGARITHM === 0) {
        varianceLogs += Math.log(varianceProduct);
        tailLogs += Math.log(tailProduct);
        varianceProduct = 1;
        tailProduct = 1;
      }
      const byNu = (0.5 * (nu + 1) * square * share) / excess;
      sharesByNu += byNu;
      // The logarithm of each observation alone is only paid for where its score is asked for.
      const own = scores === undefined ? 0 : constantByNu - 0.5 * Math.log(tail) + byNu;
      this.#add(t, 0.5 * (weight * square - 1) * inverse, weight * shock * inverse, own, gradient, scores);
    }
    varianceLogs += Math.log(varianceProduct);
    tailLogs += Math.log(tailProduct);
    gradient[NU] = n * constantByNu - 0.5 * tailLogs + sharesByNu;
    return n * constant - 0.5 * varianceLogs - 0.5 * (nu + 1) * tailLogs;
  }

  /** Adds an observation's derivatives: by its variance, directly by μ, and by ν. */
  #add(
    t: number,
    byVariance: number,
    byMu: number,
    byNu: number,
    gradient: Float64Array,
    scores: Float64Array | undefined,
  ): void {
    const derivatives = this.#derivatives;
    const place = t * DERIVATIVES;
    gradient[0] += byVariance * derivatives[place] + byMu;
    gradient[1] += byVariance * derivatives[place + 1];
    gradient[2] += byVariance * derivatives[place + 2];
    gradient[3] += byVariance * derivatives[place + 3];
    gradient[4] += byVariance * derivatives[place + 4];
    if (scores === undefined) return;
    const row = t * PARAMETER_COUNT;
    for (let i = 0; i < DERIVATIVES; i++) scores[row + i] = byVariance * derivatives[place + i];
    scores[row + MU] += byMu;
    scores[row + NU] = byNu;
  }
}
