import { HOUR_MILLISECONDS } from '../../units.ts';
import { type BarSeries, emptyBars } from '../bars.ts';
import { parkMiller } from '../park-miller.fixture.ts';
import type { MarketBars } from './aligned-returns.ts';

export const GOLDEN_START = Date.UTC(2024, 0, 1);

/** Returns of markets that share a factor, with a wild scenario in every eleven; by market. */
export function goldenReturns(markets: number, scenarios: number, seed = 20240601): Float64Array[] {
  const { uniform: next } = parkMiller(seed);
  const returns = Array.from({ length: markets }, () => new Float64Array(scenarios));
  for (let s = 0; s < scenarios; s++) {
    const size = s % 11 === 0 ? 4 : 1;
    const factor = 0.02 * size * (next() + next() + next() - 1.5);
    for (let m = 0; m < markets; m++)
      returns[m][s] = (0.5 + 0.4 * m) * factor + 0.01 * size * (next() + next() - 1);
  }
  return returns;
}

/** Hourly bars of markets that share a factor, without gaps: prices from `goldenReturns`, wicks from the same generator. */
export function goldenBars(markets: number, hours: number, seed = 20240601): MarketBars[] {
  const returns = goldenReturns(markets, hours, seed);
  const { uniform: next } = parkMiller(seed + 1);
  return returns.map((moves, m) => {
    const bars = emptyBars(hours, HOUR_MILLISECONDS);
    let price = 100 * (m + 1);
    for (let t = 0; t < hours; t++) {
      bars.openTime[t] = GOLDEN_START + t * HOUR_MILLISECONDS;
      bars.open[t] = price;
      price *= 1 + moves[t];
      bars.close[t] = price;
      bars.high[t] = Math.max(bars.open[t], price) * (1 + 0.01 * next());
      bars.low[t] = Math.min(bars.open[t], price) * (1 - 0.01 * next());
      bars.quoteVolume[t] = 1;
    }
    return { market: String.fromCharCode(65 + m), bars };
  });
}

/** The bars with some left out. */
export function withBars(
  { market, bars }: MarketBars,
  isKept: (index: number, bars: BarSeries) => boolean,
): MarketBars {
  const kept = Array.from({ length: bars.length }, (_, i) => i).filter((i) => isKept(i, bars));
  const pick = (values: Float64Array): Float64Array => Float64Array.from(kept, (i) => values[i]);
  return {
    market,
    bars: {
      intervalMilliseconds: bars.intervalMilliseconds,
      length: kept.length,
      openTime: pick(bars.openTime),
      open: pick(bars.open),
      high: pick(bars.high),
      low: pick(bars.low),
      close: pick(bars.close),
      volume: pick(bars.volume),
      quoteVolume: pick(bars.quoteVolume),
    },
  };
}

/** The largest |a − b| relative to the larger of |b| and a millionth of the largest |b|. */
export function relativeDifference(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (actual.length !== expected.length) return Number.POSITIVE_INFINITY;
  const size = Math.max(...Array.from(expected, Math.abs));
  let largest = 0;
  for (let i = 0; i < actual.length; i++) {
    const scale = Math.max(Math.abs(expected[i]), 1e-6 * size, Number.MIN_VALUE);
    const difference = Math.abs(actual[i] - expected[i]) / scale;
    if (!(difference <= largest)) largest = difference;
  }
  return largest;
}
