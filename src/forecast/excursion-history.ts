import { MAXIMUM_GAP_HOURS } from '../features/spec.ts';
import { type BarSeries, lineageOf } from '../risk/bars.ts';
import { type Lookback, MINIMUM_BARS } from './lookback.ts';
import { HORIZON_COUNT, HORIZONS_HOURS, pathIndex } from './predictor.ts';
import { RecentExcursions } from './recent-excursions.ts';
import { RollingTails } from './rolling-tails.ts';
import type { SampleTail } from './sample-tail.ts';

interface TailsOfSeries {
  readonly byExponent: Map<number, RollingTails>;
  readonly recent: RecentExcursions;
}

/** By lineage: it serves all forecasters of a decision, and lives as long as the series that it was made from. */
const kept = new WeakMap<object, TailsOfSeries>();

/** The tails of a series' excursions, divided by volatility to a power g; kept while the series grows. */
export function rollingTailsOf(bars: BarSeries, exponent: number): RollingTails {
  const lineage = lineageOf(bars);
  let ofSeries = kept.get(lineage);
  if (ofSeries === undefined) {
    ofSeries = { byExponent: new Map(), recent: new RecentExcursions() };
    kept.set(lineage, ofSeries);
  }
  let tails = ofSeries.byExponent.get(exponent);
  if (tails === undefined) {
    tails = new RollingTails(exponent, ofSeries.recent);
    ofSeries.byExponent.set(exponent, tails);
  }
  return tails;
}

/** The tails of the excursions of a lookback as they were. */
export function tailsOf({ bars, from, end }: Lookback): readonly SampleTail[] {
  return rollingTailsOf(bars, 0).tails(bars, from, end);
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
