import { minimiseScalar, rootOf } from '../numeric/scalar.ts';
import { type Unavailable, unavailable } from '../outcome.ts';

/**
 * The generalised Pareto distribution of excesses over a threshold, P(X > x) = (1 + ξ x/β)^(−1/ξ), by maximum likelihood. Unlike
 * `pareto-tail.ts`, which the service's limits stand on, nothing is bounded here but what the method itself needs.
 */
export interface GeneralisedPareto {
  readonly available: true;
  /** ξ; above 0 the tail is heavy, below 0 it ends. */
  readonly shape: number;
  /** β, positive. */
  readonly scale: number;
  readonly logLikelihood: number;
  readonly standardErrors: { readonly shape: number; readonly scale: number };
  readonly count: number;
}

/** Below ξ = −½ the likelihood has no regular maximum (Smith 1985). */
const LEAST_SHAPE = -0.5;
export const LEAST_EXCESSES = 10;
/** ln(1 + ξ/β · largest excess) is searched between these. */
const [LEAST_COORDINATE, MOST_COORDINATE] = [-4, 30];
const SCANNED = 120;

/**
 * Maximum likelihood over one variable: given θ = ξ/β the best ξ is the mean of ln(1 + θ x), and β = ξ/θ (Davison 1984; Grimshaw
 * 1993). Standard errors from the observed information.
 *
 * @param excesses positive, at least `LEAST_EXCESSES`, not all alike.
 */
export function fitGeneralisedPareto(excesses: Float64Array): GeneralisedPareto | Unavailable {
  const n = excesses.length;
  if (n < LEAST_EXCESSES) return unavailable(`${n} excesses are too few; ${LEAST_EXCESSES} are needed`);
  let largest = 0;
  let smallest = Number.POSITIVE_INFINITY;
  for (let i = 0; i < n; i++) {
    largest = Math.max(largest, excesses[i]);
    smallest = Math.min(smallest, excesses[i]);
  }
  if (!(largest - smallest > 1e-12 * largest)) return unavailable('the excesses are all alike');
  const loss = (coordinate: number): number => {
    const { shape, scale } = given(excesses, Math.expm1(coordinate) / largest);
    return shape < LEAST_SHAPE ? Number.MAX_VALUE : Math.log(scale) + shape;
  };
  const best = minimiseScalar(loss, LEAST_COORDINATE, MOST_COORDINATE, SCANNED);
  const { shape, scale } = given(excesses, Math.expm1(best.at) / largest);
  if (shape < LEAST_SHAPE + 1e-6)
    return unavailable('the excesses end so abruptly that no tail of this kind fits');
  return {
    available: true,
    shape,
    scale,
    logLikelihood: -n * (Math.log(scale) + shape + 1),
    standardErrors: standardErrorsOf(excesses, shape, scale),
    count: n,
  };
}

/** The likeliest ξ and β of a given ratio θ = ξ/β. */
function given(excesses: Float64Array, ratio: number): { shape: number; scale: number } {
  const n = excesses.length;
  let sum = 0;
  if (Math.abs(ratio * excesses[0]) < 1e-12) {
    for (let i = 0; i < n; i++) sum += excesses[i];
    return { shape: 0, scale: sum / n };
  }
  for (let i = 0; i < n; i++) sum += Math.log1p(ratio * excesses[i]);
  const shape = sum / n;
  return { shape, scale: shape / ratio };
}

/** Where ξ is this near to 0, the observed information loses its digits, and the expected one of ξ = 0 stands for it. */
const NEARLY_EXPONENTIAL = 1e-3;

function standardErrorsOf(
  excesses: Float64Array,
  shape: number,
  scale: number,
): { shape: number; scale: number } {
  const n = excesses.length;
  let [logs, first, second] = [0, 0, 0];
  for (let i = 0; i < n; i++) {
    const x = excesses[i] / scale;
    const factor = 1 + shape * x;
    logs += Math.log(factor);
    first += x / factor;
    second += (x / factor) ** 2;
  }
  const byShape = (2 / shape ** 3) * logs - (2 / shape ** 2) * first - (1 + 1 / shape) * second;
  const byScale = ((1 + shape) * (2 * first - shape * second) - n) / scale ** 2;
  const byBoth = ((1 + shape) * second - first) / scale;
  const determinant = byShape * byScale - byBoth * byBoth;
  if (Math.abs(shape) > NEARLY_EXPONENTIAL && byShape > 0 && determinant > 0)
    return { shape: Math.sqrt(byScale / determinant), scale: Math.sqrt(byShape / determinant) };
  return { shape: (1 + shape) / Math.sqrt(n), scale: scale * Math.sqrt((2 * (1 + shape)) / n) };
}

/** Σ ln f(x) at any parameters; −∞ where an excess lies beyond the end of the tail. */
export function paretoLogLikelihood(excesses: Float64Array, shape: number, scale: number): number {
  if (!(scale > 0)) return Number.NEGATIVE_INFINITY;
  const n = excesses.length;
  let sum = 0;
  if (Math.abs(shape) < 1e-9) {
    for (let i = 0; i < n; i++) sum += excesses[i] / scale;
    return -n * Math.log(scale) - sum;
  }
  for (let i = 0; i < n; i++) {
    const factor = 1 + (shape * excesses[i]) / scale;
    if (!(factor > 0)) return Number.NEGATIVE_INFINITY;
    sum += Math.log(factor);
  }
  return -n * Math.log(scale) - (1 + 1 / shape) * sum;
}

/** (r^ξ − 1)/ξ with r = 1/probability of being exceeded: the quantile in units of β. */
export function paretoGrowth(shape: number, ratio: number): number {
  const logRatio = Math.log(ratio);
  return Math.abs(shape) < 1e-9 ? logRatio : Math.expm1(shape * logRatio) / shape;
}

/** The quantile of the chi-square distribution with one degree of freedom at 95 %. */
const CHI_SQUARE_95 = 3.841458820694124;

/**
 * 95 % interval of the excess that is exceeded with probability 1/ratio, by the profile of the likelihood: all values at which, with
 * the best ξ for each, twice the logarithm falls by at most χ²₁ (Coles 2001, 4.3.3). It leans to the right as the uncertainty of a
 * tail does, which an interval of plus and minus cannot.
 *
 * @param ratio above 1.
 */
export function profileInterval(
  excesses: Float64Array,
  fit: GeneralisedPareto,
  ratio: number,
): { readonly low: number; readonly high: number } {
  const best = fit.scale * paretoGrowth(fit.shape, ratio);
  const floor = fit.logLikelihood - 0.5 * CHI_SQUARE_95;
  const profile = (value: number): number => {
    const loss = (shape: number): number => {
      const scale = value / paretoGrowth(shape, ratio);
      return Math.min(-paretoLogLikelihood(excesses, shape, scale), Number.MAX_VALUE);
    };
    return -minimiseScalar(loss, LEAST_SHAPE, MOST_PROFILED_SHAPE, PROFILE_SCANNED).value - floor;
  };
  let high = 2 * best;
  while (profile(high) > 0 && high < best * WIDEST) high *= 2;
  let low = 0.5 * best;
  while (profile(low) > 0 && low > best / WIDEST) low *= 0.5;
  return {
    low: profile(low) > 0 ? low : rootOf(profile, low, best),
    high: profile(high) > 0 ? high : rootOf(profile, best, high),
  };
}

const MOST_PROFILED_SHAPE = 3;
const PROFILE_SCANNED = 40;
/** An end of the interval this far from the estimate is as good as open. */
const WIDEST = 1e6;
