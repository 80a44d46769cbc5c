import { isoTime } from '../../clock.ts';
import type { BarSeries } from '../../risk/bars.ts';
import { DAY_MILLISECONDS } from '../../units.ts';
import type { StressScenario } from './stress-test.ts';

/** Days with fewer markets than this say nothing of all of them; with fewer markets at all, all of them must have one. */
const LEAST_MARKETS = 3;

interface Day {
  readonly time: number;
  /** By row: the worst fall below, and rise above, the close before; NaN without a bar. */
  readonly fall: Float64Array;
  readonly rise: Float64Array;
}

/**
 * The worst days of the stored history: the UTC days with the largest mean fall over markets, and the largest mean rise. A
 * market moves to its own extreme of that day against the close before, as if all stood there at once; one that has no bars
 * of it moves by the mean of the others.
 *
 * @param bars by row of the market; null where none are stored. @param falls, rises how many of each.
 */
export function worstDays(
  bars: readonly (BarSeries | null)[],
  falls: number,
  rises: number,
): readonly StressScenario[] {
  const days = daysOf(bars);
  const largest = (of: (day: Day) => Float64Array, sign: 1 | -1, count: number): StressScenario[] =>
    days
      .map((day) => ({ day, mean: meanOf(of(day)) }))
      .filter(({ mean }) => sign * mean > 0)
      .sort((a, b) => sign * (b.mean - a.mean) || a.day.time - b.day.time)
      .slice(0, count)
      .map(({ day, mean }) => scenarioOf(day.time, of(day), mean));
  return [...largest(({ fall }) => fall, -1, falls), ...largest(({ rise }) => rise, 1, rises)];
}

/** One stored day, by its worst falls or its largest rises, whichever are larger on average; null where it is not stored. */
export function storedDay(bars: readonly (BarSeries | null)[], time: number): StressScenario | null {
  const day = daysOf(bars).find((one) => one.time === time);
  if (day === undefined) return null;
  const [fall, rise] = [meanOf(day.fall), meanOf(day.rise)];
  return -fall >= rise ? scenarioOf(time, day.fall, fall) : scenarioOf(time, day.rise, rise);
}

function scenarioOf(time: number, moves: Float64Array, mean: number): StressScenario {
  const date = isoTime(time).slice(0, 10);
  const filled = moves.map((move) => Math.max(Number.isNaN(move) ? mean : move, LARGEST_FALL));
  const words = mean < 0 ? 'lows' : 'highs';
  return {
    id: date,
    description: `the ${words} of ${date} against the close before, ${(100 * mean).toFixed(1)} % on average`,
    moves: filled,
    basis: 'measured',
  };
}

/** No mark falls to nothing: a price of zero is a fault of a bar. */
const LARGEST_FALL = -0.99;

function daysOf(bars: readonly (BarSeries | null)[]): readonly Day[] {
  const byTime = new Map<number, Day>();
  for (const [m, series] of bars.entries()) {
    if (series === null) continue;
    let before = Number.NaN;
    let [time, low, high] = [-1, Number.POSITIVE_INFINITY, 0];
    const close = (last: number): void => {
      if (time >= 0 && before > 0) {
        const day = dayAt(byTime, time, bars.length);
        day.fall[m] = Math.min(low / before - 1, 0);
        day.rise[m] = Math.max(high / before - 1, 0);
      }
      before = last;
    };
    for (let i = 0; i < series.length; i++) {
      const at = Math.floor(series.openTime[i] / DAY_MILLISECONDS) * DAY_MILLISECONDS;
      if (at !== time) {
        if (i > 0) close(series.close[i - 1]);
        // After days without bars the last close is no close before.
        if (at - time > DAY_MILLISECONDS) before = Number.NaN;
        [time, low, high] = [at, Number.POSITIVE_INFINITY, 0];
      }
      low = Math.min(low, series.low[i]);
      high = Math.max(high, series.high[i]);
    }
    close(Number.NaN);
  }
  const known = bars.filter((series) => series !== null).length;
  const least = Math.min(LEAST_MARKETS, known);
  return [...byTime.values()].filter(
    ({ fall }) => fall.filter((move) => !Number.isNaN(move)).length >= least,
  );
}

function dayAt(byTime: Map<number, Day>, time: number, markets: number): Day {
  const known = byTime.get(time);
  if (known !== undefined) return known;
  const column = (): Float64Array => new Float64Array(markets).fill(Number.NaN);
  const day = { time, fall: column(), rise: column() };
  byTime.set(time, day);
  return day;
}

function meanOf(moves: Float64Array): number {
  let sum = 0;
  let count = 0;
  for (const move of moves) {
    if (Number.isNaN(move)) continue;
    sum += move;
    count++;
  }
  return count > 0 ? sum / count : 0;
}
