import { type BarSeries, barsClosedBy, lineageOf, type MarketHistory, sliceBars } from '../risk/bars.ts';
import { HOUR_MILLISECONDS } from '../units.ts';

/**
 * The bars that can be computed with, as known at a time: on the hourly grid, ascending, with prices that a market can
 * have. Stored bars have been validated; what slips through is taken out and counts as missing, so that one bad bar
 * reaches neither its market's forecasts nor any other market.
 *
 * @param now bars that close later are not known yet.
 */
export function usableHistory(history: MarketHistory, now: number): MarketHistory {
  const { bars } = history;
  if (bars.intervalMilliseconds !== HOUR_MILLISECONDS) return { ...history, bars: sliceBars(bars, 0, 0) };
  if (soundBars(bars) === bars.length) {
    const closed = barsClosedBy(bars, now);
    return closed === bars.length ? history : { ...history, bars: sliceBars(bars, 0, closed) };
  }
  const kept = new Uint32Array(bars.length);
  let count = 0;
  for (let i = 0; i < bars.length; i++) {
    const follows = count === 0 || bars.openTime[i] > bars.openTime[kept[count - 1]];
    if (follows && bars.openTime[i] + HOUR_MILLISECONDS <= now && isSound(bars, i)) kept[count++] = i;
  }
  const isPrefix = count === 0 || kept[count - 1] === count - 1;
  return { ...history, bars: isPrefix ? sliceBars(bars, 0, count) : pick(bars, kept.subarray(0, count)) };
}

/** By lineage: how many bars a series begins with that were found sound, so that only new ones are looked at. */
const sound = new WeakMap<object, number>();

/** How many bars the series begins with that can be computed with once they have closed. */
function soundBars(bars: BarSeries): number {
  const lineage = lineageOf(bars);
  const known = sound.get(lineage) ?? 0;
  let count = Math.min(known, bars.length);
  while (
    count < bars.length &&
    (count === 0 || bars.openTime[count] > bars.openTime[count - 1]) &&
    isSound(bars, count)
  )
    count++;
  if (count > known) sound.set(lineage, count);
  return count;
}

/** When the next bar of any market becomes known that is stored already; infinity where none is. */
export function nextClose(markets: readonly MarketHistory[], now: number): number {
  let next = Number.POSITIVE_INFINITY;
  for (const { bars } of markets) {
    for (let i = bars.length - 1; i >= 0 && bars.openTime[i] + HOUR_MILLISECONDS > now; i--)
      next = Math.min(next, bars.openTime[i] + HOUR_MILLISECONDS);
  }
  return next;
}

function isSound(bars: BarSeries, i: number): boolean {
  const { openTime, open, high, low, close, quoteVolume } = bars;
  return (
    openTime[i] % HOUR_MILLISECONDS === 0 &&
    low[i] > 0 &&
    high[i] < Number.POSITIVE_INFINITY &&
    low[i] <= open[i] &&
    low[i] <= close[i] &&
    high[i] >= open[i] &&
    high[i] >= close[i] &&
    quoteVolume[i] >= 0 &&
    quoteVolume[i] < Number.POSITIVE_INFINITY
  );
}

function pick(bars: BarSeries, indices: Uint32Array): BarSeries {
  const from = (values: Float64Array): Float64Array => Float64Array.from(indices, (i) => values[i]);
  return {
    intervalMilliseconds: bars.intervalMilliseconds,
    length: indices.length,
    openTime: from(bars.openTime),
    open: from(bars.open),
    high: from(bars.high),
    low: from(bars.low),
    close: from(bars.close),
    volume: from(bars.volume),
    quoteVolume: from(bars.quoteVolume),
  };
}
