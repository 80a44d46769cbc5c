import type { MarketHistory } from '../risk/bars.ts';
import { HOUR_MILLISECONDS } from '../units.ts';
import { Replay } from './replay.ts';
import { FEATURE_COUNT, LOAD_HOURS } from './spec.ts';

/** Feature rows, as structures of arrays; every row is complete (the market was warmed up). */
export interface FeatureTable {
  readonly rows: number;
  readonly symbols: readonly string[];
  /** By row: position in `symbols`. */
  readonly market: Uint16Array;
  /** By row: index into that market's bars of the newest bar the row knows. */
  readonly barIndex: Int32Array;
  /** By row: close of that bar, epoch milliseconds; rows ascend in it, and in `market` within it. */
  readonly asOf: Float64Array;
  /** Row-major, `FEATURE_COUNT` per row. */
  readonly values: Float64Array;
}

export interface FeatureOptions {
  /** Only rows whose `asOf` is a multiple of this many hours since the epoch, or of any of several; 1 by default. */
  readonly everyHours?: number | readonly number[];
  /** Only rows with `asOf` in [from, to), epoch milliseconds. Hours before `from` are still used, as far as a row needs. */
  readonly from?: number;
  readonly to?: number;
}

/**
 * Feature rows of all markets over their history: one row per bar of a warmed-up market.
 *
 * @throws PlimsollError INPUT_INVALID for bars that are not hourly or not on the hour.
 */
export function computeFeatures(
  markets: readonly MarketHistory[],
  options: FeatureOptions = {},
): FeatureTable {
  const every = [options.everyHours ?? 1].flat().map((hours) => hours * HOUR_MILLISECONDS);
  const from = options.from ?? Number.NEGATIVE_INFINITY;
  const to = options.to ?? Number.POSITIVE_INFINITY;
  const isWanted = (asOf: number): boolean =>
    asOf >= from && asOf < to && every.some((milliseconds) => asOf % milliseconds === 0);

  const capacity = countBars(markets, isWanted);
  const market = new Uint16Array(capacity);
  const barIndex = new Int32Array(capacity);
  const asOfs = new Float64Array(capacity);
  const values = new Float64Array(capacity * FEATURE_COUNT);
  let rows = 0;

  const replay = new Replay(markets, from - LOAD_HOURS * HOUR_MILLISECONDS);
  const until = Math.min(lastClose(markets), to);
  while (replay.next(until)) {
    if (!isWanted(replay.asOf)) continue;
    for (let m = 0; m < markets.length; m++) {
      if (replay.hour.present[m] === 0 || !replay.engine.isReady(m)) continue;
      market[rows] = m;
      barIndex[rows] = replay.newestBar[m];
      asOfs[rows] = replay.asOf;
      replay.engine.writeRow(m, values, rows * FEATURE_COUNT);
      rows++;
    }
  }
  return {
    rows,
    symbols: markets.map((history) => history.symbol),
    market: market.subarray(0, rows),
    barIndex: barIndex.subarray(0, rows),
    asOf: asOfs.subarray(0, rows),
    values: values.subarray(0, rows * FEATURE_COUNT),
  };
}

function countBars(markets: readonly MarketHistory[], isWanted: (asOf: number) => boolean): number {
  let count = 0;
  for (const { bars } of markets) {
    for (let i = 0; i < bars.length; i++) if (isWanted(bars.openTime[i] + HOUR_MILLISECONDS)) count++;
  }
  return count;
}

function lastClose(markets: readonly MarketHistory[]): number {
  let last = Number.NEGATIVE_INFINITY;
  for (const { bars } of markets) {
    if (bars.length > 0) last = Math.max(last, bars.openTime[bars.length - 1] + HOUR_MILLISECONDS);
  }
  return last;
}
