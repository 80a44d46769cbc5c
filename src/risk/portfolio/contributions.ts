/**
 * Weights of scenarios, adding up to one, by which a risk measure is a mean of losses: what a market loses under them is
 * what it contributes, and contributions add up to the whole because losses do (Euler's principle for measures that are
 * homogeneous; Tasche 2000). Equal losses share their weight, so that the order of the scenarios decides nothing.
 */

/**
 * The weights of expected shortfall: the contribution of a market is its mean loss over the worst n (1 − c) scenarios, the
 * last one by its fraction (Tasche 2000; the same tail as `tailMean`).
 *
 * @param losses at least one, finite. @param confidence c in (0, 1).
 */
export function shortfallWeights(losses: Float64Array, confidence: number): Float64Array {
  const n = losses.length;
  const mass = Math.max(n * (1 - confidence), 1);
  const byRank = new Float64Array(n);
  for (let j = n - 1, left = mass; j >= 0 && left > 0; j--, left--) byRank[j] = Math.min(left, 1) / mass;
  return shared(losses, losses.slice().sort(), byRank);
}

export interface QuantileWeights {
  readonly weights: Float64Array;
  /** Half the width of the kernel in ranks; 1 is the quantile's own two scenarios. */
  readonly bandwidthRanks: number;
}

/** How far the kernel's mean may be from the quantile before the tail is too uneven for it. */
const MOST_UNEVEN = 0.5;

/**
 * The weights of value at risk. The quantile alone is one or two scenarios, and what a market lost just then is chance; its
 * contribution is E[loss of the market | loss = VaR], estimated by a kernel around the quantile (Epperlein and Smillie 2006;
 * Tasche 2009), here triangular in the ranks: scenario j of the sorted losses weighs 1 − |j − (n − 1) c| / b with b half of
 * the tail's n (1 − c) scenarios. The weights are scaled so that their mean of the losses is the quantile itself, hence they
 * need not add up to one. With b = 1 the kernel is the type 7 quantile; this is used where the tail has fewer than four
 * scenarios and where the kernel's mean is off by more than half of the quantile or has the other sign.
 */
export function quantileWeights(
  losses: Float64Array,
  confidence: number,
  valueAtRisk: number,
): QuantileWeights {
  const n = losses.length;
  const ordered = losses.slice().sort();
  const weigh = (bandwidthRanks: number): Float64Array => {
    const position = (n - 1) * confidence;
    const byRank = new Float64Array(n);
    let total = 0;
    const last = Math.min(Math.floor(position + bandwidthRanks), n - 1);
    for (let j = Math.max(Math.ceil(position - bandwidthRanks), 0); j <= last; j++) {
      byRank[j] = 1 - Math.abs(j - position) / bandwidthRanks;
      total += byRank[j];
    }
    for (let j = 0; j < n; j++) byRank[j] /= total;
    return byRank;
  };
  const bandwidthRanks = (n * (1 - confidence)) / 2;
  if (bandwidthRanks > 2) {
    const byRank = weigh(bandwidthRanks);
    let mean = 0;
    for (let j = 0; j < n; j++) mean += byRank[j] * ordered[j];
    if (Math.abs(mean - valueAtRisk) <= MOST_UNEVEN * Math.abs(valueAtRisk) && mean !== 0) {
      const scale = valueAtRisk / mean;
      return {
        weights: shared(
          losses,
          ordered,
          byRank.map((weight) => weight * scale),
        ),
        bandwidthRanks,
      };
    }
  }
  return { weights: shared(losses, ordered, weigh(1)), bandwidthRanks: 1 };
}

/** Weights by rank as weights by scenario; equal losses get the mean of theirs. */
function shared(losses: Float64Array, ordered: Float64Array, byRank: Float64Array): Float64Array {
  const n = losses.length;
  for (let j = 0; j < n; ) {
    let end = j + 1;
    let sum = byRank[j];
    while (end < n && ordered[end] === ordered[j]) sum += byRank[end++];
    if (end > j + 1) byRank.fill(sum / (end - j), j, end);
    j = end;
  }
  return Float64Array.from(losses, (loss) => byRank[rankOf(ordered, loss)]);
}

/** A rank of a value that is there. */
function rankOf(ordered: Float64Array, value: number): number {
  let low = 0;
  let high = ordered.length - 1;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (ordered[middle] < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
