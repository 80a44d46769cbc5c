import { PlimsollError } from '../src/errors.ts';
import type { MarketHistory } from '../src/risk/bars.ts';
import { buildDataset, type Dataset } from './dataset.ts';
import { rowsBetween, splitTime, type TimeSplit, VALIDATION_SHARE } from './splits.ts';
import { isEvery, JUDGED_EVERY_HOURS } from './trial.ts';

/** Names the fits that are kept among the pieces of a run. */
export const FINAL = 'final';

export interface DataChoice {
  /** Hours between origins that are trained on. */
  readonly everyHours: number;
  /** Only data up to this time, epoch milliseconds; null for all. */
  readonly to: number | null;
}

/** Rows to train on and rows to be judged on, of all markets. @throws PlimsollError DATA_INSUFFICIENT where there is none. */
export function trainingSet(markets: readonly MarketHistory[], { everyHours, to }: DataChoice): Dataset {
  const data = buildDataset(markets, [everyHours, JUDGED_EVERY_HOURS], to ?? Number.MAX_SAFE_INTEGER);
  if (data.features.rows > 0) return data;
  throw new PlimsollError('DATA_INSUFFICIENT', 'there is no stored market with enough history to train on', {
    remedy: 'Import history first: plimsoll import PATH.',
  });
}

/** Rows of the fit that is kept: all of time, its newest tenth for early stopping. */
export function finalRows(
  data: Dataset,
  everyHours: number,
): { readonly split: TimeSplit; readonly train: Uint32Array; readonly validation: Uint32Array } {
  const { asOf, rows } = data.features;
  const split = splitTime(asOf[0], asOf[rows - 1], VALIDATION_SHARE, 0);
  const isTrained = (row: number): boolean => isEvery(data, row, everyHours);
  return {
    split,
    train: rowsBetween(asOf, Number.NEGATIVE_INFINITY, split.trainUntil).filter(isTrained),
    validation: rowsBetween(asOf, split.validationFrom, split.validationUntil + 1).filter(isTrained),
  };
}
