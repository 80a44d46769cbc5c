import { MAXIMUM_GAP_HOURS } from '../features/spec.ts';
import type { BarSeries } from '../risk/bars.ts';
import { barsClosedBy, excursionHistory, type WindowTail } from './excursion-history.ts';
import { HORIZON_COUNT, HORIZONS_HOURS, pathIndex } from './predictor.ts';

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

export function tailsOf({ bars, from, end }: Lookback): readonly WindowTail[] {
  return excursionHistory(bars, from).tails(from, end);
}

/** Why there is no forecast; empty where there can be one. */
export function reasonAgainst(past: Lookback, asOf: number): string {
  const { bars, from, end } = past;
  const count = end - from;
  if (count < MINIMUM_BARS) {
    return `only ${count} hourly bars in the last 365 days; ${MINIMUM_BARS} are needed`;
  }
  const newestClose = bars.openTime[end - 1] + bars.intervalMilliseconds;
  const ageHours = (asOf - newestClose) / bars.intervalMilliseconds;
  if (ageHours > MAXIMUM_GAP_HOURS) {
    return `the newest bar closed ${Math.round(ageHours)} hours ago; at most ${MAXIMUM_GAP_HOURS} are bridged`;
  }
  const longest = HORIZON_COUNT - 1;
  const whole = tailsOf(past)[pathIndex(0, 0, longest)].count;
  const needed = MINIMUM_BARS - HORIZONS_HOURS[longest];
  if (whole < needed) {
    return `only ${whole} origins in the last 365 days have all bars of the next ${HORIZONS_HOURS[longest]} hours; ${needed} are needed`;
  }
  return '';
}
