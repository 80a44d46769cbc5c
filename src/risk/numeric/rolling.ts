/** A window's sum is started afresh this often, so that rounding errors of a large value do not stay when it has left. */
const AFRESH_EVERY = 1024;

/**
 * Sums of the last `window` values, or of as many as there are, in O(n). By rounding a sum of values that are not negative may
 * fall below 0.
 *
 * @param window whole, at least 1. @param out as long as `values`, overwritten.
 */
export function rollingSums(values: Float64Array, window: number, out: Float64Array): void {
  let sum = 0;
  for (let block = 0; block < values.length; block += AFRESH_EVERY) {
    const isWhole = block + AFRESH_EVERY <= values.length;
    const end = isWhole ? block + AFRESH_EVERY - 1 : values.length;
    const filled = Math.min(Math.max(window, block), end);
    for (let i = block; i < filled; i++) out[i] = sum += values[i];
    for (let i = filled; i < end; i++) out[i] = sum = sum + values[i] - values[i - window];
    if (isWhole) out[end] = sum = sumOf(values, Math.max(end - window + 1, 0), end + 1);
  }
}

function sumOf(values: Float64Array, from: number, to: number): number {
  let sum = 0;
  for (let i = from; i < to; i++) sum += values[i];
  return sum;
}
