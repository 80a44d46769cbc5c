import { fitParetoTail, MAXIMUM_SHAPE, MINIMUM_SHAPE, type ParetoTail } from './pareto-tail.ts';

/** The product of factors is taken to the logarithm before it leaves the range of a double. */
const LARGEST_PRODUCT = 1e100;
const MOST_STEPS = 60;
/** The search ends with a step below this share of θ: what is left is about its square. */
const TOLERANCE = 1e-5;
/** θ becomes at most this many times as large or as small in one step. */
const LARGEST_STEP = 4;
/** Where the moments see no heavy tail, the search starts at a shape about this large. */
const FIRST_SHAPE = 0.05;

/**
 * Peaks over threshold by maximum likelihood, with the shape in [`MINIMUM_SHAPE`, `MAXIMUM_SHAPE`]: the estimate of
 * `fitGeneralisedPareto` where that lies inside, in about a hundredth of its time. With θ = ξ/β the best ξ is the mean of
 * ln(1 + θ x), and the likelihood is stationary where (1 + ξ) · mean of 1/(1 + θ x) = 1 (Grimshaw 1993); the logarithms are
 * taken of products, and the root is found by Newton's method from the estimate by moments.
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
  const base = { threshold, exceedanceShare: moments.exceedanceShare };
  const excesses = new Excesses(tail, first, threshold);
  const mean = excesses.mean();
  if (!(excesses.meanSquare() > 2 * mean * mean)) return { ...base, shape: MINIMUM_SHAPE, scale: mean };
  const start = Math.max(moments.shape, FIRST_SHAPE) / (mean * (1 - Math.max(moments.shape, FIRST_SHAPE)));
  const theta = maximumNear(start, excesses);
  excesses.measure(theta);
  const { shape } = excesses;
  if (!(shape < MAXIMUM_SHAPE)) return { ...base, shape: MAXIMUM_SHAPE, scale: mean * (1 - MAXIMUM_SHAPE) };
  return { ...base, shape, scale: shape / theta };
}

class Excesses {
  readonly #tail: Float64Array;
  readonly #first: number;
  readonly #threshold: number;
  /** Mean of ln(1 + θ x) at the θ that was last measured: the best shape there. */
  shape = 0;
  /** (1 + ξ) · mean of 1/(1 + θ x) − 1: above 0 for small θ where the tail is heavy, below 0 beyond the maximum. */
  score = 0;
  /** Of the score by ln θ. */
  slope = 0;

  constructor(tail: Float64Array, first: number, threshold: number) {
    this.#tail = tail;
    this.#first = first;
    this.#threshold = threshold;
  }

  mean(): number {
    let sum = 0;
    for (let i = this.#first; i < this.#tail.length; i++) sum += this.#tail[i] - this.#threshold;
    return sum / (this.#tail.length - this.#first);
  }

  meanSquare(): number {
    let sum = 0;
    for (let i = this.#first; i < this.#tail.length; i++) sum += (this.#tail[i] - this.#threshold) ** 2;
    return sum / (this.#tail.length - this.#first);
  }

  measure(theta: number): void {
    const tail = this.#tail;
    const threshold = this.#threshold;
    let logarithm = 0;
    let product = 1;
    let reciprocal = 0;
    let square = 0;
    for (let i = this.#first; i < tail.length; i++) {
      const factor = 1 + theta * (tail[i] - threshold);
      const inverse = 1 / factor;
      reciprocal += inverse;
      square += inverse * inverse;
      product *= factor;
      if (product > LARGEST_PRODUCT) {
        logarithm += Math.log(product);
        product = 1;
      }
    }
    const count = tail.length - this.#first;
    reciprocal /= count;
    this.shape = (logarithm + Math.log(product)) / count;
    this.score = (1 + this.shape) * reciprocal - 1;
    // θ times the derivative of mean ln(1 + θ x) is 1 − mean 1/(1 + θ x); of mean 1/(1 + θ x) it is the square's mean less itself.
    this.slope = (1 - reciprocal) * reciprocal - (1 + this.shape) * (reciprocal - square / count);
  }
}

/**
 * The θ above 0 where the score goes from above 0 to below it, by Newton's method in ln θ. Where the score still rises, and
 * where a step leads out of what is known to hold the root, the step is a doubling, a halving, or to the middle.
 */
function maximumNear(start: number, excesses: Excesses): number {
  let [low, high] = [0, Number.POSITIVE_INFINITY];
  let theta = start;
  for (let step = 0; step < MOST_STEPS; step++) {
    excesses.measure(theta);
    const { score, slope } = excesses;
    if (score > 0) low = theta;
    else high = theta;
    let next = slope < 0 ? theta * Math.exp(-score / slope) : Number.NaN;
    if (!(next > low && next < high && next <= LARGEST_STEP * theta && theta <= LARGEST_STEP * next)) {
      if (high === Number.POSITIVE_INFINITY) next = theta * LARGEST_STEP;
      else next = low === 0 ? theta / LARGEST_STEP : Math.sqrt(low * high);
    }
    const isFound = Math.abs(next - theta) <= TOLERANCE * theta;
    theta = next;
    if (isFound) break;
  }
  return theta;
}
