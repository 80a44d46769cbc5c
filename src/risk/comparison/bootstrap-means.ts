import { Random } from '../../random.ts';
import { refusal, requireWhole } from '../numeric/inputs.ts';

export interface BlockBootstrapOptions {
  /**
   * Stationary: blocks of geometric length that wrap around the end (Politis and Romano 1994). Moving: blocks of one length
   * that lie within the sample (Künsch 1989), the last one cut.
   */
  readonly bootstrap: 'stationary' | 'moving-block';
  /** Length, or mean length, of a block in observations: at least what the dependence spans. */
  readonly blockLength: number;
  readonly replications: number;
  readonly seed: number;
}

/**
 * Means of resampled series less the means of the sample, all series resampled by the same blocks. A block's sum is one
 * difference of prefix sums: O(replications · n / blockLength · series), whatever the length of the blocks.
 *
 * @param series equally long, finite. @returns replications × series, row by row.
 * @throws PlimsollError INPUT_INVALID for a block longer than the series and for counts that are none.
 */
export function bootstrapMeanDeviations(
  series: readonly Float64Array[],
  { bootstrap, blockLength, replications, seed }: BlockBootstrapOptions,
): Float64Array {
  const n = series[0].length;
  requireWhole('the length of a block', blockLength, 1);
  requireWhole('the number of replications', replications, 1);
  if (blockLength > n)
    throw refusal(`a block of ${blockLength} does not fit ${n} observations`, `Give at most ${n}.`);
  const size = series.length;
  const prefix = prefixSums(series);
  const random = Random.stream(seed, 'block-bootstrap');
  const isStationary = bootstrap === 'stationary';
  const starts = isStationary ? n : n - blockLength + 1;
  // ln P(a block goes on): −∞ where every block has one observation.
  const logContinue = Math.log1p(-1 / blockLength);
  const deviations = new Float64Array(replications * size);
  for (let row = 0; row < deviations.length; row += size) {
    for (let left = n; left > 0; ) {
      const start = random.integer(starts);
      const drawn = isStationary ? 1 + Math.floor(-random.exponential() / logContinue) : blockLength;
      const length = Math.min(drawn, left);
      left -= length;
      const end = start + length;
      const from = start * size;
      const to = (end <= n ? end : end - n) * size;
      for (let i = 0; i < size; i++) deviations[row + i] += prefix[to + i] - prefix[from + i];
      if (end > n) for (let i = 0; i < size; i++) deviations[row + i] += prefix[n * size + i];
    }
  }
  for (let k = 0; k < deviations.length; k++) deviations[k] /= n;
  return deviations;
}

/** Row t holds, of every series, the sum of its first t values less their mean. */
function prefixSums(series: readonly Float64Array[]): Float64Array {
  const size = series.length;
  const n = series[0].length;
  const prefix = new Float64Array((n + 1) * size);
  for (let i = 0; i < size; i++) {
    const values = series[i];
    let mean = 0;
    for (let t = 0; t < n; t++) mean += values[t];
    mean /= n;
    for (let t = 0; t < n; t++) prefix[(t + 1) * size + i] = prefix[t * size + i] + (values[t] - mean);
  }
  return prefix;
}
