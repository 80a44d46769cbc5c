import { FEATURE_COUNT } from '../features/spec.ts';
import { excursionSurvival, tailIndexOf } from './excursion-distribution.ts';
import { barsClosedBy } from './excursion-history.ts';
import type { LoadedNetwork } from './network.ts';
import { networkInputs, networkLevels } from './network-inputs.ts';
import {
  decodePath,
  LEVEL_OF_CONFIDENCE,
  LEVELS_PER_PATH,
  OUTPUT_COUNT,
  OUTPUTS_PER_PATH,
  QUANTILE_LEVELS,
  QUANTILES_PER_MARKET,
  VOLATILITY_OUTPUT,
} from './network-output.ts';
import {
  CELLS_PER_MARKET,
  CONFIDENCE_COUNT,
  cellIndex,
  emptyForecast,
  type ForecastBatch,
  HORIZON_COUNT,
  PATHS_PER_MARKET,
  type Predictor,
  type PredictorInput,
  pathIndex,
  SIDE_COUNT,
} from './predictor.ts';
import { harLogVolatilities, type ShockModel } from './shock-model.ts';
import { shockThresholds } from './shock-threshold.ts';

/** Nobody loses more than the price on a long; a short squeeze is counted up to ten times the entry price. */
const MAXIMUM_EXCURSION = [1, 10];

/** The shock model behind the predictor port: all markets in one batch. */
export class NetworkPredictor implements Predictor {
  readonly id: string;
  readonly #model: ShockModel;
  readonly #networks: readonly LoadedNetwork[];

  constructor(id: string, model: ShockModel, networks: readonly LoadedNetwork[]) {
    this.id = id;
    this.#model = model;
    this.#networks = networks;
  }

  async predict(input: PredictorInput): Promise<ForecastBatch> {
    const symbols = input.markets.map((market) => market.symbol);
    const batch = emptyForecast(this.id, input.asOf, symbols);
    const unavailable = symbols.map((_, m) =>
      input.featuresReady[m] === 1 ? '' : 'not enough recent history for a feature row',
    );
    const { valueAtRisk, expectedShortfall, shockThreshold, shockProbability } = batch;
    const own = { ...emptyArrays(symbols.length), valueAtRisk, expectedShortfall };
    forecastRows(this.#model, this.#networks, input.features, symbols.length, own);
    for (let m = 0; m < symbols.length; m++) {
      if (unavailable[m] !== '') clearMarket(batch, m);
      else {
        const { bars } = input.markets[m];
        const first = pathIndex(m, 0, 0);
        shockThresholds(bars, barsClosedBy(bars, input.asOf), shockThreshold, first);
        writeShockProbabilities(own, m, shockThreshold, first, shockProbability, first);
      }
    }
    return { ...batch, unavailable };
  }
}

/** What a forecast of rows writes into. */
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

/**
 * Forecasts a batch of feature rows: level by log-HAR-X and the lines of the levels, shape by the networks (averaged). Training,
 * evaluation and serving all go through here.
 */
export function forecastRows(
  model: ShockModel,
  networks: readonly LoadedNetwork[],
  features: Float64Array,
  rows: number,
  out: ForecastArrays,
): void {
  const inputs = networkInputs(features, rows, model.featureMean, model.featureDeviation);
  const levels = networkLevels(features, rows);
  const scores = networks.map((network) => network.score(inputs, levels, rows));
  for (const array of Object.values(out) as Float64Array[]) array.fill(0);
  for (let row = 0; row < rows; row++) {
    const logs = harLogVolatilities(features, row * FEATURE_COUNT, model.harCoefficients);
    for (const raw of scores) addMember(raw, row, 1 / scores.length, logs, out);
    bound(row, out);
    for (let h = 0; h < HORIZON_COUNT; h++)
      out.variance[row * HORIZON_COUNT + h] =
        model.varianceFactors[h] * Math.exp(2 * (logs[h] + out.variance[row * HORIZON_COUNT + h]));
  }
}

const quantilesOfPath = new Float64Array(LEVELS_PER_PATH);
const shortfallsOfPath = new Float64Array(CONFIDENCE_COUNT);

/** Adds a network's share: to quantiles and shortfalls in units of the price, to `variance` what it says of the log volatility. */
function addMember(
  raw: Float32Array,
  row: number,
  weight: number,
  logVolatilities: Float64Array,
  out: ForecastArrays,
): void {
  const offset = row * OUTPUT_COUNT;
  for (let h = 0; h < HORIZON_COUNT; h++)
    out.variance[row * HORIZON_COUNT + h] += weight * raw[offset + VOLATILITY_OUTPUT + h];
  for (let path = 0; path < PATHS_PER_MARKET; path++) {
    decodePath(raw, offset + path * OUTPUTS_PER_PATH, quantilesOfPath, 0, shortfallsOfPath);
    const factor = weight * Math.exp(logVolatilities[path % HORIZON_COUNT]);
    const at = row * PATHS_PER_MARKET + path;
    for (let l = 0; l < LEVELS_PER_PATH; l++)
      out.quantiles[at * LEVELS_PER_PATH + l] += factor * quantilesOfPath[l];
    for (let c = 0; c < CONFIDENCE_COUNT; c++)
      out.expectedShortfall[at * CONFIDENCE_COUNT + c] += factor * shortfallsOfPath[c];
  }
}

/**
 * What no output by itself knows: an excursion over a horizon is not smaller than over a shorter one that it contains, and
 * nobody loses more than there is. Sets VaR from the quantiles and holds ES at or above it.
 */
function bound(row: number, { quantiles, valueAtRisk, expectedShortfall }: ForecastArrays): void {
  for (let side = 0; side < SIDE_COUNT; side++) {
    for (let h = 0; h < HORIZON_COUNT; h++) {
      const path = pathIndex(row, side, h);
      for (let l = 0; l < LEVELS_PER_PATH; l++) {
        const at = path * LEVELS_PER_PATH + l;
        const shorter = h > 0 ? quantiles[at - LEVELS_PER_PATH] : 0;
        quantiles[at] = Math.min(Math.max(quantiles[at], shorter), MAXIMUM_EXCURSION[side]);
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

function clearMarket(batch: ForecastBatch, market: number): void {
  const cells = [cellIndex(market, 0, 0, 0), cellIndex(market + 1, 0, 0, 0)] as const;
  batch.valueAtRisk.fill(0, ...cells);
  batch.expectedShortfall.fill(0, ...cells);
  batch.shockProbability.fill(0, pathIndex(market, 0, 0), pathIndex(market + 1, 0, 0));
}
