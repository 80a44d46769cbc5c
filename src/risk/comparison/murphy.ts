import {
  refusal,
  requireConfidence,
  requireSameLength,
  requireSeries,
  requireWhole,
} from '../numeric/inputs.ts';

/**
 * Murphy diagrams: mean elementary scores over their threshold θ. Every consistent score is a mixture of elementary ones,
 * so that a forecast whose curve is nowhere higher is better whichever score is asked (Ehm, Gneiting, Jordan and Krüger
 * 2016; of VaR and ES together Ziegel, Krüger, Jordan and Fasciati 2020). Losses, VaR and ES are positive for losses, in
 * one unit with θ; VaR is the loss's quantile at the confidence c.
 */

/**
 * Mean elementary score of a VaR at each θ: (1 − c) where l ≤ θ < v, c where v ≤ θ < l, else 0. Its integral over θ is the
 * mean pinball loss. O((n + m) log m) for m thresholds.
 *
 * @param thresholds ascending.
 * @throws PlimsollError INPUT_INVALID, DATA_INSUFFICIENT.
 */
export function valueAtRiskMurphy(
  losses: Float64Array,
  valuesAtRisk: Float64Array,
  confidence: number,
  thresholds: Float64Array,
): Float64Array {
  requireForecasts(losses, valuesAtRisk, confidence);
  requireAscending(thresholds);
  const m = thresholds.length;
  // Whole counts of the intervals that begin less those that end: nothing is lost by adding them up.
  const under = new Int32Array(m + 1);
  const over = new Int32Array(m + 1);
  for (let t = 0; t < losses.length; t++) {
    const atLoss = firstAtLeast(thresholds, losses[t]);
    const atForecast = firstAtLeast(thresholds, valuesAtRisk[t]);
    const counts = atLoss < atForecast ? under : over;
    counts[Math.min(atLoss, atForecast)]++;
    counts[Math.max(atLoss, atForecast)]--;
  }
  const scores = new Float64Array(m);
  let [belowForecast, aboveForecast] = [0, 0];
  for (let k = 0; k < m; k++) {
    belowForecast += under[k];
    aboveForecast += over[k];
    scores[k] = ((1 - confidence) * belowForecast + confidence * aboveForecast) / losses.length;
  }
  return scores;
}

/**
 * Mean elementary score of an ES e with its VaR v at each θ:
 * 1{e ≤ θ}[(l − v)⁺/(1 − c) + v − θ] + 1{l ≤ θ}(θ − l), which is never negative. It judges ES; VaR alone is judged by
 * `valueAtRiskMurphy`. O((n + m) log m) for m thresholds.
 *
 * @param expectedShortfalls none below its VaR. @param thresholds ascending.
 * @throws PlimsollError INPUT_INVALID, DATA_INSUFFICIENT.
 */
export function shortfallMurphy(
  losses: Float64Array,
  valuesAtRisk: Float64Array,
  expectedShortfalls: Float64Array,
  confidence: number,
  thresholds: Float64Array,
): Float64Array {
  requireForecasts(losses, valuesAtRisk, confidence);
  requireShortfalls(valuesAtRisk, expectedShortfalls);
  requireAscending(thresholds);
  const m = thresholds.length;
  const counts = new Int32Array(m + 1);
  const sums = new Float64Array(m + 1);
  for (let t = 0; t < losses.length; t++) {
    const atShortfall = firstAtLeast(thresholds, expectedShortfalls[t]);
    counts[atShortfall]--;
    sums[atShortfall] += tailLoss(losses[t], valuesAtRisk[t], confidence);
    const atLoss = firstAtLeast(thresholds, losses[t]);
    counts[atLoss]++;
    sums[atLoss] -= losses[t];
  }
  const scores = new Float64Array(m);
  let count = 0;
  let sum = 0;
  for (let k = 0; k < m; k++) {
    count += counts[k];
    sum += sums[k];
    // Rounding must not push a score of 0 below it.
    scores[k] = Math.max((sum + count * thresholds[k]) / losses.length, 0);
  }
  return scores;
}

/** (l − v)⁺/(1 − c) + v, whose least mean over v is ES (Rockafellar and Uryasev 2000). */
export function tailLoss(loss: number, valueAtRisk: number, confidence: number): number {
  return Math.max(loss - valueAtRisk, 0) / (1 - confidence) + valueAtRisk;
}

/**
 * Thresholds for a diagram: the distinct values of the series given, where alone the curves bend or jump, ascending; where
 * there are more than `most`, that many of them at even ranks, with the first and the last.
 *
 * @param most at least 2.
 * @throws PlimsollError INPUT_INVALID, DATA_INSUFFICIENT.
 */
export function murphyThresholds(series: readonly Float64Array[], most: number): Float64Array {
  requireWhole('the number of thresholds', most, 2);
  const all = new Float64Array(series.reduce((sum, { length }) => sum + length, 0));
  let offset = 0;
  for (const values of series) {
    requireSeries('values of a diagram', values, 1);
    all.set(values, offset);
    offset += values.length;
  }
  all.sort();
  let count = 0;
  for (let i = 0; i < all.length; i++) if (i === 0 || all[i] !== all[i - 1]) all[count++] = all[i];
  if (count <= most) return all.slice(0, count);
  return Float64Array.from({ length: most }, (_, k) => all[Math.round((k * (count - 1)) / (most - 1))]);
}

export function requireForecasts(losses: Float64Array, valuesAtRisk: Float64Array, confidence: number): void {
  requireConfidence(confidence);
  requireSameLength('losses and VaR', losses.length, valuesAtRisk.length);
  requireSeries('losses', losses, 1);
  requireSeries('VaR', valuesAtRisk, 1);
}

export function requireShortfalls(valuesAtRisk: Float64Array, expectedShortfalls: Float64Array): void {
  requireSameLength('VaR and ES', valuesAtRisk.length, expectedShortfalls.length);
  requireSeries('ES', expectedShortfalls, 1);
  for (let t = 0; t < valuesAtRisk.length; t++)
    if (expectedShortfalls[t] < valuesAtRisk[t])
      throw refusal(
        `observation ${t + 1} has an ES below its VaR`,
        'ES is the mean of the losses beyond VaR.',
      );
}

function requireAscending(thresholds: Float64Array): void {
  requireSeries('thresholds', thresholds, 1);
  for (let k = 1; k < thresholds.length; k++)
    if (!(thresholds[k] > thresholds[k - 1]))
      throw refusal(`threshold ${k + 1} is not above the one before`, 'Give each once, ascending.');
}

/** Index of the first threshold that is not below the value; their number where there is none. */
function firstAtLeast(thresholds: Float64Array, value: number): number {
  let low = 0;
  let high = thresholds.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (thresholds[middle] < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
