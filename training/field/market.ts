import { HORIZONS_HOURS } from '../../src/forecast/predictor.ts';
import type { MarketHistory } from '../../src/risk/bars.ts';
import { rollingSums } from '../../src/risk/numeric/rolling.ts';
import { type AdverseExcursions, adverseExcursions } from '../../src/risk/tail/excursions.ts';
import { logReturns, parkinsonVariance } from '../../src/risk/volatility/range.ts';
import { DAY_MILLISECONDS } from '../../src/units.ts';
import type { OutcomeTable } from '../judge/tables.ts';
import type { Fold } from '../walk-forward.ts';

/** A market as the classical methods look at it: its bars, what came after each, and where it is to be forecast. */
export interface FieldMarket {
  readonly history: MarketHistory;
  /** By bar; a gap's return is one return, and moves count at most `MAXIMUM_MOVE`. The first is 0. */
  readonly returns: Float64Array;
  /** Parkinson's, by bar. */
  readonly variance: Float64Array;
  /** By `HORIZONS_HOURS`. */
  readonly byHorizon: readonly AdverseExcursions[];
  readonly stretches: readonly Stretch[];
}

/** The part of a market that is forecast with one set of parameters. */
export interface Stretch {
  /** Position among the folds. */
  readonly fold: number;
  /** Rows of the outcome table, ascending. */
  readonly rows: Uint32Array;
  /** By row: the newest bar that is known. */
  readonly bar: Int32Array;
  /** First bar of the year before the fold. */
  readonly from: number;
  /** Bars before this one are known to the fit: those that closed before the fold, less the purge. */
  readonly fitEnd: number;
  /** After the newest bar of the last row. */
  readonly end: number;
}

/** What a window of empirical quantiles looks back on. */
export const LOOKBACK_BARS = 365 * 24;
/** A market with less past has no answer. */
export const LEAST_BARS = 60 * 24;
/** One absurd print must not own a variance. */
const MAXIMUM_MOVE = 0.5;

/** @param index of the market in the outcome table. @returns null where it has no row. */
export function fieldMarket(
  history: MarketHistory,
  index: number,
  outcomes: OutcomeTable,
  folds: readonly Fold[],
): FieldMarket | null {
  const { bars } = history;
  const rowsOf = folds.map((): number[] => []);
  for (let row = 0; row < outcomes.rows; row++)
    if (outcomes.market[row] === index) rowsOf[outcomes.fold[row]].push(row);
  const barAt = new Map<number, number>();
  for (let i = 0; i < bars.length; i++) barAt.set(bars.openTime[i] + bars.intervalMilliseconds, i);
  const stretches = rowsOf.flatMap((rows, f): Stretch[] => {
    const bar = Int32Array.from(rows, (row) => barAt.get(outcomes.asOf[row]) ?? -1);
    if (rows.length === 0 || bar.includes(-1)) return [];
    return [
      {
        fold: f,
        rows: Uint32Array.from(rows),
        bar,
        from: firstAt(bars.openTime, folds[f].from - 365 * DAY_MILLISECONDS),
        fitEnd: firstAt(bars.openTime, folds[f].trainUntil - bars.intervalMilliseconds),
        end: bar[bar.length - 1] + 1,
      },
    ];
  });
  if (stretches.length === 0) return null;
  const moves = logReturns(bars).map((move) => Math.min(Math.max(move, -MAXIMUM_MOVE), MAXIMUM_MOVE));
  const returns = new Float64Array(bars.length);
  returns.set(moves, bars.length - moves.length);
  return {
    history,
    returns,
    variance: parkinsonVariance(bars).map((value) => Math.min(value, MAXIMUM_MOVE ** 2)),
    byHorizon: HORIZONS_HOURS.map((hours) => adverseExcursions(bars, hours)),
    stretches,
  };
}

/** First position whose time is not before `time`. */
function firstAt(openTime: Float64Array, time: number): number {
  let [low, high] = [0, openTime.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (openTime[middle] < time) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Means over the last `window` bars, or over those that there are, by bar. */
export function trailingMeans(values: Float64Array, window: number): Float64Array {
  const means = new Float64Array(values.length);
  rollingSums(values, window, means);
  return means.map((sum, i) => Math.max(sum, 0) / Math.min(i + 1, window));
}
