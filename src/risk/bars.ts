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

/** Everything that is known of one market's past. */
export interface MarketHistory {
  readonly symbol: string;
  /** Names the stored series that these bars come from, for evidence: `BTCUSDT-binance-perp-1h`. */
  readonly source: string;
  readonly simulated: boolean;
  /** Hourly bars. */
  readonly bars: BarSeries;
  readonly funding: FundingSeries | null;
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

/** Bars [from, to) as views on the same memory. */
export function sliceBars(bars: BarSeries, from: number, to: number): BarSeries {
  return {
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
}
