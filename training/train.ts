import { PlimsollError } from '../src/errors.ts';
import { FEATURE_COUNT, HAR_FEATURES } from '../src/features/spec.ts';
import { NetworkForecaster } from '../src/forecast/network-forecaster.ts';
import {
  harLevelSlopes,
  LEVEL_COUNT,
  NETWORK_INPUT_COUNT,
  networkInputs,
  networkLevels,
  writeShape,
} from '../src/forecast/network-inputs.ts';
import {
  HORIZON_OF_LEVELLED,
  LEVELLED_OUTPUTS,
  QUANTILES_PER_MARKET,
} from '../src/forecast/network-output.ts';
import { CELLS_PER_MARKET, HORIZON_COUNT, PATHS_PER_MARKET } from '../src/forecast/predictor.ts';
import { type RowForecaster, writeShockProbabilities } from '../src/forecast/row-forecaster.ts';
import { harLogVolatilities, type ShockModel } from '../src/forecast/shock-model.ts';
import type { Dataset } from './dataset.ts';
import type { FitProgress, FitResult, FitRows } from './fit.ts';
import type { FitKeeper } from './kept-fits.ts';
import { fitMembers, type MemberOptions } from './members.ts';
import { LeastSquares } from './ols.ts';

export interface ModelOptions {
  /** One network for each; their forecasts are averaged. */
  readonly seeds: readonly number[];
  readonly fit: Omit<MemberOptions, 'slopeFloors'>;
  /** About this many networks are fitted at a time. It changes no bit of them. */
  readonly threads: number;
  readonly onProgress: (member: number, progress: FitProgress) => void;
  readonly interrupted: AbortSignal;
  /** Finished fits of an earlier run that ended before its time. */
  readonly kept?: FitKeeper | null;
}

