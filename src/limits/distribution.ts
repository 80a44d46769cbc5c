/**
 * Survival function of the adverse excursion of one side and horizon, through the forecast's quantiles:
 * P(A > x) falls exponentially from 1 at 0 to the first quantile and between quantiles, and beyond the last one as a
 * power of x with the slope of the last two, the heavier and so the more careful tail.
 *
 * @param quantiles VaR, rising with `confidences`.
 * @returns a probability; 1 for x ≤ 0.
 */
export function survivalProbability(
  x: number,
  quantiles: ArrayLike<number>,
  confidences: readonly number[],
): number {
  if (x <= 0) return 1;
  const last = confidences.length - 1;
  let lowerX = 0;
  let lowerLog = 0;
  for (let i = 0; i <= last; i++) {
    const upperLog = Math.log(1 - confidences[i]);
    if (x <= quantiles[i]) {
      const weight = quantiles[i] > lowerX ? (x - lowerX) / (quantiles[i] - lowerX) : 1;
      return Math.exp(lowerLog + weight * (upperLog - lowerLog));
    }
    lowerX = quantiles[i];
    lowerLog = upperLog;
  }
  const before = quantiles[last - 1];
  if (!(quantiles[last] > before && before > 0)) return 1 - confidences[last];
  const slope =
    (Math.log(1 - confidences[last]) - Math.log(1 - confidences[last - 1])) /
    Math.log(quantiles[last] / before);
  return Math.exp(lowerLog + slope * Math.log(x / quantiles[last]));
}
