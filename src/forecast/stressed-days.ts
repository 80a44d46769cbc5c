import type { BarSeries } from '../risk/bars.ts';
import { excursionsOf } from '../risk/tail/excursions.ts';
import { parkinson } from '../risk/volatility/range.ts';
import { DAY_MILLISECONDS } from '../units.ts';
import { HORIZONS_HOURS, PATHS_PER_MARKET, pathIndex, SIDES } from './predictor.ts';

const LONGEST_HOURS = Math.max(...HORIZONS_HOURS);

interface Day {
  /** Indices in the series. */
  readonly from: number;
  to: number;
  sum: number;
}

/** The excursions in the most volatile UTC days of a whole history, which grows. */
export class StressedDays {
  readonly #most: number;
  readonly #days: Day[] = [];
  #end = 0;
  /** The most volatile of them, the highest first. */
  #chosen: readonly Day[] = [];
  /** By `pathIndex`, ascending. */
  #losses: readonly Float64Array[] = [];

  constructor(most: number) {
    this.#most = most;
  }

  /**
   * By `pathIndex`, ascending: the excursions of the origins in those days whose horizon has ended.
   *
   * @param end number of bars that had closed; not below that of an earlier call.
   */
  losses(bars: BarSeries, end: number): readonly Float64Array[] {
    if (end === this.#end) return this.#losses;
    const before = this.#end;
    const [untouched, least] = [Math.max(this.#days.length - 1, 0), this.#chosen.at(-1)];
    this.#take(bars, end);
    const isSame =
      least !== undefined &&
      this.#chosen.length === this.#most &&
      this.#chosen.every(({ to }) => to + LONGEST_HOURS <= before) &&
      this.#days.slice(untouched).every((day) => meanOf(day) <= meanOf(least));
    if (!isSame) {
      this.#chosen = [...this.#days].sort((a, b) => meanOf(b) - meanOf(a) || a.from - b.from);
      this.#chosen = this.#chosen.slice(0, this.#most);
      this.#losses = lossesIn(this.#chosen, bars, end);
    }
    return this.#losses;
  }

  #take(bars: BarSeries, end: number): void {
    const { openTime, high, low } = bars;
    for (let i = this.#end; i < end; i++) {
      let day = this.#days.at(-1);
      if (day === undefined || dayOf(openTime[day.from]) !== dayOf(openTime[i])) {
        day = { from: i, to: i, sum: 0 };
        this.#days.push(day);
      }
      day.to = i + 1;
      day.sum += parkinson(high[i], low[i]);
    }
    this.#end = end;
  }
}

function meanOf({ from, to, sum }: Day): number {
  return sum / (to - from);
}

function dayOf(time: number): number {
  return Math.floor(time / DAY_MILLISECONDS);
}

function lossesIn(days: readonly Day[], bars: BarSeries, end: number): readonly Float64Array[] {
  const origins = days.reduce((sum, { from, to }) => sum + to - from, 0);
  const pair = new Float64Array(SIDES.length);
  const byPath = Array.from({ length: PATHS_PER_MARKET }, () => new Float64Array(origins));
  for (const [h, hours] of HORIZONS_HOURS.entries()) {
    let count = 0;
    for (const { from, to } of days) {
      for (let i = from; i < Math.min(to, end - hours); i++) {
        if (!excursionsOf(bars, i, hours, pair)) continue;
        for (let side = 0; side < SIDES.length; side++) byPath[pathIndex(0, side, h)][count] = pair[side];
        count++;
      }
    }
    for (let side = 0; side < SIDES.length; side++) {
      const path = pathIndex(0, side, h);
      byPath[path] = byPath[path].subarray(0, count).sort();
    }
  }
  return byPath;
}
