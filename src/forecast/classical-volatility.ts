import { MOVE_UNIT, nextPrefix, onLattice, RETURN_UNIT, unsignedDifference } from '../features/lattice.ts';
import { VARIANCE_FLOOR } from '../features/spec.ts';
import type { BarSeries } from '../risk/bars.ts';
import { parkinson } from '../risk/volatility/range.ts';
import { LOOKBACK_HOURS } from './lookback.ts';

/**
 * Windows in bars, all of the same weight: a log-HAR (Corsi 2009) with fixed coefficients. Nothing is estimated, so
 * nothing goes wrong where history is short. As the scale of filtered simulation it scored as well as fitted log-HARs do.
 */
const WINDOWS = [6, 24, 168, 720] as const;
/** Bars before the first origin that the longest window may need. */
const MEMORY_BARS = 720;
const SUM_SLOTS = MEMORY_BARS + 1;
/** At most so many bars at once may follow a lookback whose scales are still asked for. */
export const MOST_NEW_BARS = 720;
const SCALE_SLOTS = LOOKBACK_HOURS + MOST_NEW_BARS;
/** A bar counts at most this much, so that the sums stay exact: a high at e^1.66 times the low. */
const MOST_VARIANCE = 1;

/**
 * Volatility per bar as known at the close of each bar, to the power g: the geometric mean of the Parkinson variances over
 * 6, 24, 168 and 720 bars, each over the bars that there are. Takes bar after bar; sums are on the lattice of the
 * features, so that what it says of a bar depends on that bar and the 719 before it alone, wherever it began.
 */
export class VolatilityPower {
  /** Index in the series of the first bar that has a scale. */
  readonly from: number;
  readonly #power: number;
  readonly #first: number;
  #end: number;
  /** Prefix sums up to and including a bar, by its index modulo the slots. */
  readonly #sums = new Float64Array(SUM_SLOTS);
  readonly #scales = new Float64Array(SCALE_SLOTS);

  /** @param from first bar whose scale will be asked for. @param exponent g in (0, 1]. */
  constructor(from: number, exponent: number) {
    this.from = from;
    this.#first = Math.max(from - MEMORY_BARS, 0);
    this.#end = this.#first;
    this.#power = (0.5 * exponent) / WINDOWS.length;
  }

  /** Takes the bars up to `end`; those that it has taken already are not looked at. */
  advance({ high, low }: BarSeries, end: number): void {
    for (; this.#end < end; this.#end++) {
      const i = this.#end;
      const variance = onLattice(Math.min(parkinson(high[i], low[i]), MOST_VARIANCE), MOVE_UNIT);
      const before = i === this.#first ? 0 : this.#sums[(i - 1) % SUM_SLOTS];
      this.#sums[i % SUM_SLOTS] = nextPrefix(before, variance);
      if (i >= this.from) this.#scales[i % SCALE_SLOTS] = this.#scaleOf(i);
    }
  }

  /** @param bar among the newest that were taken: as many as a lookback has and `MOST_NEW_BARS`. */
  at(bar: number): number {
    return this.#scales[bar % SCALE_SLOTS];
  }

  #scaleOf(i: number): number {
    let product = 1;
    for (const window of WINDOWS) {
      const bars = Math.min(i + 1, window);
      // Before the first bar the prefix is 0.
      const start = i - bars < this.#first ? 0 : this.#sums[(i - bars) % SUM_SLOTS];
      product *= (unsignedDifference(this.#sums[i % SUM_SLOTS], start) * MOVE_UNIT) / bars + VARIANCE_FLOOR;
    }
    return product ** this.#power;
  }
}

/** Mean Parkinson variance per bar of a long window that moves on with a series; exact as above, in a coarser unit. */
export class LongVariance {
  #from = 0;
  #end = 0;
  #sum = 0;

  /** @param from, end of the window; neither below those of an earlier call. */
  mean(bars: BarSeries, from: number, end: number): number {
    for (; this.#end < end; this.#end++) this.#sum += unitsOf(bars, this.#end);
    for (; this.#from < from; this.#from++) this.#sum -= unitsOf(bars, this.#from);
    return (this.#sum * RETURN_UNIT) / (end - from);
  }
}

function unitsOf({ high, low }: BarSeries, bar: number): number {
  return onLattice(Math.min(parkinson(high[bar], low[bar]), MOST_VARIANCE), RETURN_UNIT);
}
