import { PlimsollError } from '../src/errors.ts';
import { FEATURE_COUNT, HAR_FEATURES } from '../src/features/spec.ts';
import { LoadedNetwork } from '../src/forecast/network.ts';
import { forecastRows } from '../src/forecast/network-predictor.ts';
import {
  CELLS_PER_MARKET,
  CONFIDENCE_COUNT,
  CONFIDENCES,
  HORIZON_COUNT,
  PATHS_PER_MARKET,
} from '../src/forecast/predictor.ts';
import { harScale, networkInputs, type ShockModel } from '../src/forecast/shock-model.ts';
import { quantileInPlace } from '../src/risk/numeric/quantile.ts';
import type { Dataset } from './dataset.ts';
import type { FitProgress, FitRows } from './fit.ts';
import { fitMembers, type MemberOptions } from './members.ts';
import { LeastSquares } from './ols.ts';

export interface ModelOptions {
  /** One network for each; their forecasts are averaged. */
  readonly seeds: readonly number[];
  readonly fit: MemberOptions;
  /** At most this many networks are fitted at a time. It changes no bit of them. */
  readonly threads: number;
  readonly onProgress: (member: number, progress: FitProgress) => void;
  readonly interrupted: AbortSignal;
}

export const DEFAULT_MODEL_OPTIONS = {
  seeds: [1, 2, 3],
  fit: {
    hidden: [64, 32],
    batchRows: 1024,
    maximumEpochs: 8,
    patience: 3,
    learningRate: 2e-4,
    weightDecay: 1e-3,
  },
} as const;

export interface TrainedModel {
  readonly model: ShockModel;
  readonly backend: string;
  readonly members: readonly {
    readonly seed: number;
    readonly epochs: number;
    readonly bestEpoch: number;
    readonly validationLoss: number;
  }[];
}

const RIDGE = 1e-4;
const LEAST_ROWS = 2000;

/**
 * Trains the shock model on some rows of a dataset and levels it on later ones: scaler and log-HAR-X by least squares
 * on the training rows, networks with early stopping on the validation rows, and there also the calibration.
 *
 * @throws PlimsollError DATA_INSUFFICIENT when there are too few rows.
 */
export async function trainModel(
  data: Dataset,
  trainRows: Uint32Array,
  validationRows: Uint32Array,
  options: ModelOptions,
): Promise<TrainedModel> {
  if (trainRows.length < LEAST_ROWS || validationRows.length < LEAST_ROWS / 4) {
    throw new PlimsollError(
      'DATA_INSUFFICIENT',
      `${trainRows.length} rows to train on and ${validationRows.length} to validate; ${LEAST_ROWS} and ${LEAST_ROWS / 4} are needed`,
      {
        remedy:
          'Import more history: three years of hourly bars of one market, or half a year of six, are enough to start.',
      },
    );
  }
  const scaler = fitScaler(data, trainRows);
  const harCoefficients = fitHar(data, trainRows);
  const uncalibrated: ShockModel = {
    ...scaler,
    harCoefficients,
    calibration: new Float64Array(CELLS_PER_MARKET).fill(1),
    members: [],
  };
  const train = fitRows(data, trainRows, uncalibrated);
  const validation = fitRows(data, validationRows, uncalibrated);
  const { seeds, threads, onProgress, interrupted } = options;
  const fits = await fitMembers(train, validation, seeds, options.fit, threads, onProgress, interrupted);
  const members = fits.map(({ epochs, bestEpoch, validationLoss }, member) => ({
    seed: seeds[member],
    epochs,
    bestEpoch,
    validationLoss,
  }));
  const model = { ...uncalibrated, members: fits.map(({ weights }) => weights) };
  const calibration = await calibrate(data, validationRows, model);
  return { model: { ...model, calibration }, backend: fits[0].backend, members };
}

function fitScaler(data: Dataset, rows: Uint32Array): Pick<ShockModel, 'featureMean' | 'featureDeviation'> {
  const { values } = data.features;
  const featureMean = new Float64Array(FEATURE_COUNT);
  const featureDeviation = new Float64Array(FEATURE_COUNT);
  for (const row of rows)
    for (let f = 0; f < FEATURE_COUNT; f++) featureMean[f] += values[row * FEATURE_COUNT + f];
  for (let f = 0; f < FEATURE_COUNT; f++) featureMean[f] /= rows.length;
  for (const row of rows) {
    for (let f = 0; f < FEATURE_COUNT; f++)
      featureDeviation[f] += (values[row * FEATURE_COUNT + f] - featureMean[f]) ** 2;
  }
  for (let f = 0; f < FEATURE_COUNT; f++) {
    // A feature that never moves (funding without funding data) must not divide by nothing.
    featureDeviation[f] = Math.max(Math.sqrt(featureDeviation[f] / rows.length), 1e-3);
  }
  return { featureMean, featureDeviation };
}

