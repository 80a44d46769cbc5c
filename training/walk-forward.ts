import { PlimsollError } from '../src/errors.ts';
import { NetworkForecaster } from '../src/forecast/network-forecaster.ts';
import { CELLS_PER_MARKET, HORIZON_COUNT, PATHS_PER_MARKET } from '../src/forecast/predictor.ts';
import { DAY_MILLISECONDS, HOUR_MILLISECONDS } from '../src/units.ts';
import type { Dataset } from './dataset.ts';
import { keptFits, type PieceStore } from './kept-fits.ts';
import { PURGE_HOURS, rowsBetween } from './splits.ts';
import {
  type DatasetForecast,
  forecastDataset,
  type ModelOptions,
  type TrainedModel,
  trainModel,
} from './train.ts';

/** A stretch of time that is forecast by a model which saw nothing after `trainUntil`. */
export interface Fold {
  /** Epoch milliseconds; the fit, its validation included, looks at nothing from here on. */
  readonly trainUntil: number;
  readonly from: number;
  readonly until: number;
}

/**
 * Expanding folds: the model is fitted anew every `refitDays`, on all that was known then less the purge, and forecasts until the next
 * fit.
 *
 * @param from begin of the first fold, epoch milliseconds. @param until end of the last one, exclusive.
 */
export function expandingFolds(from: number, until: number, refitDays: number): readonly Fold[] {
  const folds: Fold[] = [];
  const step = refitDays * DAY_MILLISECONDS;
  for (let start = from; start < until; start += step)
    folds.push({
      trainUntil: start - PURGE_HOURS * HOUR_MILLISECONDS,
      from: start,
      until: Math.min(start + step, until),
    });
  return folds;
}

/** Names the fits of a fold among the pieces of a run. */
export function foldName(index: number): string {
  return `fold-${index}`;
}

/** Rows that a walk through some folds forecasts, ascending. */
export function forecastRows(
  asOf: Float64Array,
  folds: readonly Fold[],
  isForecast: (row: number) => boolean,
): Uint32Array {
  return rowsBetween(asOf, folds[0]?.from ?? 0, folds.at(-1)?.until ?? 0).filter(isForecast);
}

/** Rows that the fit of a fold trains on, and rows that it validates on: of the fold's past, the newest share. */
export function rowsBefore(
  asOf: Float64Array,
  { trainUntil }: Fold,
  validationShare: number,
  isTrained: (row: number) => boolean,
): { readonly train: Uint32Array; readonly validation: Uint32Array } {
  const validationFrom = trainUntil - validationShare * (trainUntil - asOf[0]);
  const until = validationFrom - PURGE_HOURS * HOUR_MILLISECONDS;
  return {
    train: rowsBetween(asOf, Number.NEGATIVE_INFINITY, until).filter(isTrained),
    validation: rowsBetween(asOf, validationFrom, trainUntil).filter(isTrained),
  };
}

export interface WalkForwardOptions {
  readonly folds: readonly Fold[];
  /** Of a fold's past, the newest share is for early stopping and calibration. */
  readonly validationShare: number;
  /** Whether a row may be trained on. */
  readonly isTrained: (row: number) => boolean;
  /** Whether a row of a fold is forecast. */
  readonly isForecast: (row: number) => boolean;
  readonly model: ModelOptions;
  readonly onFold: (fold: number, trained: TrainedModel) => void;
  /** Where finished fits are kept. */
  readonly pieces?: PieceStore | null;
}

/** Forecasts that no model made for a time it had seen. */
export interface OutOfFold extends DatasetForecast {
  /** Rows of the dataset, ascending; the forecasts are in this order. */
  readonly rows: Uint32Array;
}

/**
 * Walks forward through time: fits, forecasts the next fold, fits again.
 *
 * @throws PlimsollError DATA_INSUFFICIENT where the first fold has too little past, or no row is to be forecast.
 */
export async function walkForward(data: Dataset, options: WalkForwardOptions): Promise<OutOfFold> {
  const { asOf } = data.features;
  const { folds, validationShare, isTrained, isForecast, model, pieces = null } = options;
  const rows = forecastRows(asOf, folds, isForecast);
  if (rows.length === 0)
    throw new PlimsollError('DATA_INSUFFICIENT', 'there is no row in the time to walk through', {
      remedy: 'Choose an earlier start, or import later history.',
    });
  const whole: OutOfFold = {
    rows,
    valueAtRisk: new Float64Array(rows.length * CELLS_PER_MARKET),
    expectedShortfall: new Float64Array(rows.length * CELLS_PER_MARKET),
    shockProbability: new Float64Array(rows.length * PATHS_PER_MARKET),
    variance: new Float64Array(rows.length * HORIZON_COUNT),
  };
  let position = 0;
  for (const [index, fold] of folds.entries()) {
    const own = rowsBetween(asOf, fold.from, fold.until).filter(isForecast);
    if (own.length === 0) continue;
    const { train, validation } = rowsBefore(asOf, fold, validationShare, isTrained);
    const trained = await trainModel(data, train, validation, {
      ...model,
      kept: pieces === null ? null : keptFits(pieces, foldName(index)),
    });
    options.onFold(index, trained);
    const forecaster = await NetworkForecaster.load(trained.model);
    const forecast = await forecastDataset(data, own, forecaster);
    forecaster.dispose();
    whole.valueAtRisk.set(forecast.valueAtRisk, position * CELLS_PER_MARKET);
    whole.expectedShortfall.set(forecast.expectedShortfall, position * CELLS_PER_MARKET);
    whole.shockProbability.set(forecast.shockProbability, position * PATHS_PER_MARKET);
    whole.variance.set(forecast.variance, position * HORIZON_COUNT);
    position += own.length;
  }
  return whole;
}
