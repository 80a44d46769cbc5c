import type { MarketHistory } from '../risk/bars.ts';

/**
 * The predictor port: what every forecaster answers, classical or learned, and the only shape in which a forecast
 * reaches the limits. Numbers are positive losses as a share of the entry price.
 */
export const SIDES = ['long', 'short'] as const;
export type Side = (typeof SIDES)[number];
export const HORIZONS_HOURS = [1, 4, 8, 24] as const;
export const CONFIDENCES = [0.95, 0.99, 0.995, 0.999] as const;

export const SIDE_COUNT = SIDES.length;
export const HORIZON_COUNT = HORIZONS_HOURS.length;

/** Position of a horizon; -1 where it is none of `HORIZONS_HOURS`. */
export function horizonIndex(horizonHours: number): number {
  return (HORIZONS_HOURS as readonly number[]).indexOf(horizonHours);
}
export const CONFIDENCE_COUNT = CONFIDENCES.length;
/** Cells of one market for quantities by side, horizon and confidence. */
export const CELLS_PER_MARKET = SIDE_COUNT * HORIZON_COUNT * CONFIDENCE_COUNT;
/** Cells of one market for quantities by side and horizon. */
export const PATHS_PER_MARKET = SIDE_COUNT * HORIZON_COUNT;

/** Row of (market, side, horizon) in arrays by path. */
export function pathIndex(market: number, side: number, horizon: number): number {
  return (market * SIDE_COUNT + side) * HORIZON_COUNT + horizon;
}

/** Row of (market, side, horizon, confidence) in arrays by cell. */
export function cellIndex(market: number, side: number, horizon: number, confidence: number): number {
  return pathIndex(market, side, horizon) * CONFIDENCE_COUNT + confidence;
}

/** Forecasts for a batch of markets, as structures of arrays. Rows of markets that are not available hold zeros. */
export interface ForecastBatch {
  /** Names the forecaster and its version: `shock-network@2024-12-31-1a2b3c4d`, `historical@1`. */
  readonly predictor: string;
  /** Epoch milliseconds at which everything used was known: close of the last bar. */
  readonly asOf: number;
  readonly symbols: readonly string[];
  /** By market: empty where the forecast is available, else the reason why it is not. */
  readonly unavailable: readonly string[];
  /** VaR of the adverse excursion, by `cellIndex`. Rises with confidence. */
  readonly valueAtRisk: Float64Array;
  /** Expected shortfall of the adverse excursion, by `cellIndex`. Never below the VaR of the cell. */
  readonly expectedShortfall: Float64Array;
  /** The excursion called a shock, by `pathIndex`: the 95 % quantile of the market's last 365 days. */
  readonly shockThreshold: Float64Array;
  /** Probability that the excursion exceeds `shockThreshold` within the horizon, by `pathIndex`. */
  readonly shockProbability: Float64Array;
}

/** What a predictor may look at. Everything in it was known at `asOf`. */
export interface PredictorInput {
  readonly asOf: number;
  readonly markets: readonly MarketHistory[];
  /** Row-major, one row per market, in the order of `features/spec`. */
  readonly features: Float64Array;
  /** By market: 1 where the feature row is complete (enough history), else 0. */
  readonly featuresReady: Uint8Array;
}

export interface Predictor {
  readonly id: string;
  predict(input: PredictorInput): Promise<ForecastBatch>;
}

export function emptyForecast(predictor: string, asOf: number, symbols: readonly string[]): ForecastBatch {
  const markets = symbols.length;
  return {
    predictor,
    asOf,
    symbols,
    unavailable: new Array<string>(markets).fill(''),
    valueAtRisk: new Float64Array(markets * CELLS_PER_MARKET),
    expectedShortfall: new Float64Array(markets * CELLS_PER_MARKET),
    shockThreshold: new Float64Array(markets * PATHS_PER_MARKET),
    shockProbability: new Float64Array(markets * PATHS_PER_MARKET),
  };
}