/** log volatility over each horizon, pooled over markets, on the log-HAR-X features. */
function fitHar(data: Dataset, rows: Uint32Array): Float64Array[] {
  return Array.from({ length: HORIZON_COUNT }, (_, h) => {
    const squares = new LeastSquares(HAR_FEATURES.length);
    for (const row of rows) {
      squares.add(
        data.features.values,
        row * FEATURE_COUNT,
        HAR_FEATURES,
        data.logVolatility[row * HORIZON_COUNT + h],
      );
    }
    return squares.solve(RIDGE);
  });
}

function fitRows(data: Dataset, rows: Uint32Array, model: ShockModel): FitRows {
  const features = gatherFeatures(data, rows);
  const scaled = new Float32Array(rows.length * PATHS_PER_MARKET);
  const shocks = new Uint8Array(rows.length * PATHS_PER_MARKET);
  for (let i = 0; i < rows.length; i++) {
    for (let path = 0; path < PATHS_PER_MARKET; path++) {
      const scale = harScale(features, i * FEATURE_COUNT, model.harCoefficients[path % HORIZON_COUNT]);
      scaled[i * PATHS_PER_MARKET + path] = data.excursions[rows[i] * PATHS_PER_MARKET + path] / scale;
      shocks[i * PATHS_PER_MARKET + path] = data.shocks[rows[i] * PATHS_PER_MARKET + path];
    }
  }
  return {
    rows: rows.length,
    columns: FEATURE_COUNT,
    inputs: networkInputs(features, rows.length, model.featureMean, model.featureDeviation),
    scaled,
    shocks,
  };
}

export function gatherFeatures(data: Dataset, rows: Uint32Array): Float64Array {
  const features = new Float64Array(rows.length * FEATURE_COUNT);
  for (let i = 0; i < rows.length; i++) {
    features.set(
      data.features.values.subarray(rows[i] * FEATURE_COUNT, (rows[i] + 1) * FEATURE_COUNT),
      i * FEATURE_COUNT,
    );
  }
  return features;
}

/** How far the calibration may move a level: beyond it the model is wrong in shape, and a factor would hide that. */
const CALIBRATION_RANGE = [0.8, 1.3] as const;

/**
 * Factors that bring the exceedance rate of each cell to its target on the validation rows: the c-quantile of
 * excursion / VaR. ES moves with its VaR.
 */
async function calibrate(data: Dataset, rows: Uint32Array, model: ShockModel): Promise<Float64Array> {
  const out = await forecastDataset(data, rows, model);
  const factors = new Float64Array(CELLS_PER_MARKET);
  const ratios = new Float64Array(rows.length);
  for (let path = 0; path < PATHS_PER_MARKET; path++) {
    for (let c = 0; c < CONFIDENCE_COUNT; c++) {
      for (let i = 0; i < rows.length; i++) {
        ratios[i] =
          data.excursions[rows[i] * PATHS_PER_MARKET + path] /
          out.valueAtRisk[(i * PATHS_PER_MARKET + path) * CONFIDENCE_COUNT + c];
      }
      const factor = quantileInPlace(ratios, CONFIDENCES[c]);
      factors[path * CONFIDENCE_COUNT + c] = Math.min(
        Math.max(factor, CALIBRATION_RANGE[0]),
        CALIBRATION_RANGE[1],
      );
    }
  }
  return factors;
}

export interface DatasetForecast {
  readonly valueAtRisk: Float64Array;
  readonly expectedShortfall: Float64Array;
  readonly shockProbability: Float64Array;
}

/** Forecasts rows of a dataset, through the same code as the service. */
export async function forecastDataset(
  data: Dataset,
  rows: Uint32Array,
  model: ShockModel,
): Promise<DatasetForecast> {
  const networks = await Promise.all(model.members.map((member) => LoadedNetwork.load(member)));
  const out: DatasetForecast = {
    valueAtRisk: new Float64Array(rows.length * CELLS_PER_MARKET),
    expectedShortfall: new Float64Array(rows.length * CELLS_PER_MARKET),
    shockProbability: new Float64Array(rows.length * PATHS_PER_MARKET),
  };
  for (let from = 0; from < rows.length; from += ROWS_PER_SCORE) {
    const to = Math.min(from + ROWS_PER_SCORE, rows.length);
    forecastRows(model, networks, gatherFeatures(data, rows.subarray(from, to)), to - from, {
      valueAtRisk: out.valueAtRisk.subarray(from * CELLS_PER_MARKET, to * CELLS_PER_MARKET),
      expectedShortfall: out.expectedShortfall.subarray(from * CELLS_PER_MARKET, to * CELLS_PER_MARKET),
      shockProbability: out.shockProbability.subarray(from * PATHS_PER_MARKET, to * PATHS_PER_MARKET),
    });
  }
  for (const network of networks) network.dispose();
  return out;
}

const ROWS_PER_SCORE = 8192;
