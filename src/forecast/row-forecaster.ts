import { excursionSurvival, tailIndexOf } from './excursion-distribution.ts';
import {
  LEVEL_OF_CONFIDENCE,
  LEVELS_PER_PATH,
  QUANTILE_LEVELS,
  QUANTILES_PER_MARKET,
} from './network-output.ts';
import {
  CELLS_PER_MARKET,
  CONFIDENCE_COUNT,
  HORIZON_COUNT,
  PATHS_PER_MARKET,
  pathIndex,
  SIDE_COUNT,
} from './predictor.ts';

/** What forecasts from feature rows alone: the shock network, or a model from elsewhere. Training, evaluation and serving all go through it. */
export interface RowForecaster {
  /**
   * @param features row-major, `FEATURE_COUNT` a row. @param out receives the forecasts, of all rows; NaN in rows, and in
   * `variance`, for which there is none.
   */
  forecast(features: Float64Array, rows: number, out: ForecastArrays): Promise<void>;
  /** Lets go of what is held outside the heap. */
  dispose(): void;
}

/** What a forecast of rows writes into. Numbers are shares of the price. */
export interface ForecastArrays {
  /** By row and cell. */
  readonly valueAtRisk: Float64Array;
  readonly expectedShortfall: Float64Array;
  /** By row, path and `QUANTILE_LEVELS`. */
  readonly quantiles: Float64Array;
  /** By row and horizon: expected sum of squared log returns. */
  readonly variance: Float64Array;
}

export function emptyArrays(rows: number): ForecastArrays {
  return {
    valueAtRisk: new Float64Array(rows * CELLS_PER_MARKET),
    expectedShortfall: new Float64Array(rows * CELLS_PER_MARKET),
    quantiles: new Float64Array(rows * QUANTILES_PER_MARKET),
    variance: new Float64Array(rows * HORIZON_COUNT),
  };
}

/** VaR of feature rows, by row and cell. */
export async function valueAtRiskOf(
  forecaster: RowForecaster,
  features: Float64Array,
  rows: number,
): Promise<Float64Array> {
  const out = emptyArrays(rows);
  await forecaster.forecast(features, rows, out);
  return out.valueAtRisk;
}

/** Nobody loses more than the price on a long; a short squeeze is counted up to ten times the entry price. */
const MAXIMUM_EXCURSION = [1, 10];

/**
 * What no output by itself knows: a quantile is not below a lower one, an excursion over a horizon is not smaller than over a shorter
 * one that it contains, and nobody loses more than there is. Sets VaR from the quantiles and holds ES at or above it. It only ever
 * raises what is said, up to that bound.
 */
export function boundRow(row: number, { quantiles, valueAtRisk, expectedShortfall }: ForecastArrays): void {
  for (let side = 0; side < SIDE_COUNT; side++) {
    for (let h = 0; h < HORIZON_COUNT; h++) {
      const path = pathIndex(row, side, h);
      for (let l = 0; l < LEVELS_PER_PATH; l++) {
        const at = path * LEVELS_PER_PATH + l;
        const lower = l > 0 ? quantiles[at - 1] : 0;
        const shorter = h > 0 ? quantiles[at - LEVELS_PER_PATH] : 0;
        quantiles[at] = Math.min(Math.max(quantiles[at], lower, shorter), MAXIMUM_EXCURSION[side]);
      }
      for (let c = 0; c < CONFIDENCE_COUNT; c++) {
        const cell = path * CONFIDENCE_COUNT + c;
        valueAtRisk[cell] = quantiles[path * LEVELS_PER_PATH + LEVEL_OF_CONFIDENCE[c]];
        const least = Math.max(
          valueAtRisk[cell],
          c > 0 ? expectedShortfall[cell - 1] : 0,
          h > 0 ? expectedShortfall[cell - CONFIDENCE_COUNT] : 0,
        );
        expectedShortfall[cell] = Math.min(Math.max(expectedShortfall[cell], least), MAXIMUM_EXCURSION[side]);
      }
    }
  }
}

/**
 * Probability of an excursion above the threshold of each path of a row.
 *
 * @param thresholds by path, from `thresholdOffset` on. @param out receives probabilities by path.
 */
export function writeShockProbabilities(
  { quantiles, valueAtRisk, expectedShortfall }: ForecastArrays,
  row: number,
  thresholds: Float64Array,
  thresholdOffset: number,
  out: Float64Array,
  outOffset: number,
): void {
  for (let path = 0; path < PATHS_PER_MARKET; path++) {
    const at = row * PATHS_PER_MARKET + path;
    const last = (at + 1) * CONFIDENCE_COUNT - 1;
    out[outOffset + path] = excursionSurvival(
      thresholds[thresholdOffset + path],
      quantiles,
      at * LEVELS_PER_PATH,
      QUANTILE_LEVELS,
      tailIndexOf(valueAtRisk[last], expectedShortfall[last]),
    );
  }
}
