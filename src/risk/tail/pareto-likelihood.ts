import { fitParetoTail, MAXIMUM_SHAPE, MINIMUM_SHAPE, type ParetoTail } from './pareto-tail.ts';

/** The product of factors is taken to the logarithm before it leaves the range of a double. */
const LARGEST_PRODUCT = 1e100;
const MOST_STEPS = 60;
/** θ is found to this share of itself: the shape is then known to as much, far below its standard error. */
const TOLERANCE = 1e-6;
/** Where the moments see no heavy tail, the search starts at a shape about this large. */
const FIRST_SHAPE = 0.05;

/**
 * Peaks over threshold by maximum likelihood, with the shape in [`MINIMUM_SHAPE`, `MAXIMUM_SHAPE`]: the estimate of
 * `fitGeneralisedPareto` where that lies inside, in about a hundredth of its time. With θ = ξ/β the best ξ is the mean of
 * ln(1 + θ x), and the likelihood is stationary where (1 + ξ) · mean of 1/(1 + θ x) = 1 (Grimshaw 1993); the logarithms are
 * taken of products, and the root is found by regula falsi (Illinois) from the estimate by moments.
 *
 * Where excesses spread less than exponential ones (their second moment is below twice the square of the mean), the tail is
 * taken as exponential; where the shape meets its upper bound, β = mean · (1 − ξ) keeps the mean excess.
 *
 * @param tail the largest values of the sample, ascending; those above the threshold are fitted.
 * @param n size of the whole sample.
 */
export function fitParetoLikelihood(tail: Float64Array, n: number, threshold: number): ParetoTail {
  const moments = fitParetoTail(tail, n, threshold);
  const count = Math.round(moments.exceedanceShare * n);
  if (count === 0) return moments;
  const first = tail.length - count;
  let mean = 0;
  let square = 0;
  for (let i = first; i < tail.length; i++) {
    const excess = tail[i] - threshold;
    mean += excess;
    square += excess * excess;
  }
  mean /= count;
  square /= count;
  const base = { threshold, exceedanceShare: moments.exceedanceShare };
  if (!(square > 2 * mean * mean)) return { ...base, shape: MINIMUM_SHAPE, scale: mean };

  const excesses = new Excesses(tail, first, threshold);
  const start = Math.max(moments.shape, FIRST_SHAPE) / (mean * (1 - Math.max(moments.shape, FIRST_SHAPE)));
  const theta = rootNear(start, (at) => excesses.score(at));
  const shape = excesses.shapeAt(theta);
  if (!(shape < MAXIMUM_SHAPE)) return { ...base, shape: MAXIMUM_SHAPE, scale: mean * (1 - MAXIMUM_SHAPE) };
  return { ...base, shape, scale: shape / theta };
}

class Excesses {
  readonly #tail: Float64Array;
  readonly #first: number;
  readonly #threshold: number;

  constructor(tail: Float64Array, first: number, threshold: number) {
    this.#tail = tail;
    this.#first = first;
    this.#threshold = threshold;
  }

  shapeAt(theta: number): number {
    return this.#means(theta).logarithm;
  }

  /** (1 + ξ) · mean of 1/(1 + θ x) − 1: above 0 for small θ where the tail is heavy, below 0 beyond the maximum. */
  score(theta: number): number {
    const { logarithm, reciprocal } = this.#means(theta);
    return (1 + logarithm) * reciprocal - 1;
  }

  #means(theta: number): { readonly logarithm: number; readonly reciprocal: number } {
    const tail = this.#tail;
    const threshold = this.#threshold;
    let logarithm = 0;
    let product = 1;
    let reciprocal = 0;
    for (let i = this.#first; i < tail.length; i++) {
      const factor = 1 + theta * (tail[i] - threshold);
      reciprocal += 1 / factor;
      product *= factor;
      if (product > LARGEST_PRODUCT) {
        logarithm += Math.log(product);
        product = 1;
      }
    }
    const count = tail.length - this.#first;
    return { logarithm: (logarithm + Math.log(product)) / count, reciprocal: reciprocal / count };
  }
}

/** The place above 0 where a function goes from above 0 to below it, searched by doubling and halving, then Illinois. */
function rootNear(start: number, f: (x: number) => number): number {
  let [low, high] = [start, start];
  let [atLow, atHigh] = [f(start), 0];
  if (atLow > 0) {
    for (let step = 0; step < MOST_STEPS; step++) {
      high *= 2;
      atHigh = f(high);
      if (atHigh <= 0) break;
      [low, atLow] = [high, atHigh];
    }
  } else {
    atHigh = atLow;
    for (let step = 0; step < MOST_STEPS; step++) {
      low /= 2;
      atLow = f(low);
      if (atLow > 0) break;
      [high, atHigh] = [low, atLow];
    }
  }
  for (let step = 0; step < MOST_STEPS && high - low > TOLERANCE * high; step++) {
    const at = (low * atHigh - high * atLow) / (atHigh - atLow);
    if (!(at > low && at < high)) break;
    const value = f(at);
    if (value > 0) {
      [low, atLow] = [at, value];
      atHigh *= 0.5;
    } else {
      [high, atHigh] = [at, value];
      atLow *= 0.5;
    }
    if (Math.abs(value) < 1e-12) return at;
  }
  return 0.5 * (low + high);
}