export const DEFAULT_MODEL_OPTIONS = {
  seeds: [1, 2, 3],
  fit: {
    hidden: [64, 32],
    batchRows: 1024,
    maximumEpochs: 8,
    patience: 3,
    learningRate: 1e-3,
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
 * Trains the shock model on some rows of a dataset: scaler and log-HAR-X by least squares, then the networks, which stop early by
 * later rows. There also the factors from a volatility to a variance are taken.
 *
 * @throws PlimsollError DATA_INSUFFICIENT when there are too few rows.
 */
export async function trainModel(
  data: Dataset,
  trainRows: Uint32Array,
  validationRows: Uint32Array,
  options: ModelOptions,
): Promise<TrainedModel> {
  const { unfitted, train, validation, slopeFloors } = prepareFit(data, trainRows, validationRows);
  const { seeds, threads, onProgress, interrupted, kept = null } = options;
  const fit = { ...options.fit, slopeFloors };
  const fits = await fitMembers(train, validation, seeds, fit, threads, onProgress, interrupted, kept);
  const members = fits.map(({ epochs, bestEpoch, validationLoss }, member) => ({
    seed: seeds[member],
    epochs,
    bestEpoch,
    validationLoss,
  }));
  const model = { ...unfitted, members: fits.map(({ weights }) => weights) };
  const varianceFactors = await fitVarianceFactors(data, validationRows, model);
  return { model: { ...model, varianceFactors }, backend: fits[0].backend, members };
}

/**
 * One network of those that `trainModel` fits, the same to the bit: another machine may be fitting the others.
 *
 * @throws PlimsollError DATA_INSUFFICIENT when there are too few rows; the reason of `interrupted` when it is aborted.
 */
export async function fitMember(
  data: Dataset,
  trainRows: Uint32Array,
  validationRows: Uint32Array,
  seed: number,
  options: Pick<ModelOptions, 'fit' | 'onProgress' | 'interrupted'>,
): Promise<FitResult> {
  const { train, validation, slopeFloors } = prepareFit(data, trainRows, validationRows);
  const { onProgress, interrupted } = options;
  const fit = { ...options.fit, slopeFloors };
  const [result] = await fitMembers(train, validation, [seed], fit, 1, onProgress, interrupted);
  return result;
}

/** All of a fit that has no chance in it. @throws PlimsollError DATA_INSUFFICIENT when there are too few rows. */
function prepareFit(data: Dataset, trainRows: Uint32Array, validationRows: Uint32Array) {
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
  const unfitted: ShockModel = {
    ...scaler,
    harCoefficients,
    varianceFactors: new Float64Array(HORIZON_COUNT).fill(1),
    members: [],
  };
  return {
    unfitted,
    train: fitRows(data, trainRows, unfitted),
    validation: fitRows(data, validationRows, unfitted),
    slopeFloors: slopeFloors(harCoefficients),
  };
}

function fitScaler(data: Dataset, rows: Uint32Array): Pick<ShockModel, 'featureMean' | 'featureDeviation'> {
  const { values } = data.features;
  const featureMean = new Float64Array(FEATURE_COUNT);
  const featureDeviation = new Float64Array(FEATURE_COUNT);
  const shape = new Float64Array(FEATURE_COUNT);
  for (const row of rows) {
    writeShape(values, row * FEATURE_COUNT, shape, 0);
    for (let f = 0; f < FEATURE_COUNT; f++) featureMean[f] += shape[f];
  }
  for (let f = 0; f < FEATURE_COUNT; f++) featureMean[f] /= rows.length;
  for (const row of rows) {
    writeShape(values, row * FEATURE_COUNT, shape, 0);
    for (let f = 0; f < FEATURE_COUNT; f++) featureDeviation[f] += (shape[f] - featureMean[f]) ** 2;
  }
  for (let f = 0; f < FEATURE_COUNT; f++) {
    // A feature that never moves (funding without funding data) must not divide by nothing.
    featureDeviation[f] = Math.max(Math.sqrt(featureDeviation[f] / rows.length), 1e-3);
  }
  return { featureMean, featureDeviation };
}

/** By how much each slope of a level may be negative: as much as the log-HAR-X rises by itself. */
function slopeFloors(harCoefficients: readonly Float64Array[]): Float32Array {
  const byHorizon = harCoefficients.map(harLevelSlopes);
  const count = LEVELLED_OUTPUTS.length;
  return Float32Array.from(
    { length: LEVEL_COUNT * count },
    (_, i) => -byHorizon[HORIZON_OF_LEVELLED[i % count]][Math.floor(i / count)],
  );
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
  const logVolatility = new Float32Array(rows.length * HORIZON_COUNT);
  for (let i = 0; i < rows.length; i++) {
    const logs = harLogVolatilities(features, i * FEATURE_COUNT, model.harCoefficients);
    for (let path = 0; path < PATHS_PER_MARKET; path++) {
      const excursion = data.excursions[rows[i] * PATHS_PER_MARKET + path];
      scaled[i * PATHS_PER_MARKET + path] = excursion / Math.exp(logs[path % HORIZON_COUNT]);
    }
    for (let h = 0; h < HORIZON_COUNT; h++)
      logVolatility[i * HORIZON_COUNT + h] = data.logVolatility[rows[i] * HORIZON_COUNT + h] - logs[h];
  }
  return {
    rows: rows.length,
    columns: NETWORK_INPUT_COUNT,
    inputs: networkInputs(features, rows.length, model.featureMean, model.featureDeviation),
    levels: networkLevels(features, rows.length),
    scaled,
    logVolatility,
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

/** Mean of realised variance over the square of the forecast volatility: a mean of squares is more than the square of a typical one. */
async function fitVarianceFactors(
  data: Dataset,
  rows: Uint32Array,
  model: ShockModel,
): Promise<Float64Array> {
  const forecaster = await NetworkForecaster.load(model);
  const { variance } = await forecastDataset(data, rows, forecaster);
  forecaster.dispose();
  const factors = new Float64Array(HORIZON_COUNT);
  for (let i = 0; i < rows.length; i++) {
    for (let h = 0; h < HORIZON_COUNT; h++)
      factors[h] += data.realisedVariance[rows[i] * HORIZON_COUNT + h] / variance[i * HORIZON_COUNT + h];
  }
  // A series that never moves has no variance to learn from.
  return factors.map((sum) => Math.max(sum / rows.length, LEAST_VARIANCE_FACTOR));
}

const LEAST_VARIANCE_FACTOR = 1e-3;

export interface DatasetForecast {
  /** By row and cell; NaN where there is no forecast. */
  readonly valueAtRisk: Float64Array;
  readonly expectedShortfall: Float64Array;
  /** By row and path; NaN where the market has no shock threshold yet, or there is no forecast. */
  readonly shockProbability: Float64Array;
  /** By row and horizon; NaN where the forecaster gives none. */
  readonly variance: Float64Array;
}

/** Forecasts rows of a dataset, through the same code as the service. */
export async function forecastDataset(
  data: Dataset,
  rows: Uint32Array,
  forecaster: RowForecaster,
): Promise<DatasetForecast> {
  const valueAtRisk = new Float64Array(rows.length * CELLS_PER_MARKET);
  const expectedShortfall = new Float64Array(rows.length * CELLS_PER_MARKET);
  const shockProbability = new Float64Array(rows.length * PATHS_PER_MARKET).fill(Number.NaN);
  const variance = new Float64Array(rows.length * HORIZON_COUNT);
  const thresholds = new Float64Array(PATHS_PER_MARKET);
  for (let from = 0; from < rows.length; from += ROWS_PER_SCORE) {
    const to = Math.min(from + ROWS_PER_SCORE, rows.length);
    const part = {
      valueAtRisk: valueAtRisk.subarray(from * CELLS_PER_MARKET, to * CELLS_PER_MARKET),
      expectedShortfall: expectedShortfall.subarray(from * CELLS_PER_MARKET, to * CELLS_PER_MARKET),
      quantiles: new Float64Array((to - from) * QUANTILES_PER_MARKET),
      variance: variance.subarray(from * HORIZON_COUNT, to * HORIZON_COUNT),
    };
    await forecaster.forecast(gatherFeatures(data, rows.subarray(from, to)), to - from, part);
    for (let i = from; i < to; i++) {
      const first = rows[i] * PATHS_PER_MARKET;
      if (Number.isNaN(data.shockThreshold[first]) || Number.isNaN(valueAtRisk[i * CELLS_PER_MARKET]))
        continue;
      thresholds.set(data.shockThreshold.subarray(first, first + PATHS_PER_MARKET));
      writeShockProbabilities(part, i - from, thresholds, 0, shockProbability, i * PATHS_PER_MARKET);
    }
  }
  return { valueAtRisk, expectedShortfall, shockProbability, variance };
}

const ROWS_PER_SCORE = 8192;
