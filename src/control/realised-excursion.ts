import { type BarSeries, barsClosedBy } from '../risk/bars.ts';
import { HOUR_MILLISECONDS } from '../units.ts';

export interface Excursion {
  readonly long: number;
  readonly short: number;
}

/** Worst loss of each side over the horizon after `asOf`, or null where a bar of it is missing. */
export function realisedExcursion(bars: BarSeries, asOf: number, horizonHours: number): Excursion | null {
  const entry = barClosingAt(bars, asOf);
  const last = entry + horizonHours;
  if (entry < 0 || last >= bars.length) return null;
  if (bars.openTime[last] - bars.openTime[entry] !== horizonHours * HOUR_MILLISECONDS) return null;
  let lowest = bars.close[entry];
  let highest = bars.close[entry];
  for (let i = entry + 1; i <= last; i++) {
    lowest = Math.min(lowest, bars.low[i]);
    highest = Math.max(highest, bars.high[i]);
  }
  return { long: 1 - lowest / bars.close[entry], short: highest / bars.close[entry] - 1 };
}

/** Index of the bar that closes at a time; −1 where there is none. */
export function barClosingAt(bars: BarSeries, time: number): number {
  const bar = barsClosedBy(bars, time) - 1;
  return bar >= 0 && bars.openTime[bar] + bars.intervalMilliseconds === time ? bar : -1;
}

/** Close of the newest bar; −∞ where there is none. */
export function newestCloseOf(bars: BarSeries): number {
  return bars.length === 0
    ? Number.NEGATIVE_INFINITY
    : bars.openTime[bars.length - 1] + bars.intervalMilliseconds;
}
