/**
 * A multiset of numbers that is kept sorted while values come and go. A change moves only what lies above the value, at the speed at which
 * memory is copied, so that for some thousands of values it beats trees.
 */
export class SortedWindow {
  readonly #values: Float64Array;
  #length = 0;

  constructor(capacity: number) {
    this.#values = new Float64Array(capacity);
  }

  get length(): number {
    return this.#length;
  }

  add(value: number): void {
    const at = this.#lowerBound(value);
    this.#values.copyWithin(at + 1, at, this.#length);
    this.#values[at] = value;
    this.#length++;
  }

  /** @param value one that was added and is still there. */
  remove(value: number): void {
    const at = this.#lowerBound(value);
    this.#values.copyWithin(at, at + 1, this.#length);
    this.#length--;
  }

  /** Ascending; a view that the next change overwrites. */
  largest(count: number): Float64Array {
    return this.#values.subarray(Math.max(this.#length - count, 0), this.#length);
  }

  /** The first place whose value is not below x. */
  #lowerBound(x: number): number {
    let low = 0;
    let high = this.#length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#values[middle] < x) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
