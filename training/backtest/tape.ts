import type { BarSeries, OpenInterestSeries } from '../../src/risk/bars.ts';

/**
 * What a policy would have seen: the forecasts of every hour of a span, made without a look at later bars. A policy is walked through it as
 * often as somebody wants to know what another one would have done.
 */
export interface Tape {
  /** Closes of the first and the last hour, epoch milliseconds. */
  readonly from: number;
  readonly until: number;
  readonly simulated: boolean;
  readonly markets: readonly MarketTape[];
  /** By hour from `from` on: all markets together. */
  readonly stressedShare: Float64Array;
  readonly judgedMarkets: Float64Array;
  /** NaN where nothing is known. */
  readonly commonShock: Float64Array;
}

/** One market's part. Arrays by hour have one entry for each bar of `bars`. */
export interface MarketTape {
  readonly symbol: string;
  /** The bars of the span; what is known at entry i is known at the close of bar i. */
  readonly bars: BarSeries;
  /** Open time of the oldest bar that is known, epoch milliseconds. */
  readonly listedAt: number;
  /** Quote volume of the bars before the span that liquidity still looks at, oldest first. */
  readonly earlierVolume: Float64Array;
  /** Null where none is stored. */
  readonly openInterest: OpenInterestSeries | null;
  /** By hour and cell; NaN where there is none. */
  readonly shockModel: CellTape;
  /** Its name by hour is not kept; this one stands for all of the walk. */
  readonly shockModelId: string;
  readonly historical: SampleTape;
  readonly filtered: SampleTape;
  readonly tail: SampleTape;
  /** Of anti-procyclical options that have one, by `idWithSettings` of their predictors: those of the policies that are to be walked. */
  readonly floors: ReadonlyMap<string, SampleTape>;
  /** By refresh of the samples, then path: the worst excursion that was known. */
  readonly worst: Float32Array;
  /** By hour: standard deviation of a day's log return; NaN where it is not known yet. */
  readonly dailyVolatility: Float32Array;
}

export interface CellTape {
  readonly valueAtRisk: Float32Array;
  readonly expectedShortfall: Float32Array;
}

/** A year's sample, taken anew once a day, and how far it is scaled in each hour. */
export interface SampleTape extends CellTape {
  /** By hour: row of the arrays of cells; −1 where history is too short. */
  readonly row: Int32Array;
  /** By hour; null for a sample that is not scaled. */
  readonly scale: Float32Array | null;
}
