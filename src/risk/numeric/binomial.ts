import { stirlingError } from './gamma.ts';

/**
 * P(X ≤ k) of a binomial distribution, by the regularised incomplete beta function I₁₋ₚ(n − k, k + 1).
 *
 * @param k whole, at least 0; from n on the probability is 1. @param p in (0, 1).
 */
export function binomialCumulative(k: number, n: number, p: number): number {
  return k >= n ? 1 : incompleteBeta(n - k, k + 1, 1 - p);
}

/**
 * Regularised incomplete beta function Iₓ(a, b), by Lentz's continued fraction on the side where it converges fast
 * (Press et al., Numerical Recipes, 6.4).
 *
 * @param a, b positive. @param x in [0, 1].
 */
export function incompleteBeta(a: number, b: number, x: number): number {
  if (x <= 0) return 0;
  if (x >= 1) return 1;
  const front = Math.exp(logFront(a, b, x));
  const isSmall = x < (a + 1) / (a + b + 2);
  return isSmall ? (front * fraction(a, b, x)) / a : 1 - (front * fraction(b, a, 1 - x)) / b;
}

/**
 * ln[xᵃ (1 − x)ᵇ / B(a, b)] by Loader's saddle-point form (2000): the large terms of the three gamma functions cancel on paper and
 * not in floating point.
 */
function logFront(a: number, b: number, x: number): number {
  const n = a + b;
  const errors = stirlingError(n) - stirlingError(a) - stirlingError(b);
  return 0.5 * Math.log((a * b) / n / (2 * Math.PI)) + errors - deviance(a, n * x) - deviance(b, n * (1 - x));
}

/** k ln(k/m) + m − k, without the cancellation where k is near m. */
function deviance(k: number, m: number): number {
  const ratio = (k - m) / (k + m);
  if (Math.abs(ratio) >= 0.1) return k * Math.log(k / m) + m - k;
  const square = ratio * ratio;
  let sum = (k - m) * ratio;
  let power = 2 * k * ratio;
  for (let j = 1; j < 1000; j++) {
    power *= square;
    const next = sum + power / (2 * j + 1);
    if (next === sum) break;
    sum = next;
  }
  return sum;
}

const RELATIVE_PRECISION = 1e-16;
const MAXIMUM_TERMS = 100_000;
const TINY = 1e-300;

function fraction(a: number, b: number, x: number): number {
  let c = 1;
  let d = 1 / nonZero(1 - ((a + b) * x) / (a + 1));
  let value = d;
  for (let m = 1; m < MAXIMUM_TERMS; m++) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m));
    d = 1 / nonZero(1 + even * d);
    c = nonZero(1 + even / c);
    value *= d * c;
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 / nonZero(1 + odd * d);
    c = nonZero(1 + odd / c);
    const factor = d * c;
    value *= factor;
    if (Math.abs(factor - 1) < 4 * RELATIVE_PRECISION) break;
  }
  return value;
}

function nonZero(value: number): number {
  return Math.abs(value) < TINY ? TINY : value;
}
