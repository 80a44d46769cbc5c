import { incompleteBeta } from './binomial.ts';
import { logGamma } from './gamma.ts';
import { normalQuantile } from './normal.ts';

/** Student's t distribution with ν degrees of freedom, not standardised: its variance is ν/(ν − 2). */

/** ln of the density at x. @param degreesOfFreedom positive. */
export function studentLogDensity(x: number, degreesOfFreedom: number): number {
  const nu = degreesOfFreedom;
  return (
    logGamma(0.5 * (nu + 1)) -
    logGamma(0.5 * nu) -
    0.5 * Math.log(Math.PI * nu) -
    0.5 * (nu + 1) * Math.log1p((x * x) / nu)
  );
}

/** P(X > x), with its digits in the far tail. @param degreesOfFreedom positive. */
export function studentSurvival(x: number, degreesOfFreedom: number): number {
  const nu = degreesOfFreedom;
  const square = x * x;
  // Both forms are the same number; each keeps its digits where the other loses them.
  const twoSided =
    square < nu
      ? 1 - incompleteBeta(0.5, 0.5 * nu, square / (nu + square))
      : incompleteBeta(0.5 * nu, 0.5, nu / (nu + square));
  return x >= 0 ? 0.5 * twoSided : 1 - 0.5 * twoSided;
}

/** P(X ≤ x). */
export function studentCumulative(x: number, degreesOfFreedom: number): number {
  return studentSurvival(-x, degreesOfFreedom);
}

/**
 * The quantile: x with P(X ≤ x) = p. Newton's steps on ln P of the tail from Hill's start (1970), inside a bracket, so
 * that heavy tails converge too.
 *
 * @param p in (0, 1). @param degreesOfFreedom positive.
 */
export function studentQuantile(p: number, degreesOfFreedom: number): number {
  if (p === 0.5) return 0;
  if (p < 0.5) return -upperQuantile(p, degreesOfFreedom);
  return upperQuantile(1 - p, degreesOfFreedom);
}

/** x > 0 with P(X > x) = tail, tail below ½. */
function upperQuantile(tail: number, nu: number): number {
  let low = 0;
  let high = Math.max(-normalQuantile(tail), 1);
  while (studentSurvival(high, nu) > tail) {
    low = high;
    high *= 2;
  }
  let x = 0.5 * (low + high);
  for (let step = 0; step < 200; step++) {
    const survival = studentSurvival(x, nu);
    if (survival > tail) low = x;
    else high = x;
    // d ln P / dx = −density / P: nearly linear in ln x, so that a Newton step never overshoots far.
    const slope = -Math.exp(studentLogDensity(x, nu)) / survival;
    const proposal = x - (Math.log(survival) - Math.log(tail)) / slope;
    const next = proposal > low && proposal < high ? proposal : 0.5 * (low + high);
    if (Math.abs(next - x) <= 1e-15 * Math.abs(x)) return next;
    x = next;
  }
  return x;
}

/**
 * Mean of X beyond its upper quantile: E[X | X > q] = f(q)/(1 − c) · (ν + q²)/(ν − 1) (McNeil, Frey and Embrechts 2015,
 * example 2.15). Infinite means have ν ≤ 1.
 *
 * @param degreesOfFreedom above 1. @param confidence c in (0, 1).
 */
export function studentTailMean(confidence: number, degreesOfFreedom: number): number {
  const q = studentQuantile(confidence, degreesOfFreedom);
  const density = Math.exp(studentLogDensity(q, degreesOfFreedom));
  return ((density / (1 - confidence)) * (degreesOfFreedom + q * q)) / (degreesOfFreedom - 1);
}
