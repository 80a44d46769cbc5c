import { multiply, symmetricInverse } from '../../numeric/linear.ts';
import { type Unavailable, unavailable } from '../../outcome.ts';
import type { GarchLikelihood } from './likelihood.ts';
import {
  ALPHA,
  BETA,
  freePlaces,
  GAMMA,
  type GarchSpecification,
  MU,
  NU,
  OMEGA,
  PARAMETER_COUNT,
  PARAMETER_NAMES,
  type ParameterName,
} from './model.ts';
import { type HeldBound, heldBounds } from './search-space.ts';

export type ParameterErrors = Readonly<Partial<Record<ParameterName, number>>>;

/** Standard errors of the estimated parameters, in the unit of the returns. */
export interface GarchStandardErrors {
  readonly available: true;
  /** From the Hessian H of the log likelihood: (−H)⁻¹. */
  readonly hessian: ParameterErrors;
  /** Right also where the error distribution is wrong: H⁻¹ S H⁻¹, S the sum of squared scores (Bollerslev and Wooldridge 1992). */
  readonly robust: ParameterErrors;
  /** Bounds that the maximum lies on. Errors are then those of the other parameters given that the bound holds. */
  readonly heldOn: readonly HeldBound[];
}

/** Step of the central differences of the gradient, relative to the parameter: near the cube root of the precision. */
const RELATIVE_STEP = 6e-6;

/**
 * @param parameters at the maximum, of returns in units of `scale`.
 * @returns unavailable where the likelihood is not curved like a maximum in every direction that is free.
 */
export function standardErrors(
  likelihood: GarchLikelihood,
  specification: GarchSpecification,
  parameters: Float64Array,
  scale: number,
): GarchStandardErrors | Unavailable {
  const heldOn = heldBounds(specification, parameters);
  const places = freePlaces(specification);
  const directions = freeDirections(specification, places, heldOn);
  const information = within(directions, negativeHessian(likelihood, parameters, places));
  const covariance = symmetricInverse(information, directions.length);
  if (covariance === null) return unavailable('the likelihood is not curved in every direction');
  const squares = within(directions, scoreSquares(likelihood, parameters, places));
  const size = directions.length;
  const robust = multiply(multiply(covariance, squares, size), covariance, size);
  const errors = (inner: Float64Array): ParameterErrors =>
    errorsOf(spread(directions, inner, places.length), specification, places, scale);
  return { available: true, hessian: errors(covariance), robust: errors(robust), heldOn };
}

/**
 * The directions in which the parameters may move, as vectors over `places`: a basis of those along which no sum that a bound holds
 * changes.
 */
function freeDirections(
  { model }: GarchSpecification,
  places: readonly number[],
  heldOn: readonly HeldBound[],
): Float64Array[] {
  const sums = heldOn.map((bound) => Float64Array.from(places, (place) => weightIn(bound, model, place)));
  // Gauss and Jordan, without rounding: all entries are halves of small whole numbers.
  const given = sums.map((sum, i) => {
    const at = sum.findIndex((weight) => weight !== 0);
    const head = sum[at];
    for (let k = 0; k < sum.length; k++) sum[k] /= head;
    for (const [j, other] of sums.entries()) {
      const share = other[at];
      if (j !== i) for (let k = 0; k < sum.length; k++) other[k] -= share * sum[k];
    }
    return at;
  });
  return places.flatMap((_, free) => {
    if (given.includes(free)) return [];
    const direction = new Float64Array(places.length);
    direction[free] = 1;
    for (const [i, at] of given.entries()) direction[at] = -sums[i][free];
    return [direction];
  });
}

/** How a parameter counts in the sum that a bound holds: α, α + γ, β, α + γ/2 + β (of `egarch` β) or ν. */
function weightIn(bound: HeldBound, model: GarchSpecification['model'], place: number): number {
  if (bound === 'nu') return place === NU ? 1 : 0;
  if (bound === 'beta' || (bound === 'persistence' && model === 'egarch')) return place === BETA ? 1 : 0;
  if (place === ALPHA) return 1;
  if (place === BETA) return bound === 'persistence' ? 1 : 0;
  if (place !== GAMMA || bound === 'alpha') return 0;
  return bound === 'fall' ? 1 : 0.5;
}

