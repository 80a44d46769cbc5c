import { CELLS_PER_MARKET, HORIZON_COUNT, PATHS_PER_MARKET } from '../../src/forecast/predictor.ts';

/**
 * What forecasts are judged on: one row for each market and origin, ascending by time, markets of one time side by side.
 * All forecasters of a comparison have the same rows in the same order.
 */
export interface OutcomeTable {
  readonly rows: number;
  readonly symbols: readonly string[];
  /** By row: position in `symbols`. */
  readonly market: Uint16Array;
  /** By row: the origin, epoch milliseconds; everything a forecast used was known then. */
  readonly asOf: Float64Array;
  /** By row: which refit forecast it, from 0. */
  readonly fold: Uint8Array;
  /** By row: close at the origin, in the quote currency. */
  readonly price: Float64Array;
  /** By row and path: realised adverse excursion, share of the price, clipped at `MAXIMUM_TARGET`. */
  readonly excursions: Float64Array;
  /** By row and path: the excursion called a shock; NaN where the market is too young to have one. */
  readonly shockThreshold: Float64Array;
  /** By row and horizon: sum of the squared log returns from close to close over the horizon. */
  readonly realisedVariance: Float64Array;
  /** By row: fifth of the market's own last year that its volatility of the last 24 hours falls in, 0 (calm) to 4 (stress). */
  readonly volatilityFifth: Uint8Array;
}

/** One forecaster's answers for all rows of an outcome table. NaN where it has none for a row. */
export interface ForecastTable {
  /** `shock-network`, `historical`, `gjr-garch-filtered`, … */
  readonly forecaster: string;
  /** By row and cell (side, horizon, confidence), as `cellIndex` counts: share of the price. */
  readonly valueAtRisk: Float64Array;
  readonly expectedShortfall: Float64Array;
  /** By row and path: probability that the excursion exceeds the shock threshold; null where the method gives none. */
  readonly shockProbability: Float64Array | null;
  /** By row and horizon: expected sum of squared log returns; null where the method gives none. */
  readonly variance: Float64Array | null;
}

/** A table in which no row has an answer yet. */
export function emptyForecastTable(
  forecaster: string,
  rows: number,
  gives: { readonly shockProbability: boolean; readonly variance: boolean },
): ForecastTable {
  const unanswered = (length: number): Float64Array => new Float64Array(length).fill(Number.NaN);
  return {
    forecaster,
    valueAtRisk: unanswered(rows * CELLS_PER_MARKET),
    expectedShortfall: unanswered(rows * CELLS_PER_MARKET),
    shockProbability: gives.shockProbability ? unanswered(rows * PATHS_PER_MARKET) : null,
    variance: gives.variance ? unanswered(rows * HORIZON_COUNT) : null,
  };
}
