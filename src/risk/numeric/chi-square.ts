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

/** ln Γ(x) for x > 0, by Lanczos' approximation with g = 7 and nine coefficients (Godfrey 2001), to 1e-15. */
export function logGamma(x: number): number {
  if (x < 0.5) return Math.log(Math.PI / Math.sin(Math.PI * x)) - logGamma(1 - x);
  const y = x - 1;
  let sum = LANCZOS[0];
  for (let i = 1; i < LANCZOS.length; i++) sum += LANCZOS[i] / (y + i);
  const t = y + 7.5;
  return 0.5 * Math.log(2 * Math.PI) + (y + 0.5) * Math.log(t) - t + Math.log(sum);
}

const LANCZOS = [
  0.99999999999980993, 676.5203681218851, -1259.1392167224028, 771.32342877765313, -176.61502916214059,
  12.507343278686905, -0.13857109526572012, 9.9843695780195716e-6, 1.5056327351493116e-7,
];
