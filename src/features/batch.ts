import { PlimsollError } from '../errors.ts';
import type { MarketHistory } from '../risk/bars.ts';
import { HOUR_MILLISECONDS } from '../units.ts';
import { emptyHour, FeatureEngine, type HourOfMarkets } from './engine.ts';
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

/** The newest row of each market, one per market and in their order. */
export interface LatestFeatures {
  readonly asOf: number;
  /** Row-major, `FEATURE_COUNT` per market; zeros where not ready. */
  readonly values: Float64Array;
  /** By market: 1 where the row is complete. */
  readonly ready: Uint8Array;
  /** By market: index of the newest bar known at `asOf`; −1 where there is none. */
  readonly barIndex: Int32Array;
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

  const replay = new Replay(markets, from - LOAD_HOURS * HOUR_MILLISECONDS, Math.min(lastClose(markets), to));
  while (replay.next()) {
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

/**
 * What is known of every market at a time, for a forecast now. A market whose newest bar is some hours old gets a row
 * that counts those hours as missing; after `MAXIMUM_GAP_HOURS` it is no longer ready.
 *
 * @param asOf epoch milliseconds; bars that close later are not looked at. Taken down to the full hour.
 */
export function latestFeatures(markets: readonly MarketHistory[], asOf: number): LatestFeatures {
  const end = Math.floor(asOf / HOUR_MILLISECONDS) * HOUR_MILLISECONDS;
  const values = new Float64Array(markets.length * FEATURE_COUNT);
  const ready = new Uint8Array(markets.length);
  const replay = new Replay(markets, end - LOAD_HOURS * HOUR_MILLISECONDS, end);
  while (replay.next()) {}
  for (let m = 0; m < markets.length; m++) {
    replay.engine.writeRow(m, values, m * FEATURE_COUNT);
    ready[m] = replay.engine.isReady(m) ? 1 : 0;
  }
  return { asOf: end, values, ready, barIndex: replay.newestBar };
}

/** Plays the markets' bars and funding hour by hour into a feature engine. */
class Replay {
  readonly engine: FeatureEngine;
  /** The hour that was stepped through last. */
  readonly hour: HourOfMarkets;
  /** By market: index of the newest bar stepped through; −1 before the first. */
  readonly newestBar: Int32Array;
  /** Close of the hour that was stepped through last. */
  asOf: number;
  readonly #markets: readonly MarketHistory[];
  readonly #until: number;
  readonly #nextBar: Int32Array;
  readonly #nextFunding: Int32Array;

  /** @param from bars that open earlier are left out. @param until close of the last hour to play. */
  constructor(markets: readonly MarketHistory[], from: number, until: number) {
    for (const history of markets) requireHourly(history);
    this.#markets = markets;
    this.#until = until;
    this.engine = new FeatureEngine(markets.map((history) => history.symbol));
    this.hour = emptyHour(markets.length);
    this.newestBar = new Int32Array(markets.length).fill(-1);
    this.#nextBar = new Int32Array(markets.length);
    this.#nextFunding = new Int32Array(markets.length);
    let start = Number.POSITIVE_INFINITY;
    for (let m = 0; m < markets.length; m++) {
      const { bars, funding } = markets[m];
      const first = lowerBound(bars.openTime, bars.length, from);
      this.#nextBar[m] = first;
      if (first === bars.length) continue;
      start = Math.min(start, bars.openTime[first]);
      if (funding !== null)
        this.#nextFunding[m] = upperBound(funding.time, funding.length, bars.openTime[first]);
    }
    this.asOf = start;
  }

  /** Steps through the next hour; false when there is none left. */
  next(): boolean {
    if (!(this.asOf + HOUR_MILLISECONDS <= this.#until)) return false;
    const openTime = this.asOf;
    this.asOf = openTime + HOUR_MILLISECONDS;
    for (let m = 0; m < this.#markets.length; m++) {
      this.#takeBar(m, openTime);
      this.#takeFunding(m);
    }
    this.engine.step(openTime, this.hour);
    return true;
  }

  #takeBar(m: number, openTime: number): void {
    const { bars } = this.#markets[m];
    const i = this.#nextBar[m];
    if (i >= bars.length || bars.openTime[i] !== openTime) {
      this.hour.present[m] = 0;
      return;
    }
    this.hour.present[m] = 1;
    this.hour.open[m] = bars.open[i];
    this.hour.high[m] = bars.high[i];
    this.hour.low[m] = bars.low[i];
    this.hour.close[m] = bars.close[i];
    this.hour.quoteVolume[m] = bars.quoteVolume[i];
    this.newestBar[m] = i;
    this.#nextBar[m] = i + 1;
  }

  /** A settlement at an hour's close belongs to that hour; of several within one, the last counts. */
  #takeFunding(m: number): void {
    const { funding } = this.#markets[m];
    this.hour.fundingSettled[m] = 0;
    if (funding === null) return;
    while (this.#nextFunding[m] < funding.length && funding.time[this.#nextFunding[m]] <= this.asOf) {
      this.hour.fundingSettled[m] = 1;
      this.hour.fundingRate[m] = funding.rate[this.#nextFunding[m]++];
    }
  }
}

function requireHourly({ symbol, bars }: MarketHistory): void {
  for (let i = 0; i < bars.length; i++) {
    const follows = i === 0 || bars.openTime[i] > bars.openTime[i - 1];
    if (follows && bars.openTime[i] % HOUR_MILLISECONDS === 0) continue;
    throw new PlimsollError(
      'INPUT_INVALID',
      `bar ${i} of ${symbol} (opens ${bars.openTime[i]}) is off the hourly grid`,
      {
        remedy: 'Give hourly bars in ascending order, each opening on the hour.',
        details: { symbol, bar: i },
      },
    );
  }
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

/** Index of the first value not below the bound. */
function lowerBound(values: Float64Array, length: number, bound: number): number {
  let low = 0;
  let high = length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (values[middle] < bound) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Index of the first value above the bound. */
function upperBound(values: Float64Array, length: number, bound: number): number {
  let low = 0;
  let high = length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (values[middle] <= bound) low = middle + 1;
    else high = middle;
  }
  return low;
}
