import { requireSeries } from '../../numeric/inputs.ts';
import { type Minimum, minimise } from '../../numeric/minimise.ts';
import { simplexMinimise } from '../../numeric/simplex.ts';
import { type Unavailable, unavailable } from '../../outcome.ts';
import { GarchLikelihood } from './likelihood.ts';
import {
  ALPHA,
  BETA,
  fromVector,
  GAMMA,
  type GarchParameters,
  type GarchSpecification,
  MU,
  NU,
  OMEGA,
  PARAMETER_COUNT,
  toVector,
} from './model.ts';
import { type SearchSpace, searchSpace } from './search-space.ts';
import { type GarchStandardErrors, standardErrors } from './standard-errors.ts';

/** A fitted model. Everything is in the unit of the returns that were given. */
export interface GarchFit {
  readonly available: true;
  readonly specification: GarchSpecification;
  readonly parameters: GarchParameters;
  readonly logLikelihood: number;
  /** σ² by observation, each known one step before. */
  readonly variance: Float64Array;
  /** σ² of the observation after the last. */
  readonly nextVariance: number;
  readonly standardErrors: GarchStandardErrors | Unavailable;
  readonly evaluations: number;
}

/** Fewer returns than this do not carry the parameters. */
export const LEAST_RETURNS = 100;
const STANDARD: GarchSpecification = {
  model: 'garch',
  distribution: 't',
  mean: 'constant',
  start: 'backcast',
};

/**
 * Maximum likelihood by quasi-Newton steps on analytic gradients, from the best places of a coarse grid. The returns are
 * standardised for the search, so that their unit does not matter.
 *
 * @param returns at least `LEAST_RETURNS`, finite, oldest first.
 * @param from parameters to search from alone and quickly, as of a fit to nearly the same returns; without them, from a grid.
 * @returns unavailable where the returns do not vary, or where no search came to rest.
 * @throws PlimsollError DATA_INSUFFICIENT, INPUT_INVALID.
 */
export function fitGarch(
  returns: Float64Array,
  specification: Partial<GarchSpecification> = {},
  from?: GarchParameters,
): GarchFit | Unavailable {
  requireSeries('returns', returns, LEAST_RETURNS);
  const whole = { ...STANDARD, ...specification };
  const { mean, deviation, largest } = momentsOf(returns, whole.mean);
  if (!(deviation > 1e-12 * largest))
    return unavailable('the returns do not vary: there is no volatility to fit');
  const scaled = returns.map((value) => value / deviation);
  const likelihood = new GarchLikelihood(scaled, whole);
  const space = searchSpace(whole);
  const starts =
    from === undefined
      ? startingPoints(whole, mean / deviation)
      : [[inside(toUnit(toVector(from), whole, 1 / deviation), whole)]];
  const found = search(likelihood, space, whole, starts, from === undefined);
  if (found === null) return unavailable('the likelihood has no maximum that a search comes to rest at');
  const errors = standardErrors(likelihood, whole, found.parameters, deviation);
  const gradient = new Float64Array(PARAMETER_COUNT);
  const logLikelihood =
    likelihood.evaluate(found.parameters, gradient) - returns.length * Math.log(deviation);
  const square = deviation * deviation;
  return {
    available: true,
    specification: whole,
    parameters: fromVector(toUnit(found.parameters, whole, deviation)),
    logLikelihood,
    variance: likelihood.variance.subarray(0, returns.length).map((value) => value * square),
    nextVariance: likelihood.variance[returns.length] * square,
    standardErrors: errors,
    evaluations: found.evaluations,
  };
}

/** Off the bounds by a little: on a bound the gradient by its coordinate is 0, and a search would never leave it. */
function inside(parameters: Float64Array, { model }: GarchSpecification): Float64Array {
  const moved = parameters.slice();
  if (model === 'egarch') return moved;
  moved[ALPHA] = Math.max(moved[ALPHA], 1e-3);
  if (model === 'gjr') moved[GAMMA] = Math.max(moved[GAMMA], 1e-3 - moved[ALPHA]);
  moved[BETA] = Math.max(Math.min(moved[BETA], 0.999 - moved[ALPHA] - 0.5 * moved[GAMMA]), 1e-3);
  return moved;
}

/** Parameters of returns in units of `scale`, in the unit of the returns. */
function toUnit(parameters: Float64Array, { model }: GarchSpecification, scale: number): Float64Array {
  const result = parameters.slice();
  result[MU] *= scale;
  // ln σ² moves by 2 ln s on both sides of the recursion of `egarch`.
  if (model === 'egarch') result[OMEGA] += 2 * Math.log(scale) * (1 - parameters[BETA]);
  else result[OMEGA] *= scale * scale;
  return result;
}

interface Found {
  readonly parameters: Float64Array;
  readonly evaluations: number;
}

