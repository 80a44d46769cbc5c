import type { BarSeries } from './bars.ts';

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
 * The extremes come from two monotone deques (Lemire 2006) in O(n) for any horizon. An origin is valid when bar i + h
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

/** out[i] = max(1 − min(low[i + 1 … i + h]) / close[i], 0). */
function forwardLosses(
  low: Float64Array,
  close: Float64Array,
  h: number,
  length: number,
  out: Float64Array,
): void {
  // The deque of indices never wraps: it lives in an array as long as the series, and only its ends move.
  const deque = new Int32Array(length + h);
  let front = 0;
  let back = 0;
  for (let j = 1; j < length + h; j++) {
    const value = low[j];
    while (back > front && low[deque[back - 1]] >= value) back--;
    deque[back++] = j;
    const i = j - h;
    if (i < 0) continue;
    if (deque[front] <= i) front++;
    const loss = 1 - low[deque[front]] / close[i];
    out[i] = loss > 0 ? loss : 0;
  }
}

/** out[i] = max(max(high[i + 1 … i + h]) / close[i] − 1, 0). */
function forwardGains(
  high: Float64Array,
  close: Float64Array,
  h: number,
  length: number,
  out: Float64Array,
): void {
  const deque = new Int32Array(length + h);
  let front = 0;
  let back = 0;
  for (let j = 1; j < length + h; j++) {
    const value = high[j];
    while (back > front && high[deque[back - 1]] <= value) back--;
    deque[back++] = j;
    const i = j - h;
    if (i < 0) continue;
    if (deque[front] <= i) front++;
    const gain = high[deque[front]] / close[i] - 1;
    out[i] = gain > 0 ? gain : 0;
  }
}
