import type { BarSeries } from '../bars.ts';

/** The worst loss of each side within a horizon, by origin, as a share of the entry price (the origin's close). */
export interface AdverseExcursions {
  readonly horizonBars: number;
  /** Origins: bars 0 … length − 1, where length is the number of bars − horizonBars, or 0. */
  readonly length: number;
  /** max(1 − lowest low / close, 0); 0 where not valid. */
  readonly long: Float64Array;
  /** max(highest high / close − 1, 0); 0 where not valid. */
  readonly short: Float64Array;
  /** 1 where every bar of the horizon is there, 0 where a gap leaves part of the path unknown. */
  readonly valid: Uint8Array;
}

/**
 * Adverse excursions of all origins of a series: entry i looks at bars i + 1 … i + h. Liquidation is a first passage,
 * so it is the path's extreme that counts and not where it ends.
 *
 * The extremes come from block-wise prefix and suffix extremes (van Herk 1992; Gil and Werman 1993): O(n) for any horizon
 * and any data, and about twice as quick as a monotone deque, whose branches cannot be predicted. An origin is valid when bar i + h
 * opens exactly h intervals after bar i: the series ascends strictly, so nothing is missing in between.
 *
 * @param horizonBars whole number, at least 1.
 */
export function adverseExcursions(bars: BarSeries, horizonBars: number): AdverseExcursions {
  const length = Math.max(bars.length - horizonBars, 0);
  const long = new Float64Array(length);
  const short = new Float64Array(length);
  const valid = new Uint8Array(length);
  if (length > 0) {
    forwardLosses(bars.low, bars.close, horizonBars, length, long);
    forwardGains(bars.high, bars.close, horizonBars, length, short);
    const span = horizonBars * bars.intervalMilliseconds;
    for (let i = 0; i < length; i++) {
      if (bars.openTime[i + horizonBars] - bars.openTime[i] === span) valid[i] = 1;
      else {
        long[i] = 0;
        short[i] = 0;
      }
    }
  }
  return { horizonBars, length, long, short, valid };
}

/**
 * The same for one origin: for who adds origins one by one.
 *
 * @param origin such that bar origin + horizonBars is there. @param out receives the long and the short excursion.
 * @returns whether the origin is valid; where it is not, out is left as it was.
 */
export function excursionsOf(
  bars: BarSeries,
  origin: number,
  horizonBars: number,
  out: Float64Array,
): boolean {
  const { openTime, low, high, close } = bars;
  const last = origin + horizonBars;
  if (openTime[last] - openTime[origin] !== horizonBars * bars.intervalMilliseconds) return false;
  let lowest = Number.POSITIVE_INFINITY;
  let highest = 0;
  for (let i = origin + 1; i <= last; i++) {
    lowest = Math.min(low[i], lowest);
    highest = Math.max(high[i], highest);
  }
  out[0] = Math.max(1 - lowest / close[origin], 0);
  out[1] = Math.max(highest / close[origin] - 1, 0);
  return true;
}

/**
 * out[i] = max(1 − min(low[i + 1 … i + h]) / close[i], 0).
 *
 * The series is cut into blocks of h bars. A window of h bars is the end of one block and the beginning of the next, so
 * its minimum is the smaller of a suffix minimum and a prefix minimum.
 */
function forwardLosses(
  low: Float64Array,
  close: Float64Array,
  h: number,
  length: number,
  out: Float64Array,
): void {
  const end = length + h;
  const suffix = new Float64Array(end);
  for (let start = 1; start < end; start += h) {
    let minimum = Number.POSITIVE_INFINITY;
    for (let j = Math.min(start + h, end) - 1; j >= start; j--) {
      minimum = Math.min(low[j], minimum);
      suffix[j] = minimum;
    }
  }
  for (let start = 1; start < end; start += h) {
    let minimum = Number.POSITIVE_INFINITY;
    const stop = Math.min(start + h, end);
    for (let j = start; j < stop; j++) {
      minimum = Math.min(low[j], minimum);
      const i = j - h;
      if (i < 0) continue;
      out[i] = Math.max(1 - Math.min(suffix[i + 1], minimum) / close[i], 0);
    }
  }
}

/** out[i] = max(max(high[i + 1 … i + h]) / close[i] − 1, 0), in the same way. */
function forwardGains(
  high: Float64Array,
  close: Float64Array,
  h: number,
  length: number,
  out: Float64Array,
): void {
  const end = length + h;
  const suffix = new Float64Array(end);
  for (let start = 1; start < end; start += h) {
    let maximum = 0;
    for (let j = Math.min(start + h, end) - 1; j >= start; j--) {
      maximum = Math.max(high[j], maximum);
      suffix[j] = maximum;
    }
  }
  for (let start = 1; start < end; start += h) {
    let maximum = 0;
    const stop = Math.min(start + h, end);
    for (let j = start; j < stop; j++) {
      maximum = Math.max(high[j], maximum);
      const i = j - h;
      if (i < 0) continue;
      out[i] = Math.max(Math.max(suffix[i + 1], maximum) / close[i] - 1, 0);
    }
  }
}
