import type { QualityGrade } from './types.ts';

/** Everything that a market's decision rests on, known at `asOf`. The decision cycle fills it, `decide.ts` reads it. */
export interface MarketInput {
  readonly symbol: string;
  readonly simulated: boolean;
  /** Close of the newest bar, epoch milliseconds. */
  readonly asOf: number;
  readonly quality: QualityGrade;
  /** What the quality check found, one sentence each. */
  readonly qualityFindings: readonly string[];
  /** Days from the first bar to `asOf`. */
  readonly historyDays: number;
  /** The newest bar is older than the policy allows. */
  readonly stale: boolean;
  readonly shockModel: SourceForecast;
  readonly historical: SourceForecast;
  readonly filtered: SourceForecast;
  readonly stress: StressInput;
  readonly liquidity: LiquidityInput | null;
}

/** One forecaster's numbers for the market; arrays are ignored where `unavailable` says why there are none. */
export interface SourceForecast {
  /** Id and version of the forecaster. */
  readonly predictor: string;
  /** Empty where available. */
  readonly unavailable: string;
  /** Sides × horizons × confidences of the axes. */
  readonly valueAtRisk: Float64Array;
  readonly expectedShortfall: Float64Array;
  /** Sides × horizons. */
  readonly shockThreshold: Float64Array;
  readonly shockProbability: Float64Array;
}

export interface StressInput {
  /** The worst adverse excursions known, sides × horizons. */
  readonly excursion: Float64Array;
  /** Which episode or scenario is behind the one over the margin-call horizon. */
  readonly source: string;
}

export interface LiquidityInput {
  /** Robust quote volume per hour. */
  readonly hourlyVolume: number;
  /** Standard deviation of a day's log return. */
  readonly dailyVolatility: number;
}
