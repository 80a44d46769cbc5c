import { logGamma } from './gamma.ts';

/**
 * Survival function of the chi-square distribution, P(X > x), accurate in the far tail, where 1 − CDF has no digits
 * left: the regularised upper incomplete gamma function Q(k/2, x/2), by its series where x is small and by Lentz's
 * continued fraction elsewhere (Press et al., Numerical Recipes, 6.2).
 *
 * @param degreesOfFreedom positive.
 */
export function chiSquareSurvival(x: number, degreesOfFreedom: number): number {
  if (!(x > 0)) return 1;
  if (x === Number.POSITIVE_INFINITY) return 0;
  const a = degreesOfFreedom / 2;
  const z = x / 2;
  const logFront = -z + a * Math.log(z) - logGamma(a);
  return z < a + 1 ? 1 - lowerSeries(a, z) * Math.exp(logFront) : upperFraction(a, z) * Math.exp(logFront);
}

const RELATIVE_PRECISION = 1e-16;
const MAXIMUM_TERMS = 10_000;

/** Σ z^n / (a (a + 1) … (a + n)). */
function lowerSeries(a: number, z: number): number {
  let term = 1 / a;
  let sum = term;
  for (let n = 1; n < MAXIMUM_TERMS; n++) {
    term *= z / (a + n);
    sum += term;
    if (term < sum * RELATIVE_PRECISION) break;
  }
  return sum;
}

function upperFraction(a: number, z: number): number {
  const tiny = 1e-300;
  let b = z + 1 - a;
  let c = 1 / tiny;
  let d = 1 / b;
  let fraction = d;
  for (let n = 1; n < MAXIMUM_TERMS; n++) {
    const numerator = -n * (n - a);
    b += 2;
    d = 1 / nonZero(numerator * d + b, tiny);
    c = nonZero(b + numerator / c, tiny);
    const factor = c * d;
    fraction *= factor;
    if (Math.abs(factor - 1) < 4 * RELATIVE_PRECISION) break;
  }
  return fraction;
}

function nonZero(value: number, tiny: number): number {
  return Math.abs(value) < tiny ? tiny : value;
}
