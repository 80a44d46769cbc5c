import { PlimsollError } from '../../errors.ts';

const GOLDEN = 0.5 * (3 - Math.sqrt(5));
const MAXIMUM_STEPS = 200;

/**
 * The lowest place of a function of one variable on [low, high]: a scan of evenly spaced places, then Brent's search (1973) by
 * golden sections and parabolas around the lowest of them.
 *
 * @param f finite on the interval. @param scanned how many places are looked at first, at least 3.
 */
export function minimiseScalar(
  f: (x: number) => number,
  low: number,
  high: number,
  scanned: number,
): { readonly at: number; readonly value: number } {
  const places = Array.from({ length: scanned }, (_, i) => low + ((high - low) * i) / (scanned - 1));
  const values = places.map(f);
  const lowest = values.indexOf(Math.min(...values));
  let a = places[Math.max(lowest - 1, 0)];
  let b = places[Math.min(lowest + 1, scanned - 1)];
  let x = places[lowest];
  let fx = values[lowest];
  let [w, fw, v, fv] = [x, fx, x, fx];
  let step = 0;
  let before = 0;
  for (let i = 0; i < MAXIMUM_STEPS; i++) {
    const middle = 0.5 * (a + b);
    const tolerance = 1e-9 * Math.abs(x) + 1e-12;
    if (Math.abs(x - middle) <= 2 * tolerance - 0.5 * (b - a)) break;
    let isParabola = false;
    if (Math.abs(before) > tolerance) {
      const r = (x - w) * (fx - fv);
      const q = (x - v) * (fx - fw);
      const numerator = (x - v) * q - (x - w) * r;
      const denominator = 2 * (q - r);
      const proposal = denominator === 0 ? Number.POSITIVE_INFINITY : -numerator / denominator;
      const u = x + proposal;
      if (Math.abs(proposal) < 0.5 * Math.abs(before) && u > a && u < b) {
        before = step;
        // Where the lowest place is all but found, the least step to its other side closes the bracket at once.
        const isAtEnd = u - a < 2 * tolerance || b - u < 2 * tolerance;
        step = isAtEnd ? Math.sign(middle - x) * tolerance : proposal;
        isParabola = true;
      }
    }
    if (!isParabola) {
      before = x < middle ? b - x : a - x;
      step = GOLDEN * before;
    }
    // A step of 0 too goes somewhere: it would only look at x again.
    const u = x + (Math.abs(step) >= tolerance ? step : step < 0 ? -tolerance : tolerance);
    const fu = f(u);
    if (fu <= fx) {
      if (u < x) b = x;
      else a = x;
      [v, fv, w, fw, x, fx] = [w, fw, x, fx, u, fu];
    } else {
      if (u < x) a = u;
      else b = u;
      if (fu <= fw || w === x) [v, fv, w, fw] = [w, fw, u, fu];
      else if (fu <= fv || v === x || v === w) [v, fv] = [u, fu];
    }
  }
  return { at: x, value: fx };
}

/**
 * A root of a function that changes sign on [low, high], by bisection to the last digit: robust where the function has kinks
 * or steps.
 *
 * @throws PlimsollError INTERNAL where the signs at the ends agree or there is none: the caller has to bracket.
 */
export function rootOf(f: (x: number) => number, low: number, high: number): number {
  let [a, b] = [low, high];
  const sign = Math.sign(f(a));
  if (sign === 0) return a;
  // A number that is none has no sign, and halving towards it would never end.
  if (!(sign * Math.sign(f(b)) <= 0))
    throw new PlimsollError('INTERNAL', 'there is no change of sign to search for');
  for (;;) {
    const middle = 0.5 * (a + b);
    if (middle === a || middle === b) return middle;
    if (Math.sign(f(middle)) === sign) a = middle;
    else b = middle;
  }
}
