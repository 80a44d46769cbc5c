import { Random } from '../src/random.ts';
import { type BarSeries, emptyBars, type FundingSeries, type MarketHistory } from '../src/risk/bars.ts';
import { HOUR_MILLISECONDS } from '../src/units.ts';

export interface RandomMarketOptions {
  readonly symbol?: string;
  readonly seed: number;
  /** Hours of the grid; gaps make the series shorter. */
  readonly hours: number;
  /** Open time of the first hour, epoch milliseconds. */
  readonly start?: number;
  /** Probability per hour that a gap begins, and the longest gap. */
  readonly gapProbability?: number;
  readonly longestGapHours?: number;
  /** 0 makes the prices stand still. */
  readonly volatility?: number;
  readonly withVolume?: boolean;
  readonly withFunding?: boolean;
}

export const RANDOM_MARKET_START = Date.UTC(2022, 0, 3);

/**
 * A market that tests may do anything to: hourly bars whose volatility clusters, with jumps, gaps, hours without volume
 * and funding every eight hours. Not a model of anything; the sample market of `data` is.
 */
export function randomMarket(options: RandomMarketOptions): MarketHistory {
  const symbol = options.symbol ?? `TEST${options.seed}USDT`;
  const random = Random.stream(options.seed, symbol);
  const start = options.start ?? RANDOM_MARKET_START;
  const bars = emptyBars(options.hours, HOUR_MILLISECONDS);
  const base = options.volatility ?? 0.008;
  let price = 10 * Math.exp(random.normal());
  let volatility = base;
  let gap = 0;
  let length = 0;
  for (let hour = 0; hour < options.hours; hour++) {
    volatility = base * (volatility / base) ** 0.97 * Math.exp(0.1 * random.normal());
    const open = price;
    const jump = random.uniform() < 0.003 ? 8 * volatility * random.normal() : 0;
    price *= Math.exp(volatility * random.studentT(4) + jump);
    const up = Math.exp(0.5 * volatility * random.exponential());
    const down = Math.exp(0.5 * volatility * random.exponential());
    const volume = random.uniform() < 0.02 ? 0 : 1e5 * random.exponential();
    if (gap > 0) gap--;
    else if (random.uniform() < (options.gapProbability ?? 0))
      gap = 1 + random.integer(options.longestGapHours ?? 60);
    if (gap > 0) continue;
    bars.openTime[length] = start + hour * HOUR_MILLISECONDS;
    bars.open[length] = open;
    bars.high[length] = Math.max(open, price) * up;
    bars.low[length] = Math.min(open, price) / down;
    bars.close[length] = price;
    bars.quoteVolume[length] = options.withVolume === false ? 0 : volume;
    bars.volume[length] = bars.quoteVolume[length] / price;
    length++;
  }
  return {
    symbol,
    source: `${symbol}-random-perp-1h`,
    simulated: true,
    bars: firstBars(bars, length),
    funding: options.withFunding ? randomFunding(random, start, options.hours) : null,
    openInterest: null,
    mark: null,
  };
}

function randomFunding(random: Random, start: number, hours: number): FundingSeries {
  const length = Math.floor(hours / 8);
  return {
    length,
    time: Float64Array.from({ length }, (_, i) => start + (i + 1) * 8 * HOUR_MILLISECONDS),
    rate: Float64Array.from({ length }, () => 0.0001 + 0.0003 * random.normal()),
  };
}

/** A copy of the first bars, with memory of its own. */
export function firstBars(bars: BarSeries, length: number): BarSeries {
  return selectBars(bars, (i) => i < length);
}

/** A copy of the bars whose index is kept. */
export function selectBars(bars: BarSeries, isKept: (index: number) => boolean): BarSeries {
  const keep = (values: Float64Array): Float64Array =>
    values.slice(0, bars.length).filter((_, i) => isKept(i));
  const openTime = keep(bars.openTime);
  return {
    intervalMilliseconds: bars.intervalMilliseconds,
    length: openTime.length,
    openTime,
    open: keep(bars.open),
    high: keep(bars.high),
    low: keep(bars.low),
    close: keep(bars.close),
    volume: keep(bars.volume),
    quoteVolume: keep(bars.quoteVolume),
  };
}

/** A copy with every price and volume of the bars from an index on replaced by a valid but wild one. */
export function poisonFrom(bars: BarSeries, index: number, random: Random): BarSeries {
  const copy = firstBars(bars, bars.length);
  for (let i = index; i < copy.length; i++) {
    const prices = [0, 1, 2, 3].map(() => Math.exp(5 * random.normal())).sort((a, b) => a - b);
    const isUp = random.uniform() < 0.5;
    copy.low[i] = prices[0];
    copy.open[i] = prices[isUp ? 1 : 2];
    copy.close[i] = prices[isUp ? 2 : 1];
    copy.high[i] = prices[3];
    copy.quoteVolume[i] = 1e9 * random.uniform();
  }
  return copy;
}
