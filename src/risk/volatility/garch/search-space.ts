import { ALPHA, BETA, GAMMA, type GarchSpecification, MU, NU, OMEGA } from './model.ts';

/** Bounds of ν: below, the fourth digit of a variance is noise; above, t errors are normal ones to any test. */
const LEAST_NU = 2.05;
const MOST_NU = 500;
/** Bound of β of `egarch` in size: at 1 there is no long-run variance, and a sine is 1 in a whole neighbourhood, to rounding. */
const MOST_BETA = 1 - 1e-9;

/**
 * Coordinates without bounds in which the admissible parameters of a model are all of space, so that a search needs no constraints.
 * Shares are squares over a sum of squares: a coordinate at 0 is a parameter on its bound, reached at a finite place, with a
 * smooth likelihood around it.
 *
 * `garch` and `gjr`: α/2, (α + γ)/2, β and what is left to 1 are shares of 1, so that every variance is positive and the
 * persistence at most 1. `egarch`: β is a sine, nearly. 1/ν moves between its bounds as a squared sine. ω is an exponential, but of `egarch`.
 */
export interface SearchSpace {
  readonly size: number;
  /** The coordinates that some parameter depends on. */
  readonly active: readonly number[];
  toParameters(coordinates: Float64Array, parameters: Float64Array): void;
  fromParameters(parameters: Float64Array): Float64Array;
  /** The gradient by coordinates from that by parameters, at the coordinates last given to `toParameters`. */
  pullBack(coordinates: Float64Array, byParameters: Float64Array, byCoordinates: Float64Array): void;
}

/** Coordinates: μ, ω, four roots of shares (or α, γ, β's angle and an idle one), ν's angle. */
const [ROOT_RISE, ROOT_FALL, ROOT_BETA, ROOT_REST, NU_ANGLE] = [2, 3, 4, 5, 6] as const;
const SIZE = 7;

export function searchSpace(specification: GarchSpecification): SearchSpace {
  const { model, distribution, mean } = specification;
  const isEgarch = model === 'egarch';
  const isSymmetric = model === 'garch';
  const hasMean = mean === 'constant';
  const isStudent = distribution === 't';
  return {
    size: SIZE,
    active: [
      ...(hasMean ? [MU] : []),
      OMEGA,
      ROOT_RISE,
      ...(isSymmetric ? [] : [ROOT_FALL]),
      ROOT_BETA,
      ...(isEgarch ? [] : [ROOT_REST]),
      ...(isStudent ? [NU_ANGLE] : []),
    ],
    toParameters(x, parameters) {
      parameters[MU] = hasMean ? x[MU] : 0;
      if (isEgarch) {
        parameters[OMEGA] = x[OMEGA];
        parameters[ALPHA] = x[ROOT_RISE];
        parameters[GAMMA] = x[ROOT_FALL];
        parameters[BETA] = MOST_BETA * Math.sin(x[ROOT_BETA]);
      } else {
        const total = squareSum(x, isSymmetric);
        parameters[OMEGA] = Math.exp(x[OMEGA]);
        const rise = x[ROOT_RISE] ** 2 / total;
        const fall = isSymmetric ? 0 : x[ROOT_FALL] ** 2 / total;
        parameters[ALPHA] = isSymmetric ? rise : 2 * rise;
        parameters[GAMMA] = isSymmetric ? 0 : 2 * (fall - rise);
        parameters[BETA] = x[ROOT_BETA] ** 2 / total;
      }
      parameters[NU] = isStudent ? 1 / inverseNu(x[NU_ANGLE]) : Number.POSITIVE_INFINITY;
    },
    fromParameters(parameters) {
      const x = new Float64Array(SIZE);
      x[MU] = parameters[MU];
      if (isEgarch) {
        x[OMEGA] = parameters[OMEGA];
        x[ROOT_RISE] = parameters[ALPHA];
        x[ROOT_FALL] = parameters[GAMMA];
        x[ROOT_BETA] = Math.asin(Math.max(-1, Math.min(parameters[BETA] / MOST_BETA, 1)));
      } else {
        const [alpha, gamma, beta] = [parameters[ALPHA], parameters[GAMMA], parameters[BETA]];
        x[OMEGA] = Math.log(parameters[OMEGA]);
        x[ROOT_RISE] = Math.sqrt(isSymmetric ? alpha : 0.5 * alpha);
        x[ROOT_FALL] = isSymmetric ? 0 : Math.sqrt(0.5 * (alpha + gamma));
        x[ROOT_BETA] = Math.sqrt(beta);
        x[ROOT_REST] = Math.sqrt(Math.max(1 - alpha - 0.5 * gamma - beta, 0));
      }
      if (isStudent) x[NU_ANGLE] = angleOf(parameters[NU]);
      return x;
    },
    pullBack(x, byParameters, byCoordinates) {
      byCoordinates.fill(0);
      if (hasMean) byCoordinates[MU] = byParameters[MU];
      if (isEgarch) {
        byCoordinates[OMEGA] = byParameters[OMEGA];
        byCoordinates[ROOT_RISE] = byParameters[ALPHA];
        byCoordinates[ROOT_FALL] = byParameters[GAMMA];
        byCoordinates[ROOT_BETA] = byParameters[BETA] * MOST_BETA * Math.cos(x[ROOT_BETA]);
      } else {
        byCoordinates[OMEGA] = byParameters[OMEGA] * Math.exp(x[OMEGA]);
        pullBackShares(x, byParameters, byCoordinates, isSymmetric);
      }
      if (isStudent) {
        const inverse = inverseNu(x[NU_ANGLE]);
        const slope = (1 / LEAST_NU - 1 / MOST_NU) * Math.sin(2 * x[NU_ANGLE]);
        byCoordinates[NU_ANGLE] = (-byParameters[NU] / (inverse * inverse)) * slope;
      }
    },
  };
}

