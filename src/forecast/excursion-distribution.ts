/**
 * The whole distribution of an adverse excursion from some of its quantiles and the weight of its tail: between two quantiles the
 * log of the survival probability is a straight line in the log of the excursion, as in a Pareto law, and beyond the
 * last it is the Pareto law of the tail index.
 */

/** No tail is taken as heavier: at 1 its mean would be infinite. */
export const MAXIMUM_TAIL_INDEX = 0.95;
/** Nor as lighter, so that the law beyond the last quantile stays a Pareto one. */
export const MINIMUM_TAIL_INDEX = 0.01;
/** How fast the probability of a smaller excursion falls below the lowest quantile: P(A ≤ x) goes with this power of x. */
const BODY_POWER = 2.5;

/**
 * Tail index ξ of the Pareto law beyond a quantile, from its VaR and ES: ES = VaR / (1 − ξ).
 *
 * @returns in [`MINIMUM_TAIL_INDEX`, `MAXIMUM_TAIL_INDEX`].
 */
export function tailIndexOf(valueAtRisk: number, expectedShortfall: number): number {
  const index = expectedShortfall > 0 ? 1 - valueAtRisk / expectedShortfall : 0;
  return Math.min(Math.max(index, MINIMUM_TAIL_INDEX), MAXIMUM_TAIL_INDEX);
}

/**
 * P(A > x).
 *
 * @param quantiles rising with `levels`, positive, from `offset` on. @param tailIndex of the law beyond the last one.
 * @returns 1 for x ≤ 0; never rises with x, never falls with a quantile.
 */
export function excursionSurvival(
  x: number,
  quantiles: Float64Array,
  offset: number,
  levels: readonly number[],
  tailIndex: number,
): number {
  if (!(x > 0)) return 1;
  const last = levels.length - 1;
  const lowest = quantiles[offset];
  if (x <= lowest) return 1 - levels[0] * (x / lowest) ** BODY_POWER;
  if (x > quantiles[offset + last])
    return (1 - levels[last]) * (x / quantiles[offset + last]) ** (-1 / tailIndex);
  let l = 1;
  while (x > quantiles[offset + l]) l++;
  const [from, to] = [quantiles[offset + l - 1], quantiles[offset + l]];
  const weight = to > from ? Math.log(x / from) / Math.log(to / from) : 1;
  return (1 - levels[l - 1]) ** (1 - weight) * (1 - levels[l]) ** weight;
}
