import type { ForecastAxes, MarketDepth } from './curve.ts';
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
  /** Peaks over threshold. */
  readonly tail: SourceForecast;
  /** The sample behind the policy's anti-procyclical floor; unavailable where the policy has none. */
  readonly antiProcyclical: SourceForecast;
  readonly stress: StressInput;
  readonly liquidity: LiquidityInput | null;
  /** Null where none is known. */
  readonly openInterest: OpenInterestInput | null;
  /** Absent where no price is known since `asOf`. */
  readonly intrabar?: IntrabarInput | undefined;
}

/** The mark prices of a market since its newest bar closed. */
export interface IntrabarInput {
  /** That close, epoch milliseconds. */
  readonly since: number;
  /** Price at that close. */
  readonly referencePrice: number;
  readonly lowestPrice: number;
  /** Since when it has been the lowest, epoch milliseconds. */
  readonly lowestAt: number;
  readonly highestPrice: number;
  readonly highestAt: number;
}

export interface OpenInterestInput {
  /** All open contracts of the market, in units of the quote asset. */
  readonly quoteNotional: number;
  /** Epoch milliseconds. */
  readonly observedAt: number;
}

/** All markets as one system, at the time of a decision. */
export interface MarketWideInput {
  /** Markets that could be judged. */
  readonly markets: number;
  /** Share of them whose worst excursion of the last day is beyond its long-run quantile, 0 to 1. */
  readonly stressedShare: number;
  /** Return of all markets together over the last day, in its own standard deviations; either sign. */
  readonly commonShock: number;
  /** What measured it. */
  readonly source: string;
}

/** Accounts and their positions as one system. Left out where nobody looks at them. */
export interface SystemStressInput {
  /** Accounts that could be judged. */
  readonly accounts: number;
  /** Marked notional of all of them over their marked equity. */
  readonly leverage: number;
  /** Share of the open notional that the policy's shock ends in forced sales, the worse of both directions, 0 to 1. */
  readonly forcedShare: number;
  /** Bad debt of that shock over the insurance fund. */
  readonly fundUse: number;
  /** Of the positions and marks, epoch milliseconds. */
  readonly observedAt: number;
  /** What computed it. */
  readonly source: string;
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
  /** The order book as it was last seen; left out where it never was. */
  readonly depth?: DepthInput;
}

export interface DepthInput extends MarketDepth {
  /** Epoch milliseconds. */
  readonly observedAt: number;
}

/** An input in which every number can be computed with: what could not is absent, and says so. */
export type UsableInput = Omit<MarketInput, 'stress'> & { readonly stress: StressInput | null };

/** Larger losses, volatilities and volumes than these are faults of whoever computed them. */
const LARGEST_RATE = 1e3;
const LARGEST_HOURLY_VOLUME = 1e15;
/** With less traded in an hour than one unit of the quote asset a market has no liquidity. */
const SMALLEST_HOURLY_VOLUME = 1;

/**
 * Takes out what cannot be: a number that is not finite, negative or absurd makes its forecaster, the stress excursions
 * or the liquidity absent. They may then neither grant leverage nor take it away, and never reach the book's hash.
 */
export function usableInput(input: MarketInput, axes: ForecastAxes): UsableInput {
  const paths = 2 * axes.horizonsHours.length;
  const cells = paths * axes.confidences.length;
  const { stress, liquidity } = input;
  return {
    ...input,
    asOf: Number.isSafeInteger(input.asOf) ? input.asOf : 0,
    historyDays: input.historyDays >= 0 && input.historyDays < 1e6 ? input.historyDays : 0,
    shockModel: usableForecast(input.shockModel, paths, cells),
    historical: usableForecast(input.historical, paths, cells),
    filtered: usableForecast(input.filtered, paths, cells),
    tail: usableForecast(input.tail, paths, cells),
    antiProcyclical: usableForecast(input.antiProcyclical, paths, cells),
    stress: areWithin(stress?.excursion, paths, LARGEST_RATE) ? stress : null,
    liquidity: liquidity !== null && isUsableLiquidity(liquidity) ? liquidity : null,
    intrabar:
      input.intrabar !== undefined && isUsableIntrabar(input.intrabar, input) ? input.intrabar : undefined,
  };
}

/** The forecast that readers see: the shock model's, or the best classical one that stood in. */
export function shownForecast(input: UsableInput): SourceForecast | null {
  const { shockModel, filtered, historical } = input;
  if (shockModel.unavailable === '') return shockModel;
  if (filtered.unavailable === '') return filtered;
  return historical.unavailable === '' ? historical : null;
}

/** Prices that follow another bar than the newest say nothing about it. */
function isUsableIntrabar(
  { since, referencePrice, lowestPrice, lowestAt, highestPrice, highestAt }: IntrabarInput,
  { asOf }: MarketInput,
): boolean {
  return (
    since === asOf &&
    [referencePrice, lowestPrice, highestPrice].every((price) => price > 0 && Number.isFinite(price)) &&
    [lowestAt, highestAt].every((at) => Number.isSafeInteger(at) && at >= since) &&
    lowestPrice <= highestPrice
  );
}

function usableForecast(source: SourceForecast, paths: number, cells: number): SourceForecast {
  if (source.unavailable !== '') return source;
  const isUsable =
    areWithin(source.valueAtRisk, cells, LARGEST_RATE) &&
    areWithin(source.expectedShortfall, cells, LARGEST_RATE) &&
    areWithin(source.shockThreshold, paths, LARGEST_RATE) &&
    areWithin(source.shockProbability, paths, 1);
  return isUsable ? source : { ...source, unavailable: 'the forecast holds an impossible number' };
}

function isUsableLiquidity({ hourlyVolume, dailyVolatility }: LiquidityInput): boolean {
  return (
    hourlyVolume >= SMALLEST_HOURLY_VOLUME &&
    hourlyVolume <= LARGEST_HOURLY_VOLUME &&
    dailyVolatility >= 0 &&
    dailyVolatility <= LARGEST_RATE
  );
}

function areWithin(values: Float64Array | undefined, length: number, most: number): boolean {
  if (values?.length !== length) return false;
  for (let i = 0; i < length; i++) if (!(values[i] >= 0 && values[i] <= most)) return false;
  return true;
}
