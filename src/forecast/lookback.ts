import { type BarSeries, barsClosedBy } from '../risk/bars.ts';

/** What a classical forecast looks back on. */
export const LOOKBACK_HOURS = 365 * 24;
/** With less than 30 days of bars in the lookback there is no forecast. */
export const MINIMUM_BARS = 30 * 24;

/** The part of a market's bars that a forecast looks at: [from, end). */
export interface Lookback {
  readonly bars: BarSeries;
  readonly from: number;
  /** After the newest bar that closed by `asOf`. */
  readonly end: number;
}

export function lookback(bars: BarSeries, asOf: number): Lookback {
  const interval = bars.intervalMilliseconds;
  const end = barsClosedBy(bars, asOf);
  let from = Math.max(end - LOOKBACK_HOURS, 0);
  while (from < end && bars.openTime[from] + interval <= asOf - LOOKBACK_HOURS * interval) from++;
  return { bars, from, end };
}
