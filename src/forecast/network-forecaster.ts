import { FEATURE_COUNT } from '../features/spec.ts';
import { LoadedNetwork } from './network.ts';
import { networkInputs, networkLevels } from './network-inputs.ts';
import {
  decodePath,
  LEVELS_PER_PATH,
  OUTPUT_COUNT,
  OUTPUTS_PER_PATH,
  VOLATILITY_OUTPUT,
} from './network-output.ts';
import { CONFIDENCE_COUNT, HORIZON_COUNT, PATHS_PER_MARKET } from './predictor.ts';
import { boundRow, type ForecastArrays, type RowForecaster } from './row-forecaster.ts';
import { harLogVolatilities, type ShockModel } from './shock-model.ts';

/** The shock model with its networks on the backend: level by log-HAR-X and the lines of the levels, shape by the networks (averaged). */
export class NetworkForecaster implements RowForecaster {
  readonly #model: ShockModel;
  readonly #networks: readonly LoadedNetwork[];

  private constructor(model: ShockModel, networks: readonly LoadedNetwork[]) {
    this.#model = model;
    this.#networks = networks;
  }

  static async load(model: ShockModel): Promise<NetworkForecaster> {
    return new NetworkForecaster(
      model,
      await Promise.all(model.members.map((member) => LoadedNetwork.load(member))),
    );
  }

  async forecast(features: Float64Array, rows: number, out: ForecastArrays): Promise<void> {
    const { featureMean, featureDeviation, harCoefficients, varianceFactors } = this.#model;
    const inputs = networkInputs(features, rows, featureMean, featureDeviation);
    const levels = networkLevels(features, rows);
    const scores = this.#networks.map((network) => network.score(inputs, levels, rows));
    for (const array of Object.values(out) as Float64Array[]) array.fill(0);
    for (let row = 0; row < rows; row++) {
      const logs = harLogVolatilities(features, row * FEATURE_COUNT, harCoefficients);
      for (const raw of scores) addMember(raw, row, 1 / scores.length, logs, out);
      boundRow(row, out);
      for (let h = 0; h < HORIZON_COUNT; h++) {
        const at = row * HORIZON_COUNT + h;
        out.variance[at] = varianceFactors[h] * Math.exp(2 * (logs[h] + out.variance[at]));
      }
    }
  }

  dispose(): void {
    for (const network of this.#networks) network.dispose();
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
