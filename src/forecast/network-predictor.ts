import { FEATURE_COUNT } from '../features/spec.ts';
import { barsClosedBy } from './excursion-history.ts';
import type { LoadedNetwork } from './network.ts';
import { decodePath, OUTPUT_COUNT, OUTPUTS_PER_PATH } from './network-output.ts';
import {
  CONFIDENCE_COUNT,
  cellIndex,
  emptyForecast,
  type ForecastBatch,
  HORIZON_COUNT,
  type Predictor,
  type PredictorInput,
  pathIndex,
  SIDE_COUNT,
} from './predictor.ts';
import { harScales, networkInputs, type ShockModel } from './shock-model.ts';
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
    forecastRows(this.#model, this.#networks, input.features, symbols.length, batch);
    for (let m = 0; m < symbols.length; m++) {
      if (unavailable[m] !== '') clearMarket(batch, m);
      else {
        const { bars } = input.markets[m];
        shockThresholds(bars, barsClosedBy(bars, input.asOf), batch.shockThreshold, pathIndex(m, 0, 0));
      }
    }
    return { ...batch, unavailable };
  }
}

/** What a forecast of rows writes into; the arrays of a ForecastBatch, or of an evaluation. */
export interface ForecastArrays {
  readonly valueAtRisk: Float64Array;
  readonly expectedShortfall: Float64Array;
  readonly shockProbability: Float64Array;
}

/**
 * Forecasts a batch of feature rows: scale by log-HAR-X, shape by the networks (averaged), level by the calibration.
 * Training, evaluation and serving all go through here.
 */
export function forecastRows(
  model: ShockModel,
  networks: readonly LoadedNetwork[],
  features: Float64Array,
  rows: number,
  out: ForecastArrays,
): void {
  const inputs = networkInputs(features, rows, model.featureMean, model.featureDeviation);
  const scores = networks.map((network) => network.score(inputs, rows));
  out.valueAtRisk.fill(0);
  out.expectedShortfall.fill(0);
  out.shockProbability.fill(0);
  for (let row = 0; row < rows; row++) {
    const scales = harScales(features, row * FEATURE_COUNT, model.harCoefficients);
    for (const raw of scores) addMember(raw, row, 1 / scores.length, scales, model.calibration, out);
    bound(row, out);
  }
}

function addMember(
  raw: Float32Array,
  row: number,
  weight: number,
  scales: Float64Array,
  calibration: Float64Array,
  out: ForecastArrays,
): void {
  for (let side = 0; side < SIDE_COUNT; side++) {
    for (let h = 0; h < HORIZON_COUNT; h++) {
      const path = pathIndex(0, side, h);
      const decoded = decodePath(raw, row * OUTPUT_COUNT + path * OUTPUTS_PER_PATH);
      for (let c = 0; c < CONFIDENCE_COUNT; c++) {
        const factor = weight * scales[h] * calibration[cellIndex(0, side, h, c)];
        out.valueAtRisk[cellIndex(row, side, h, c)] += factor * decoded.valueAtRisk[c];
        out.expectedShortfall[cellIndex(row, side, h, c)] += factor * decoded.expectedShortfall[c];
      }
      out.shockProbability[pathIndex(row, side, h)] += weight * decoded.shockProbability;
    }
  }
}

/**
 * Calibration multiplies each confidence on its own, so the order of confidences and horizons is restored here: VaR
 * rises with confidence and with the horizon that contains the shorter one, and ES is never below VaR.
 */
function bound(row: number, { valueAtRisk, expectedShortfall }: ForecastArrays): void {
  for (let side = 0; side < SIDE_COUNT; side++) {
    for (let h = 0; h < HORIZON_COUNT; h++) {
      for (let c = 0; c < CONFIDENCE_COUNT; c++) {
        const cell = cellIndex(row, side, h, c);
        if (c > 0) raise(valueAtRisk, expectedShortfall, cell, cell - 1);
        if (h > 0) raise(valueAtRisk, expectedShortfall, cell, cellIndex(row, side, h - 1, c));
        valueAtRisk[cell] = Math.min(valueAtRisk[cell], MAXIMUM_EXCURSION[side]);
        expectedShortfall[cell] = Math.min(
          Math.max(expectedShortfall[cell], valueAtRisk[cell]),
          MAXIMUM_EXCURSION[side],
        );
      }
    }
  }
}

function raise(
  valueAtRisk: Float64Array,
  expectedShortfall: Float64Array,
  cell: number,
  below: number,
): void {
  valueAtRisk[cell] = Math.max(valueAtRisk[cell], valueAtRisk[below]);
  expectedShortfall[cell] = Math.max(expectedShortfall[cell], expectedShortfall[below]);
}

function clearMarket(batch: ForecastBatch, market: number): void {
  const cells = [cellIndex(market, 0, 0, 0), cellIndex(market + 1, 0, 0, 0)] as const;
  batch.valueAtRisk.fill(0, ...cells);
  batch.expectedShortfall.fill(0, ...cells);
  batch.shockProbability.fill(0, pathIndex(market, 0, 0), pathIndex(market + 1, 0, 0));
}