/** With shares sᵢ = xᵢ²/T, ∂f/∂xᵢ = (2 xᵢ/T) (fᵢ − Σⱼ sⱼ fⱼ), fᵢ the derivative by share i. */
function pullBackShares(
  x: Float64Array,
  byParameters: Float64Array,
  byCoordinates: Float64Array,
  isSymmetric: boolean,
): void {
  const total = squareSum(x, isSymmetric);
  const byRise = isSymmetric ? byParameters[ALPHA] : 2 * (byParameters[ALPHA] - byParameters[GAMMA]);
  const byFall = isSymmetric ? 0 : 2 * byParameters[GAMMA];
  const byBeta = byParameters[BETA];
  const mean =
    (x[ROOT_RISE] ** 2 * byRise +
      (isSymmetric ? 0 : x[ROOT_FALL] ** 2 * byFall) +
      x[ROOT_BETA] ** 2 * byBeta) /
    total;
  const factor = 2 / total;
  byCoordinates[ROOT_RISE] = factor * x[ROOT_RISE] * (byRise - mean);
  if (!isSymmetric) byCoordinates[ROOT_FALL] = factor * x[ROOT_FALL] * (byFall - mean);
  byCoordinates[ROOT_BETA] = factor * x[ROOT_BETA] * (byBeta - mean);
  byCoordinates[ROOT_REST] = -factor * x[ROOT_REST] * mean;
}

function squareSum(x: Float64Array, isSymmetric: boolean): number {
  const fall = isSymmetric ? 0 : x[ROOT_FALL] ** 2;
  return x[ROOT_RISE] ** 2 + fall + x[ROOT_BETA] ** 2 + x[ROOT_REST] ** 2;
}

function inverseNu(angle: number): number {
  return 1 / MOST_NU + (1 / LEAST_NU - 1 / MOST_NU) * Math.sin(angle) ** 2;
}

function angleOf(nu: number): number {
  const share = (1 / nu - 1 / MOST_NU) / (1 / LEAST_NU - 1 / MOST_NU);
  return Math.asin(Math.sqrt(Math.min(Math.max(share, 0), 1)));
}

/** What holds a maximum that does not lie inside the admissible parameters. */
export type HeldBound = 'alpha' | 'fall' | 'beta' | 'persistence' | 'nu';

/** A share this near to its bound is on it: the coordinate is a root, so that a search stops at about the square of its precision. */
const ON_BOUND = 1e-7;

/** The bounds that the parameters lie on: α = 0, α + γ = 0, β = 0, persistence 1, ν at an end of its range. */
export function heldBounds(
  { model, distribution }: GarchSpecification,
  parameters: Float64Array,
): HeldBound[] {
  const [alpha, gamma, beta, nu] = [parameters[ALPHA], parameters[GAMMA], parameters[BETA], parameters[NU]];
  const held: HeldBound[] = [];
  if (model === 'egarch') {
    if (Math.abs(beta) > 1 - ON_BOUND) held.push('persistence');
  } else {
    if (alpha < ON_BOUND) held.push('alpha');
    if (model === 'gjr' && alpha + gamma < ON_BOUND) held.push('fall');
    if (beta < ON_BOUND) held.push('beta');
    if (1 - alpha - 0.5 * gamma - beta < ON_BOUND) held.push('persistence');
  }
  if (distribution === 't' && (nu > MOST_NU * (1 - 1e-4) || nu < LEAST_NU * (1 + 1e-6))) held.push('nu');
  return held;
}
