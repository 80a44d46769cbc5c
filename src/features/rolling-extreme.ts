/**
 * The largest value of the last `window` steps, by the monotone deque: values that a later, larger one has made
 * irrelevant are dropped from the back, values too old from the front. O(1) amortised. For the smallest value, push
 * negated ones.
 */
export class RollingMaximum {
  readonly #window: number;
  readonly #steps: Float64Array;
  readonly #values: Float64Array;
  #front = 0;
  #size = 0;

  constructor(window: number) {
    this.#window = window;
    this.#steps = new Float64Array(window);
    this.#values = new Float64Array(window);
  }

  clear(): void {
    this.#front = 0;
    this.#size = 0;
  }

  /** @param step must rise from call to call; the window is (step − window, step]. */
  push(step: number, value: number): void {
    const capacity = this.#window;
    this.expire(step);
    while (this.#size > 0) {
      let back = this.#front + this.#size - 1;
      if (back >= capacity) back -= capacity;
      if (this.#values[back] > value) break;
      this.#size--;
    }
    let slot = this.#front + this.#size;
    if (slot >= capacity) slot -= capacity;
    this.#steps[slot] = step;
    this.#values[slot] = value;
    this.#size++;
  }

  /** Forgets what is outside the window that ends at `step`. */
  expire(step: number): void {
    while (this.#size > 0 && this.#steps[this.#front] <= step - this.#window) {
      this.#front = this.#front + 1 === this.#window ? 0 : this.#front + 1;
      this.#size--;
    }
  }

  /** The maximum; 0 when nothing is in the window. */
  maximum(): number {
    return this.#size === 0 ? 0 : this.#values[this.#front];
  }
}
