/**
 * Order statistics of losses by selection. Functions that end in `InPlace` reorder the array they are given, which
 * they call scratch; all others leave the caller's array alone.
 */

/** Ranges at least this long are first cut beside k by a sample; in shorter ones the sample costs more than it saves. */
const SAMPLED_FROM = 1500;
const SAMPLE_SIZE = 256;
const sample = new Float64Array(SAMPLE_SIZE);

/**
 * Rearranges scratch so that entry k holds what it would hold if sorted ascending, with nothing larger before it and
 * nothing smaller after it; returns that entry. Hoare's selection, in O(n) on average. The first pivot of a long range
 * comes from a sample and lies just beside k (Floyd and Rivest 1975), so that one pass leaves little to search; later
 * ones are the median of three.
 *
 * @param k in [0, n).
 */
export function selectInPlace(scratch: Float64Array, k: number): number {
  let low = 0;
  let high = scratch.length - 1;
  while (low < high) {
    const pivot =
      high - low + 1 >= SAMPLED_FROM
        ? pivotBeside(scratch, low, high, k)
        : medianOfThree(scratch[low], scratch[(low + high) >>> 1], scratch[high]);
    let i = low;
    let j = high;
    while (i <= j) {
      while (scratch[i] < pivot) i++;
      while (scratch[j] > pivot) j--;
      if (i > j) break;
      const swap = scratch[i];
      scratch[i++] = scratch[j];
      scratch[j--] = swap;
    }
    if (k <= j) high = j;
    else if (k >= i) low = i;
    else break;
  }
  return scratch[k];
}

/**
 * An entry of the range whose rank is likely, by two standard errors, to leave k in the shorter part. The sample is
 * spread evenly: losses come in the order of time, and neighbours resemble each other.
 */
function pivotBeside(scratch: Float64Array, low: number, high: number, k: number): number {
  const length = high - low + 1;
  const distance = length / SAMPLE_SIZE;
  for (let i = 0; i < SAMPLE_SIZE; i++) sample[i] = scratch[low + Math.floor((i + 0.5) * distance)];
  const share = (k - low + 0.5) / length;
  const margin = 1 + 2 * Math.sqrt(SAMPLE_SIZE * share * (1 - share));
  const rank = Math.floor(share * SAMPLE_SIZE + (share < 0.5 ? margin : -margin));
  return selectInPlace(sample, Math.min(Math.max(rank, 0), SAMPLE_SIZE - 1));
}

/**
 * The sample's quantile of type 7 (Hyndman and Fan 1996; the default of R and NumPy): linear between the order
 * statistics around (n − 1) p.
 *
 * @param values at least one, finite.
 * @param p in [0, 1].
 */
export function quantile(values: Float64Array, p: number): number {
  return quantileInPlace(values.slice(), p);
}

export function quantileInPlace(scratch: Float64Array, p: number): number {
  const n = scratch.length;
  const position = (n - 1) * p;
  const below = Math.floor(position);
  const lower = selectInPlace(scratch, below);
  const fraction = position - below;
  if (fraction === 0 || below + 1 >= n) return lower;
  let upper = Number.POSITIVE_INFINITY;
  for (let i = below + 1; i < n; i++) if (scratch[i] < upper) upper = scratch[i];
  return lower + fraction * (upper - lower);
}

/**
 * Expected shortfall of equally likely losses: the exact mean of the worst n (1 − c) of them, the last one by its
 * fraction: the optimum of Rockafellar and Uryasev (2000, 2002). Where n (1 − c) is below 1 it is the largest loss.
 * Never below the type 7 quantile at the same confidence.
 *
 * @param losses at least one, finite; positive numbers are losses.
 * @param confidence c in (0, 1).
 */
export function tailMean(losses: Float64Array, confidence: number): number {
  return tailMeanInPlace(losses.slice(), confidence);
}

export function tailMeanInPlace(scratch: Float64Array, confidence: number): number {
  const n = scratch.length;
  const mass = n * (1 - confidence);
  const whole = Math.min(Math.floor(mass), n);
  const first = n - whole;
  if (whole < n) selectInPlace(scratch, Math.max(first - 1, 0));
  if (mass <= 1) return maximum(scratch);
  let sum = 0;
  for (let i = first; i < n; i++) sum += scratch[i];
  if (first > 0) sum += (mass - whole) * scratch[first - 1];
  return sum / mass;
}

/** The same from a tail that is already sorted ascending: the largest values of a sample of n. */
export function tailMeanOfSorted(tail: Float64Array, n: number, confidence: number): number {
  const mass = n * (1 - confidence);
  const last = tail.length - 1;
  if (mass <= 1) return tail[last];
  const whole = Math.min(Math.floor(mass), n);
  let sum = 0;
  for (let i = 0; i < whole; i++) sum += tail[last - i];
  if (whole < n) sum += (mass - whole) * tail[last - whole];
  return sum / mass;
}

/** Type 7 quantile from a tail that is already sorted ascending: the largest values of a sample of n. */
export function quantileOfSorted(tail: Float64Array, n: number, p: number): number {
  const position = (n - 1) * p;
  const below = Math.floor(position);
  const offset = tail.length - n + below;
  const lower = tail[offset];
  const fraction = position - below;
  return fraction === 0 || below + 1 >= n ? lower : lower + fraction * (tail[offset + 1] - lower);
}

/**
 * The values that quantiles and tail means at `confidence` and above need, sorted ascending, as a view on scratch.
 */
export function sortedTailInPlace(scratch: Float64Array, confidence: number): Float64Array {
  const first = scratch.length - tailSize(scratch.length, confidence);
  selectInPlace(scratch, first);
  return scratch.subarray(first).sort();
}

/** How many of the largest of n values quantiles and tail means at `confidence` and above need. */
export function tailSize(n: number, confidence: number): number {
  return n - Math.max(Math.min(Math.floor((n - 1) * confidence), Math.floor(n * confidence) - 1), 0);
}

function medianOfThree(a: number, b: number, c: number): number {
  if (a < b) return b < c ? b : a < c ? c : a;
  return a < c ? a : b < c ? c : b;
}

function maximum(values: Float64Array): number {
  let largest = values[0];
  for (let i = 1; i < values.length; i++) if (values[i] > largest) largest = values[i];
  return largest;
}
