import { logGamma } from './chi-square.ts';

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
  const logFront = logGamma(a + b) - logGamma(a) - logGamma(b) + a * Math.log(x) + b * Math.log1p(-x);
  const front = Math.exp(logFront);
  const isSmall = x < (a + 1) / (a + b + 2);
  return isSmall ? (front * fraction(a, b, x)) / a : 1 - (front * fraction(b, a, 1 - x)) / b;
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
