import { barsClosedBy } from '../risk/bars.ts';
import {
  CELLS_PER_MARKET,
  emptyForecast,
  type ForecastBatch,
  PATHS_PER_MARKET,
  type Predictor,
  type PredictorInput,
  pathIndex,
} from './predictor.ts';
import { emptyArrays, type RowForecaster, writeShockProbabilities } from './row-forecaster.ts';
import { shockThresholds } from './shock-threshold.ts';

/** A model of feature rows behind the predictor port: all markets in one batch. */
export class RowPredictor implements Predictor {
  readonly id: string;
  readonly #forecaster: RowForecaster;

  constructor(id: string, forecaster: RowForecaster) {
    this.id = id;
    this.#forecaster = forecaster;
  }

  async predict({ asOf, markets, features, featuresReady }: PredictorInput): Promise<ForecastBatch> {
    const batch = emptyForecast(
      this.id,
      asOf,
      markets.map(({ symbol }) => symbol),
    );
    const { valueAtRisk, expectedShortfall, shockThreshold, shockProbability } = batch;
    const own = { ...emptyArrays(markets.length), valueAtRisk, expectedShortfall };
    await this.#forecaster.forecast(features, markets.length, own);
    const unavailable = markets.map(({ bars }, m) => {
      const why = whyNot(featuresReady[m] === 1, valueAtRisk, m);
      const first = pathIndex(m, 0, 0);
      if (why !== '') {
        for (const array of [valueAtRisk, expectedShortfall])
          array.fill(0, m * CELLS_PER_MARKET, (m + 1) * CELLS_PER_MARKET);
        shockProbability.fill(0, first, first + PATHS_PER_MARKET);
      } else {
        shockThresholds(bars, barsClosedBy(bars, asOf), shockThreshold, first);
        writeShockProbabilities(own, m, shockThreshold, first, shockProbability, first);
      }
      return why;
    });
    return { ...batch, unavailable };
  }
}

function whyNot(isReady: boolean, valueAtRisk: Float64Array, market: number): string {
  if (!isReady) return 'not enough recent history for a feature row';
  return Number.isFinite(valueAtRisk[market * CELLS_PER_MARKET])
    ? ''
    : 'the model gives no finite forecast for it';
}
