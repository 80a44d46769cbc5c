import type { MarketHistory } from '../src/risk/bars.ts';
import { buildDataset, type Dataset } from './dataset.ts';
import { rowsBetween } from './splits.ts';
import { isEvery, JUDGED_EVERY_HOURS, REFIT_DAYS } from './trial.ts';
import { expandingFolds, type Fold } from './walk-forward.ts';

/** Fewer rows than this after the training data are too few for scores that mean anything. */
const LEAST_UNSEEN_ROWS = 500;

/** The part of stored history that a model was not made from, as a trial would be judged on it. */
export interface UnseenTime {
  readonly data: Dataset;
  /** Every `JUDGED_EVERY_HOURS`, ascending. */
  readonly rows: Uint32Array;
  /** When the classical field is fitted anew; what is judged itself is not. */
  readonly folds: readonly Fold[];
}

/**
 * @param seenUntil end of the newest outcome that a model was fitted on, epoch milliseconds.
 * @returns null where there is too little later history.
 */
export function unseenTime(markets: readonly MarketHistory[], seenUntil: number): UnseenTime | null {
  const newest = Math.max(...markets.map(({ bars }) => bars.openTime[bars.length - 1] ?? 0));
  if (!(newest > seenUntil)) return null;
  const data = buildDataset(markets, JUDGED_EVERY_HOURS, Number.MAX_SAFE_INTEGER);
  const rows = rowsBetween(data.features.asOf, seenUntil, Number.MAX_SAFE_INTEGER).filter((row) =>
    isEvery(data, row, JUDGED_EVERY_HOURS),
  );
  if (rows.length < LEAST_UNSEEN_ROWS) return null;
  const { asOf } = data.features;
  return { data, rows, folds: expandingFolds(asOf[rows[0]], asOf[rows[rows.length - 1]] + 1, REFIT_DAYS) };
}
