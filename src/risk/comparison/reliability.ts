import { requireConfidence, requireWhole } from '../numeric/inputs.ts';
import { normalQuantile } from '../numeric/normal.ts';
import { equalMassBins, sortProbabilities } from './sorted-probabilities.ts';

/** Forecasts of about one probability, and what came. */
export interface ReliabilityBin {
  readonly count: number;
  readonly events: number;
  readonly lowest: number;
  readonly highest: number;
  readonly meanProbability: number;
  readonly frequency: number;
  /** Wilson's interval of the frequency. */
  readonly interval: readonly [number, number];
}

const DEFAULT_BINS = 10;

/**
 * What came beside what was forecast, in bins of equally many forecasts, ascending. Equal forecasts share a bin, so that
 * there may be fewer bins than asked for.
 *
 * @param confidence of the intervals.
 * @throws PlimsollError INPUT_INVALID, DATA_INSUFFICIENT.
 */
export function reliabilityCurve(
  probabilities: Float64Array,
  outcomes: Uint8Array,
  bins = DEFAULT_BINS,
  confidence = 0.95,
): readonly ReliabilityBin[] {
  requireWhole('the number of bins', bins, 1);
  requireConfidence(confidence);
  const sorted = sortProbabilities(probabilities, outcomes);
  const curve: ReliabilityBin[] = [];
  let from = 0;
  for (const end of equalMassBins(sorted, bins)) {
    let [count, events, sum] = [0, 0, 0];
    for (let g = from; g < end; g++) {
      count += sorted.counts[g];
      events += sorted.events[g];
      sum += sorted.counts[g] * sorted.values[g];
    }
    curve.push({
      count,
      events,
      lowest: sorted.values[from],
      highest: sorted.values[end - 1],
      meanProbability: sum / count,
      frequency: events / count,
      interval: wilsonInterval(events, count, confidence),
    });
    from = end;
  }
  return curve;
}

/**
 * Expected calibration error: the mean distance of frequency and forecast, Σ (n_k/n) |p̄_k − ō_k|, over bins of equally many
 * forecasts (Naeini, Cooper and Hauskrecht 2015, whose bins were equally wide).
 *
 * @throws PlimsollError INPUT_INVALID, DATA_INSUFFICIENT.
 */
export function expectedCalibrationError(
  probabilities: Float64Array,
  outcomes: Uint8Array,
  bins = DEFAULT_BINS,
): number {
  let sum = 0;
  for (const { count, frequency, meanProbability } of reliabilityCurve(probabilities, outcomes, bins))
    sum += count * Math.abs(meanProbability - frequency);
  return sum / probabilities.length;
}

/**
 * Interval of a binomial share (Wilson 1927): with z = Φ⁻¹(½ + c/2) and share q,
 * [q + z²/2n ± z √(q(1 − q)/n + z²/4n²)] / (1 + z²/n).
 *
 * @param events at most `count`. @param count at least 1.
 */
export function wilsonInterval(events: number, count: number, confidence: number): readonly [number, number] {
  const z = normalQuantile(0.5 + 0.5 * confidence);
  const share = events / count;
  const square = (z * z) / count;
  const centre = (share + square / 2) / (1 + square);
  const half = Math.sqrt(square * (share * (1 - share) + square / 4)) / (1 + square);
  return [events === 0 ? 0 : centre - half, events === count ? 1 : centre + half];
}
