/** A solution this near to the target in relative terms is one. */
const TOLERANCE = 0.01;
const MAXIMUM_STEPS = 14;

/**
 * The x at which a positive function that falls with x meets a target: a secant on logs held inside the bracket that is known (Illinois, Dowell
 * and Jarratt 1971). Functions of this kind are steps where tables are integers, so that near is good enough.
 *
 * @param range lowest and highest x, above 0. @param valueAt evaluated last at the x that is returned.
 * @returns null where the target is outside of what the range reaches, or is not above 0.
 */
export function solveMonotone(
  target: number,
  [lowest, highest]: readonly [number, number],
  valueAt: (x: number) => number,
): number | null {
  if (!(target > 0)) return null;
  const miss = (x: number): number => Math.log(Math.max(valueAt(x), 1e-12) / target);
  let [a, b] = [Math.log(lowest), Math.log(highest)];
  // Most targets are not far from the policy itself.
  let x = Math.min(Math.max(0, a), b);
  let [missA, missB] = [Number.NaN, Number.NaN];
  for (let step = 0; step < MAXIMUM_STEPS; step++) {
    const found = miss(Math.exp(x));
    if (Math.abs(found) <= TOLERANCE) return Math.exp(x);
    if (found > 0) [a, missA, missB] = [x, found, missB / 2];
    else [b, missB, missA] = [x, found, missA / 2];
    if (b - a < 1e-4) break;
    if (Number.isNaN(missA)) x = Math.max(x - 1, Math.log(lowest));
    else if (Number.isNaN(missB)) x = Math.min(x + 1, Math.log(highest));
    else {
      const secant = a + ((b - a) * missA) / (missA - missB);
      x = Math.min(Math.max(secant, a + 0.02 * (b - a)), b - 0.02 * (b - a));
    }
    if ((Number.isNaN(missA) && b <= Math.log(lowest)) || (Number.isNaN(missB) && a >= Math.log(highest)))
      return null;
  }
  // Steps of a table may jump over the target: the tighter side of the jump is taken.
  if (Number.isNaN(missA) || Number.isNaN(missB)) return null;
  valueAt(Math.exp(b));
  return Math.exp(b);
}
