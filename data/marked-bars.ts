import { type BarSeries, lineageOf } from '../src/risk/bars.ts';

/** Bars of a window, by their index in the series, rising. */
export interface MarkedBars {
  /** With a wick of about a share of the price, or more. */
  readonly wicks: readonly number[];
  /** Without any trade. */
  readonly holes: readonly number[];
}

interface Kept {
  from: number;
  end: number;
  readonly wicks: number[];
  readonly holes: number[];
}

/**
 * The bars of a window that quality looks at closely. Few are, so they are remembered while a series grows, and an hour costs
 * the bars that are new. What it answers depends on the window alone.
 */
export class BarMarks {
  readonly #wickShare: number;
  readonly #kept = new WeakMap<object, Kept>();

  /** @param wickShare a wick of less than this share of the price is none. */
  constructor(wickShare: number) {
    this.#wickShare = wickShare;
  }

  /** @param from, end of the window, indices in the series. */
  of(bars: BarSeries, from: number, end: number): MarkedBars {
    const lineage = lineageOf(bars);
    let kept = this.#kept.get(lineage);
    if (kept === undefined || from < kept.from || from > kept.end) {
      kept = { from, end: from, wicks: [], holes: [] };
      this.#kept.set(lineage, kept);
    }
    for (; kept.end < end; kept.end++) this.#mark(bars, kept.end, kept);
    kept.from = from;
    const { wicks, holes } = kept;
    while (wicks.length > 0 && wicks[0] < from) wicks.shift();
    while (holes.length > 0 && holes[0] < from) holes.shift();
    if (end === kept.end) return kept;
    return { wicks: wicks.filter((i) => i < end), holes: holes.filter((i) => i < end) };
  }

  #mark({ open, high, low, close, volume, quoteVolume }: BarSeries, i: number, { wicks, holes }: Kept): void {
    const floor = Math.min(open[i], close[i]);
    const roof = Math.max(open[i], close[i]);
    if (!(low[i] > floor * (1 - this.#wickShare) && high[i] < roof * (1 + this.#wickShare))) wicks.push(i);
    if (volume[i] === 0 && quoteVolume[i] === 0) holes.push(i);
  }
}