/** Dᵀ A D. */
function within(directions: readonly Float64Array[], matrix: Float64Array): Float64Array {
  const size = directions.length;
  const whole = directions[0].length;
  const result = new Float64Array(size * size);
  for (let i = 0; i < size; i++)
    for (let j = 0; j < size; j++)
      for (let k = 0; k < whole; k++)
        for (let l = 0; l < whole; l++)
          result[i * size + j] += directions[i][k] * matrix[k * whole + l] * directions[j][l];
  return result;
}

/** D A Dᵀ, of `whole` × `whole`. */
function spread(directions: readonly Float64Array[], matrix: Float64Array, whole: number): Float64Array {
  const size = directions.length;
  const result = new Float64Array(whole * whole);
  for (let k = 0; k < whole; k++)
    for (let l = 0; l < whole; l++)
      for (let i = 0; i < size; i++)
        for (let j = 0; j < size; j++)
          result[k * whole + l] += directions[i][k] * matrix[i * size + j] * directions[j][l];
  return result;
}

function negativeHessian(
  likelihood: GarchLikelihood,
  parameters: Float64Array,
  places: readonly number[],
): Float64Array {
  const size = places.length;
  const raw = new Float64Array(size * size);
  const [up, down] = [new Float64Array(PARAMETER_COUNT), new Float64Array(PARAMETER_COUNT)];
  for (let i = 0; i < size; i++) {
    const moved = parameters.slice();
    const step = RELATIVE_STEP * Math.max(Math.abs(parameters[places[i]]), 1e-3);
    moved[places[i]] += step;
    likelihood.evaluate(moved, up);
    moved[places[i]] -= 2 * step;
    likelihood.evaluate(moved, down);
    for (let j = 0; j < size; j++) raw[i * size + j] = -(up[places[j]] - down[places[j]]) / (2 * step);
  }
  return raw.map((_, at) => 0.5 * (raw[at] + raw[(at % size) * size + Math.floor(at / size)]));
}

function scoreSquares(
  likelihood: GarchLikelihood,
  parameters: Float64Array,
  places: readonly number[],
): Float64Array {
  const size = places.length;
  const n = likelihood.variance.length - 1;
  const scores = new Float64Array(n * PARAMETER_COUNT);
  likelihood.evaluate(parameters, new Float64Array(PARAMETER_COUNT), scores);
  const squares = new Float64Array(size * size);
  for (let t = 0; t < n; t++)
    for (let i = 0; i < size; i++)
      for (let j = 0; j < size; j++)
        squares[i * size + j] +=
          scores[t * PARAMETER_COUNT + places[i]] * scores[t * PARAMETER_COUNT + places[j]];
  return squares;
}

function errorsOf(
  covariance: Float64Array,
  { model }: GarchSpecification,
  places: readonly number[],
  scale: number,
): ParameterErrors {
  const size = places.length;
  const variance = (a: number, b: number): number => covariance[places.indexOf(a) * size + places.indexOf(b)];
  return Object.fromEntries(
    places.map((place, i) => {
      let own = covariance[i * size + i];
      if (place === MU) own *= scale ** 2;
      if (place === OMEGA && model !== 'egarch') own *= scale ** 4;
      if (place === OMEGA && model === 'egarch') {
        // ω in the unit of the returns is ω + 2 ln s (1 − β): the error of β comes into it.
        const slope = -2 * Math.log(scale);
        own += 2 * slope * variance(OMEGA, BETA) + slope ** 2 * variance(BETA, BETA);
      }
      return [PARAMETER_NAMES[place], Math.sqrt(Math.max(own, 0))];
    }),
  );
}