function search(
  likelihood: GarchLikelihood,
  space: SearchSpace,
  specification: GarchSpecification,
  starts: readonly (readonly Float64Array[])[],
  isPolished: boolean,
): Found | null {
  const parameters = new Float64Array(PARAMETER_COUNT);
  const byParameters = new Float64Array(PARAMETER_COUNT);
  const n = likelihood.variance.length - 1;
  // Per observation, so that one tolerance serves every length.
  const f = (x: Float64Array, gradient: Float64Array): number => {
    space.toParameters(x, parameters);
    const value = likelihood.evaluate(parameters, byParameters);
    space.pullBack(x, byParameters, gradient);
    for (let i = 0; i < gradient.length; i++) gradient[i] /= -n;
    return -value / n;
  };
  let evaluations = 0;
  const found = starts.map((neighbours) => {
    const values = neighbours.map((point) => likelihood.evaluate(point, byParameters));
    const start = space.fromParameters(neighbours[values.indexOf(Math.max(...values))]);
    const minimum = minimise(f, start, { gradientTolerance: GRADIENT_TOLERANCE });
    evaluations += values.length + minimum.evaluations;
    return minimum;
  });
  const gradient = new Float64Array(space.size);
  const hasKinks = specification.model === 'egarch' && specification.mean === 'constant';
  for (const minimum of found
    .filter(({ value }) => Number.isFinite(value))
    .sort((a, b) => a.value - b.value)) {
    const best = hasKinks && isPolished ? polish((x) => f(x, gradient), minimum, space) : minimum;
    if (best !== minimum) evaluations += best.evaluations;
    f(best.at, gradient);
    const isAtRest = hasKinks
      ? best === minimum || best.converged
      : gradient.every((entry) => Math.abs(entry) <= RESTING_GRADIENT);
    if (!isAtRest) continue;
    space.toParameters(best.at, parameters);
    return { parameters: parameters.slice(), evaluations };
  }
  return null;
}

const POLISHING_STEP = 0.02;
const MOST_POLISHING = 5000;

/**
 * The likelihood of `egarch` has a kink in μ at every return, since |z| has one: a descent along gradients may end in such a kink, a
 * simplex goes on. It moves only the coordinates that mean something.
 */
function polish(f: (x: Float64Array) => number, { at }: Minimum, { active }: SearchSpace): Minimum {
  const x = at.slice();
  const whole = (reduced: Float64Array): Float64Array => {
    active.forEach((place, i) => {
      x[place] = reduced[i];
    });
    return x;
  };
  const start = Float64Array.from(active, (place) => at[place]);
  const steps = new Float64Array(active.length).fill(POLISHING_STEP);
  const options = { steps, maximumEvaluations: MOST_POLISHING };
  const found = simplexMinimise((reduced) => f(whole(reduced)), start, options);
  return { ...found, at: whole(found.at).slice() };
}

/** Of the mean log likelihood: a parameter is then right to about 1e-6 of its standard error at 1,000 observations. */
const GRADIENT_TOLERANCE = 1e-8;
/** Above this the search stopped on a slope. */
const RESTING_GRADIENT = 1e-4;

/**
 * Of standardised returns, with ω such that the variance is 1 in the long run: groups of neighbours, of each of which the likeliest
 * starts a search. They differ in persistence, along which likelihoods have their ridges and their second maxima.
 */
function startingPoints({ model, distribution }: GarchSpecification, mean: number): Float64Array[][] {
  const isEgarch = model === 'egarch';
  const groups: readonly (readonly [number, readonly number[]])[] = isEgarch
    ? [
        [0.5, [0.06, 0.2]],
        [0.5, [0.4, 0.7]],
        [0.9, [0.06, 0.2]],
        [0.98, [0.03, 0.1]],
      ]
    : [
        [0.5, [0.03, 0.08, 0.2]],
        [0.9, [0.03, 0.08, 0.2]],
        [0.99, [0.03, 0.08, 0.2]],
        [0.97, [0.008]],
      ];
  return groups.map(([persistence, reactions]) =>
    reactions.map((reaction) => {
      const point = new Float64Array(PARAMETER_COUNT);
      point[MU] = mean;
      point[NU] = distribution === 't' ? 6 : Number.POSITIVE_INFINITY;
      point[ALPHA] = model === 'gjr' ? 0.6 * reaction : reaction;
      point[GAMMA] = model === 'gjr' ? 0.8 * reaction : 0;
      point[BETA] = isEgarch ? persistence : persistence - reaction;
      point[OMEGA] = isEgarch ? 0 : 1 - persistence;
      return point;
    }),
  );
}

function momentsOf(
  returns: Float64Array,
  mode: GarchSpecification['mean'],
): { mean: number; deviation: number; largest: number } {
  let mean = 0;
  let largest = 0;
  for (let t = 0; t < returns.length; t++) {
    mean += returns[t] / returns.length;
    largest = Math.max(largest, Math.abs(returns[t]));
  }
  const centre = mode === 'constant' ? mean : 0;
  let squares = 0;
  for (let t = 0; t < returns.length; t++) squares += (returns[t] - centre) ** 2;
  return { mean: centre, deviation: Math.sqrt(squares / returns.length), largest };
}
