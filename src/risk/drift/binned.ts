import { requireSameLength, requireWithin } from '../numeric/inputs.ts';

/** Bin of a value among ascending edges: a value equal to an edge belongs below it, as in `referenceBins`. */
export function binOf(edges: readonly number[] | Float64Array, value: number): number {
  let low = 0;
  let high = edges.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (edges[middle] < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/**
 * Population stability index of two histograms over the same bins: `populationStability` for counts that were kept instead of
 * values. 0 for two without a value.
 *
 * @param pseudoCount added to every bin of both, above 0.
 * @throws PlimsollError INPUT_INVALID for a pseudo-count of 0 or less, or histograms of different bins.
 */
export function stabilityOfCounts(
  expected: readonly number[] | Uint32Array,
  actual: readonly number[] | Uint32Array,
  pseudoCount = 0.5,
): number {
  requireWithin('the pseudo-count', pseudoCount, Number.MIN_VALUE, Number.MAX_VALUE);
  requireSameLength('expected and actual counts', expected.length, actual.length);
  const bins = expected.length;
  let expectedTotal = pseudoCount * bins;
  let actualTotal = pseudoCount * bins;
  for (let k = 0; k < bins; k++) {
    expectedTotal += expected[k];
    actualTotal += actual[k];
  }
  let index = 0;
  for (let k = 0; k < bins; k++) {
    const before = (expected[k] + pseudoCount) / expectedTotal;
    const now = (actual[k] + pseudoCount) / actualTotal;
    index += (now - before) * Math.log(now / before);
  }
  return index;
}
