import { selectInPlace } from './quantile.ts';

/** How many more values than it was filled with it takes before it lets the smallest go. */
const MOST_GROWTH = 1.5;
const LEAST_LENGTH = 64;

/**
 * The largest values of a sample that changes one value at a time, kept sorted: a value costs a binary search and the
 * move of what is above it, where it is among those that are kept, and nothing where it is not. What is kept depends on
 * the past, what it answers on the sample alone.
 *
 * All values of the sample at or above a floor are kept, never only some of them. When too many of them have left,
 * questions are answered with null, and whoever has the sample must `refill` it.
 */
export class RollingLargest {
  /** Ascending, in the first `#kept` entries. */
  #values = new Float64Array(0);
  #kept = 0;
  /** Before it is filled it keeps all that is added. */
  #filledWith = Number.POSITIVE_INFINITY;
  #floor = Number.NEGATIVE_INFINITY;
  #count = 0;
  #highestChange = Number.POSITIVE_INFINITY;
  /** What `countAbove` was last asked and answered; NaN once a value above it has come or gone. */
  #lastAsked = Number.NaN;
  #lastAbove = 0;

  /** Size of the sample. */
  get count(): number {
    return this.#count;
  }

  /** @param scratch the whole sample, finite; it is reordered. @param kept how many of the largest to keep, at least. */
  refill(scratch: Float64Array, kept: number): void {
    this.#count = scratch.length;
    this.#note(Number.POSITIVE_INFINITY);
    const isWhole = kept >= scratch.length;
    this.#floor = isWhole ? Number.NEGATIVE_INFINITY : selectInPlace(scratch, scratch.length - kept);
    let size = 0;
    for (let i = 0; i < scratch.length; i++) if (scratch[i] >= this.#floor) scratch[size++] = scratch[i];
    this.#filledWith = Math.max(size, kept);
    this.#values = new Float64Array(Math.ceil(this.#filledWith * MOST_GROWTH) + 1);
    this.#values.set(scratch.subarray(0, size).sort());
    this.#kept = size;
  }

  add(value: number): void {
    this.#count++;
    this.#note(value);
    if (value < this.#floor) return;
    if (this.#kept === this.#values.length) this.#letGo();
    if (value < this.#floor) return;
    const at = this.#firstFrom(value);
    this.#values.copyWithin(at + 1, at, this.#kept);
    this.#values[at] = value;
    this.#kept++;
  }

  /** @param value one that was added, to the bit. */
  remove(value: number): void {
    this.#count--;
    this.#note(value);
    if (value < this.#floor) return;
    const at = this.#firstFrom(value);
    this.#values.copyWithin(at, at + 1, this.#kept);
    this.#kept--;
  }

  /** The largest values, ascending, as a view that holds until the next change; null where too few are kept. */
  largest(size: number): Float64Array | null {
    if (size > this.#kept) return null;
    this.#highestChange = Number.NEGATIVE_INFINITY;
    return this.#values.subarray(this.#kept - size, this.#kept);
  }

  /** Whether a value at or above this one came or went since `largest` was last asked for. */
  hasChangedFrom(value: number): boolean {
    return this.#highestChange >= value;
  }

  /**
   * How many values of the sample are above x; null where x is below what is kept. Searched from the last answer on, in
   * steps that double: what is asked for hour by hour hardly moves, and the middle of a long array is far away in memory.
   */
  countAbove(x: number): number | null {
    if (x < this.#floor) return null;
    if (x === this.#lastAsked) return this.#lastAbove;
    const values = this.#values;
    // All before `low` are at most x, and all from `high` on are above it.
    let low = Math.max(this.#kept - this.#lastAbove, 0);
    let high = low;
    for (let step = 1; low > 0 && values[low - 1] > x; step *= 2) {
      high = low - 1;
      low = Math.max(low - step, 0);
    }
    for (let step = 1; high < this.#kept && values[high] <= x; step *= 2) {
      low = high + 1;
      high = Math.min(high + step, this.#kept);
    }
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (values[middle] <= x) low = middle + 1;
      else high = middle;
    }
    this.#lastAsked = x;
    this.#lastAbove = this.#kept - low;
    return this.#lastAbove;
  }

  #note(changed: number): void {
    if (changed > this.#highestChange) this.#highestChange = changed;
    if (changed > this.#lastAsked) this.#lastAsked = Number.NaN;
  }

  /** Keeps no more than it was filled with, but all that are equal to the smallest of them; grows where that is not less. */
  #letGo(): void {
    const values = this.#values;
    let first = this.#kept - this.#filledWith;
    while (first > 0 && values[first - 1] === values[first]) first--;
    if (first > 0) {
      this.#floor = values[first];
      values.copyWithin(0, first, this.#kept);
      this.#kept -= first;
    } else {
      this.#values = new Float64Array(Math.max(2 * values.length, LEAST_LENGTH));
      this.#values.set(values);
    }
  }

  /** Index of the first value that is not below this one. */
  #firstFrom(value: number): number {
    let low = 0;
    let high = this.#kept;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#values[middle] < value) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
