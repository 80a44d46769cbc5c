import { type BarSeries, sliceBars } from '../risk/bars.ts';
import { quantileOfSorted, sortedTailInPlace } from '../risk/numeric/quantile.ts';
import { type AdverseExcursions, adverseExcursions } from '../risk/tail/excursions.ts';
import { parkinsonVariance } from '../risk/volatility/range.ts';
import { VOLATILITY_MEMORY_BARS } from './classical-volatility.ts';
import { CONFIDENCES, HORIZONS_HOURS, pathIndex, SIDES } from './predictor.ts';

/** The largest excursions of one path over a window of origins. */
export interface WindowTail {
  /** Origins of the window whose horizon is known. */
  readonly count: number;
  /** Ascending; as many as quantiles and tail means from the lowest of `CONFIDENCES` on need. Empty where count is 0. */
  readonly largest: Float64Array;
  /** The quantile at the lowest of `CONFIDENCES`: the excursion called a shock. 0 where count is 0. */
  readonly threshold: number;
}

/**
 * What several forecasters need of a series' past, computed once for all of them and for all times they forecast at.
 *
 * It is computed for the whole series, also for bars that come after the time of a forecast, and is safe all the same:
 * entry i of the excursions over h hours depends on bars i to i + h alone. Who asks for a time takes the origins whose
 * horizon had ended by then, and no others: `tails` does.
 */
export class ExcursionHistory {
  /** Index in the series of entry 0 of everything here. */
  readonly start: number;
  /** By `HORIZONS_HOURS`. */
  readonly byHorizon: readonly AdverseExcursions[];
  /** Parkinson's, by bar. */
  readonly variance: Float64Array;
  #tails: { readonly from: number; readonly end: number; readonly byPath: readonly WindowTail[] } | null =
    null;

  constructor(bars: BarSeries, start: number) {
    const used = sliceBars(bars, start, bars.length);
    this.start = start;
    this.byHorizon = HORIZONS_HOURS.map((hours) => adverseExcursions(used, hours));
    this.variance = parkinsonVariance(used);
  }

  /**
   * Of the origins from one bar on whose horizon ends before another, by `pathIndex`. The last answer is kept:
   * all forecasters of a decision ask for the same window.
   *
   * @param from index in the series, not before `start`. @param end number of bars that had closed.
   */
  tails(from: number, end: number): readonly WindowTail[] {
    if (this.#tails?.from !== from || this.#tails.end !== end)
      this.#tails = { from, end, byPath: this.#tailsOf(from, end) };
    return this.#tails.byPath;
  }

  #tailsOf(from: number, end: number): WindowTail[] {
    const scratch = new Float64Array(end - from);
    const byPath: WindowTail[] = [];
    for (const [h, excursions] of this.byHorizon.entries()) {
      const lastOrigin = end - HORIZONS_HOURS[h];
      for (const [s, side] of SIDES.entries()) {
        const losses = excursions[side];
        let count = 0;
        for (let i = from - this.start; i < lastOrigin - this.start; i++)
          if (excursions.valid[i] === 1) scratch[count++] = losses[i];
        byPath[pathIndex(0, s, h)] = tailOf(scratch.subarray(0, count));
      }
    }
    return byPath;
  }
}

function tailOf(losses: Float64Array): WindowTail {
  const count = losses.length;
  if (count === 0) return { count, largest: losses, threshold: 0 };
  // A copy: the scratch is used again.
  const largest = sortedTailInPlace(losses, CONFIDENCES[0]).slice();
  return { count, largest, threshold: quantileOfSorted(largest, count, CONFIDENCES[0]) };
}

/** By identity: a history lives exactly as long as the series that it was made from, which never changes. */
const histories = new WeakMap<BarSeries, ExcursionHistory>();

/**
 * The history of a series for windows of origins from a bar on, with the bars before it that their volatility needs:
 * asked for by whoever comes first, it serves all others. Made when first asked for, to the end of the series.
 */
export function excursionHistory(bars: BarSeries, from: number): ExcursionHistory {
  const start = volatilityStart(from);
  let history = histories.get(bars);
  if (history === undefined || history.start > start) {
    history = new ExcursionHistory(bars, start);
    histories.set(bars, history);
  }
  return history;
}

/** Where the volatility of a window's first origin begins. */
export function volatilityStart(from: number): number {
  return Math.max(from - VOLATILITY_MEMORY_BARS, 0);
}

/** How many bars had closed by a time. */
export function barsClosedBy({ openTime, length, intervalMilliseconds }: BarSeries, asOf: number): number {
  let [low, high] = [0, length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (openTime[middle] + intervalMilliseconds <= asOf) low = middle + 1;
    else high = middle;
  }
  return low;
}
