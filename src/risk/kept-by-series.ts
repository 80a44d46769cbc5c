import { type BarSeries, lineageOf } from './bars.ts';

/** What is kept of each series while it grows; made anew for a window that does not follow the one before. */
export class KeptBySeries<T> {
  readonly #make: () => T;
  readonly #kept = new WeakMap<object, { from: number; end: number; readonly state: T }>();

  constructor(make: () => T) {
    this.#make = make;
  }

  /** @param from, end of the window, indices in the series. */
  of(bars: BarSeries, from: number, end: number): T {
    const lineage = lineageOf(bars);
    const before = this.#kept.get(lineage);
    if (before !== undefined && from >= before.from && end >= before.end) {
      before.from = from;
      before.end = end;
      return before.state;
    }
    const state = this.#make();
    this.#kept.set(lineage, { from, end, state });
    return state;
  }
}
