import { requireSeries, requireWhole, requireWithin } from '../numeric/inputs.ts';
import { type Unavailable, unavailable } from '../outcome.ts';

/** A reference sample cut into bins, to which later samples are compared. */
export interface ReferenceBins {
  readonly available: true;
  /** Ascending; a value equal to an edge belongs below it. The first and the last bin have no end. */
  readonly edges: Float64Array;
  readonly counts: Uint32Array;
  readonly total: number;
}

export interface PopulationStability {
  readonly available: true;
  /** The index: 0 for equal shares. By custom below 0.1 is no change and above 0.25 a large one. */
  readonly index: number;
  /** What each bin adds, none negative. */
  readonly contributions: Float64Array;
  readonly counts: Uint32Array;
}

const DEFAULT_BINS = 10;
const DEFAULT_PSEUDO_COUNT = 0.5;

/**
 * Bins at the quantiles k/bins (type 7) of a reference. Quantiles without a value between them are one edge, and
 * one at the largest value moves to the next smaller one, so that no bin is empty: there may be fewer bins than asked for.
 *
 * @returns unavailable where the reference holds one value only.
 * @throws PlimsollError INPUT_INVALID, DATA_INSUFFICIENT.
 */
export function referenceBins(reference: Float64Array, bins = DEFAULT_BINS): ReferenceBins | Unavailable {
  requireWhole('the number of bins', bins, 2);
  requireSeries('reference', reference, bins);
  const sorted = reference.toSorted();
  const n = sorted.length;
  const largest = sorted[n - 1];
  if (sorted[0] === largest) return unavailable('the reference holds one value only');
  const edges: number[] = [];
  let before = 0;
  for (let k = 1; k < bins; k++) {
    const position = ((n - 1) * k) / bins;
    const below = Math.floor(position);
    const quantile = sorted[below] + (position - below) * (sorted[below + 1] - sorted[below]);
    const edge = quantile < largest ? quantile : sorted[countUpTo(sorted, largest, true) - 1];
    const upTo = countUpTo(sorted, edge, false);
    if (upTo === before) continue;
    edges.push(edge);
    before = upTo;
  }
  const cuts = Float64Array.from(edges);
  return { available: true, edges: cuts, counts: countByBin(sorted, cuts), total: n };
}

/**
 * Population stability index Σ (a_k − e_k) ln(a_k/e_k) of a sample against a reference: Jeffreys' divergence (1946) of their
 * shares by bin (as a monitor of scorecards: Siddiqi 2006). A share is (count + s)/(n + s · bins) in both samples, with the
 * pseudo-count s in every bin, empty or not, so that the index neither becomes infinite nor jumps when a bin empties.
 *
 * @param pseudoCount s ≥ 0; 0 for plain shares.
 * @returns unavailable where s is 0 and the sample leaves a bin empty.
 * @throws PlimsollError INPUT_INVALID, DATA_INSUFFICIENT.
 */
export function populationStability(
  reference: ReferenceBins,
  sample: Float64Array,
  pseudoCount = DEFAULT_PSEUDO_COUNT,
): PopulationStability | Unavailable {
  requireSeries('sample', sample, 1);
  requireWithin('the pseudo-count', pseudoCount, 0, Number.MAX_VALUE);
  const counts = countByBin(sample.toSorted(), reference.edges);
  const bins = counts.length;
  const contributions = new Float64Array(bins);
  let index = 0;
  for (let k = 0; k < bins; k++) {
    if (counts[k] + pseudoCount === 0) return unavailable(`no value of the sample lies in bin ${k + 1}`);
    const expected = (reference.counts[k] + pseudoCount) / (reference.total + pseudoCount * bins);
    const actual = (counts[k] + pseudoCount) / (sample.length + pseudoCount * bins);
    contributions[k] = (actual - expected) * Math.log(actual / expected);
    index += contributions[k];
  }
  return { available: true, index, contributions, counts };
}

function countByBin(sorted: Float64Array, edges: Float64Array): Uint32Array {
  const counts = new Uint32Array(edges.length + 1);
  let before = 0;
  for (let k = 0; k < edges.length; k++) {
    const upTo = countUpTo(sorted, edges[k], false);
    counts[k] = upTo - before;
    before = upTo;
  }
  counts[edges.length] = sorted.length - before;
  return counts;
}

/** How many values are at most, or strictly below, the limit. */
function countUpTo(sorted: Float64Array, limit: number, isStrict: boolean): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (sorted[middle] < limit || (!isStrict && sorted[middle] === limit)) low = middle + 1;
    else high = middle;
  }
  return low;
}
