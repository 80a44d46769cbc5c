import { PlimsollError } from '../errors.ts';
import { type FundingSeries, lineageOf, type MarketHistory } from '../risk/bars.ts';
import { HOUR_MILLISECONDS } from '../units.ts';
import { emptyHour, FeatureEngine, type HourOfMarkets } from './engine.ts';

/** Plays the markets' bars and funding hour by hour into a feature engine. */
export class Replay {
  readonly engine: FeatureEngine;
  /** The hour that was stepped through last. */
  readonly hour: HourOfMarkets;
  /** By market: index of the newest bar stepped through; −1 before the first. */
  readonly newestBar: Int32Array;
  /** Close of the hour that was stepped through last. */
  asOf: number;
  #markets: readonly MarketHistory[];
  readonly #nextBar: Int32Array;
  readonly #nextFunding: Int32Array;

  /**
   * @param from bars that open earlier are left out.
   * @throws PlimsollError INPUT_INVALID for bars that are not hourly or not on the hour.
   */
  constructor(markets: readonly MarketHistory[], from: number) {
    for (const history of markets) requireHourly(history, 0);
    this.#markets = markets;
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

  /**
   * Goes on with histories that have grown.
   *
   * @returns false, with nothing changed, where they are not what was played and then more: other markets, other bars, or
   * ones that came late, for hours that are over.
   * @throws PlimsollError INPUT_INVALID as the constructor does.
   */
  continueWith(markets: readonly MarketHistory[]): boolean {
    if (markets.length !== this.#markets.length) return false;
    if (!markets.every((history, m) => this.#isContinued(history, m))) return false;
    for (const [m, history] of markets.entries()) requireHourly(history, this.#nextBar[m]);
    this.#markets = markets;
    return true;
  }

  /** Steps through the next hour; false when there is none left that closes by `until`. */
  next(until: number): boolean {
    if (!(this.asOf + HOUR_MILLISECONDS <= until)) return false;
    const openTime = this.asOf;
    this.asOf = openTime + HOUR_MILLISECONDS;
    for (let m = 0; m < this.#markets.length; m++) {
      this.#takeBar(m, openTime);
      this.#takeFunding(m);
    }
    this.engine.step(openTime, this.hour);
    return true;
  }

  #isContinued({ symbol, bars, funding }: MarketHistory, m: number): boolean {
    const before = this.#markets[m];
    const [nextBar, nextFunding] = [this.#nextBar[m], this.#nextFunding[m]];
    return (
      symbol === before.symbol &&
      lineageOf(bars) === lineageOf(before.bars) &&
      bars.length >= nextBar &&
      !(bars.openTime[nextBar] < this.asOf) &&
      isSameFunding(funding, before.funding, nextFunding) &&
      !(funding !== null && funding.time[nextFunding] <= this.asOf)
    );
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

/** Whether the first settlements are the same ones. */
function isSameFunding(ours: FundingSeries | null, theirs: FundingSeries | null, count: number): boolean {
  if (ours === theirs) return true;
  if (ours === null || theirs === null || ours.length < count) return false;
  for (let i = 0; i < count; i++)
    if (ours.time[i] !== theirs.time[i] || ours.rate[i] !== theirs.rate[i]) return false;
  return true;
}

function requireHourly({ symbol, bars }: MarketHistory, from: number): void {
  for (let i = from; i < bars.length; i++) {
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
