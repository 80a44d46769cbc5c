/**
 * The shapes in which market history travels through the pure core: structures of arrays, oldest first.
 * A series is strictly ascending in time; bars that the source does not have are absent, never filled here.
 */
export interface BarSeries {
  readonly intervalMilliseconds: number;
  readonly length: number;
  /** Start of the bar, epoch milliseconds UTC. The bar is known only at `openTime + intervalMilliseconds`. */
  readonly openTime: Float64Array;
  readonly open: Float64Array;
  readonly high: Float64Array;
  readonly low: Float64Array;
  readonly close: Float64Array;
  /** Base asset; 0 where the source gives none. */
  readonly volume: Float64Array;
  /** Quote asset; volume times typical price where the source gives only base volume; 0 where it gives neither. */
  readonly quoteVolume: Float64Array;
}

export interface FundingSeries {
  readonly length: number;
  /** Settlement, epoch milliseconds UTC. */
  readonly time: Float64Array;
  /** Fraction per funding interval: 0.0001 is one basis point. */
  readonly rate: Float64Array;
}

export interface OpenInterestSeries {
  readonly length: number;
  /** Observation, epoch milliseconds UTC. */
  readonly time: Float64Array;
  /** All open contracts of the market, in units of the quote asset. */
  readonly quoteNotional: Float64Array;
}

/** Everything that is known of one market's past. */
export interface MarketHistory {
  readonly symbol: string;
  /** Names the stored series that these bars come from, for evidence: `BTCUSDT-binance-perp-1h`. */
  readonly source: string;
  readonly simulated: boolean;
  /** Hourly bars. */
  readonly bars: BarSeries;
  readonly funding: FundingSeries | null;
  /** The newest observation of each hour; null where none is stored. */
  readonly openInterest: OpenInterestSeries | null;
  /** Hourly mark prices where the venue publishes them. */
  readonly mark: BarSeries | null;
}

export function emptyBars(length: number, intervalMilliseconds: number): BarSeries {
  return {
    intervalMilliseconds,
    length,
    openTime: new Float64Array(length),
    open: new Float64Array(length),
    high: new Float64Array(length),
    low: new Float64Array(length),
    close: new Float64Array(length),
    volume: new Float64Array(length),
    quoteVolume: new Float64Array(length),
  };
}

/** Bars [from, to) as views on the same memory. From the first bar on it is of the same lineage. */
export function sliceBars(bars: BarSeries, from: number, to: number): BarSeries {
  const slice = {
    intervalMilliseconds: bars.intervalMilliseconds,
    length: to - from,
    openTime: bars.openTime.subarray(from, to),
    open: bars.open.subarray(from, to),
    high: bars.high.subarray(from, to),
    low: bars.low.subarray(from, to),
    close: bars.close.subarray(from, to),
    volume: bars.volume.subarray(from, to),
    quoteVolume: bars.quoteVolume.subarray(from, to),
  };
  if (from === 0) lineages.set(slice, lineageOf(bars));
  return slice;
}

/** By identity: a copy, which may have been changed, has a lineage of its own. */
const lineages = new WeakMap<BarSeries, object>();

/**
 * What stays the same while a series grows: of two series of one lineage, the shorter one is how the longer one begins.
 * Whoever has taken in a series needs only the new bars of a longer one of its lineage.
 */
export function lineageOf(bars: BarSeries): object {
  let lineage = lineages.get(bars);
  if (lineage === undefined) {
    lineage = {};
    lineages.set(bars, lineage);
  }
  return lineage;
}

/** Makes a series that was read anew one of the lineage of an earlier one, where it begins with all of its bars. */
export function continueLineage(before: BarSeries, after: BarSeries): void {
  if (lineages.get(after) === lineageOf(before) || !beginsWith(after, before)) return;
  lineages.set(after, lineageOf(before));
}

function beginsWith(longer: BarSeries, shorter: BarSeries): boolean {
  if (longer.intervalMilliseconds !== shorter.intervalMilliseconds || longer.length < shorter.length)
    return false;
  return COLUMNS.every((name) => {
    const [ours, theirs] = [longer[name], shorter[name]];
    for (let i = 0; i < theirs.length; i++) if (ours[i] !== theirs[i]) return false;
    return true;
  });
}

const COLUMNS = ['openTime', 'open', 'high', 'low', 'close', 'volume', 'quoteVolume'] as const;

/** How many entries of a series without intervals are at or before a time, epoch milliseconds. */
export function entriesBy({ time, length }: Pick<FundingSeries, 'time' | 'length'>, asOf: number): number {
  let [low, high] = [0, length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (time[middle] <= asOf) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** How many bars had closed by a time, epoch milliseconds. */
export function barsClosedBy({ openTime, length, intervalMilliseconds }: BarSeries, asOf: number): number {
  // As a rule all of them had.
  if (length > 0 && openTime[length - 1] + intervalMilliseconds <= asOf) return length;
  let [low, high] = [0, length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (openTime[middle] + intervalMilliseconds <= asOf) low = middle + 1;
    else high = middle;
  }
  return low;
}
