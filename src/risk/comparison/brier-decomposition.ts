import { requireWhole } from '../numeric/inputs.ts';
import { equalMassBins, type SortedProbabilities, sortProbabilities } from './sorted-probabilities.ts';

/** Brier score = reliability − resolution + uncertainty + within-bin variance − within-bin covariance. */
export interface BrierDecomposition {
  /** (1/n) Σ n_k (p̄_k − ō_k)²: how far forecasts are from what came; 0 is best. */
  readonly reliability: number;
  /** (1/n) Σ n_k (ō_k − ō)²: how far the bins differ in what came; more is better. */
  readonly resolution: number;
  /** ō (1 − ō): the score of the sample's own frequency. */
  readonly uncertainty: number;
  /** (1/n) Σ (p − p̄_k)². */
  readonly withinBinVariance: number;
  /** (2/n) Σ (o − ō_k)(p − p̄_k). */
  readonly withinBinCovariance: number;
  readonly bins: number;
}

/**
 * Murphy's decomposition (1973), with one bin for each distinct probability: exact, and without within-bin terms.
 *
 * @throws PlimsollError INPUT_INVALID, DATA_INSUFFICIENT.
 */
export function brierDecomposition(probabilities: Float64Array, outcomes: Uint8Array): BrierDecomposition {
  const sorted = sortProbabilities(probabilities, outcomes);
  return decompose(
    sorted,
    Uint32Array.from(sorted.values, (_, g) => g + 1),
  );
}

/**
 * Murphy's decomposition over bins of equally many forecasts, with the two within-bin terms that make it add up exactly
 * (Stephenson, Coelho and Jolliffe 2008). Equal forecasts share a bin.
 *
 * @param bins asked for, at least 1.
 * @throws PlimsollError INPUT_INVALID, DATA_INSUFFICIENT.
 */
export function binnedBrierDecomposition(
  probabilities: Float64Array,
  outcomes: Uint8Array,
  bins: number,
): BrierDecomposition {
  requireWhole('the number of bins', bins, 1);
  const sorted = sortProbabilities(probabilities, outcomes);
  return decompose(sorted, equalMassBins(sorted, bins));
}

function decompose(sorted: SortedProbabilities, ends: Uint32Array): BrierDecomposition {
  const { values, counts, events, total, totalEvents } = sorted;
  const base = totalEvents / total;
  let [reliability, resolution, variance, covariance] = [0, 0, 0, 0];
  let from = 0;
  for (const end of ends) {
    let [count, came, sum] = [0, 0, 0];
    for (let g = from; g < end; g++) {
      count += counts[g];
      came += events[g];
      sum += counts[g] * values[g];
    }
    // The mean of equal values is that value, which their sum over their number need not be.
    const mean = end - from === 1 ? values[from] : sum / count;
    const frequency = came / count;
    reliability += count * (mean - frequency) ** 2;
    resolution += count * (frequency - base) ** 2;
    for (let g = from; g < end; g++) {
      const deviation = values[g] - mean;
      variance += counts[g] * deviation ** 2;
      covariance += (events[g] - counts[g] * frequency) * deviation;
    }
    from = end;
  }
  return {
    reliability: reliability / total,
    resolution: resolution / total,
    uncertainty: base * (1 - base),
    withinBinVariance: variance / total,
    withinBinCovariance: (2 * covariance) / total,
    bins: ends.length,
  };
}
