import { availableParallelism } from 'node:os';
import type { MarketHistory } from '../src/risk/bars.ts';
import { DAY_MILLISECONDS, HOUR_MILLISECONDS } from '../src/units.ts';
import type { Dataset } from './dataset.ts';
import { classicalField, type FieldMethod } from './field/field.ts';
import { judge } from './judge/judge.ts';
import type { Judgement } from './judge/judgement.ts';
import { outcomeTable } from './judge/outcomes.ts';
import type { ForecastTable, OutcomeTable } from './judge/tables.ts';
import { trackedForecasts } from './judge/tracked.ts';
import type { PieceStore } from './kept-fits.ts';
import { TEST_SHARE, VALIDATION_SHARE } from './splits.ts';
import type { DatasetForecast, ModelOptions, TrainedModel } from './train.ts';
import { expandingFolds, type Fold, walkForward } from './walk-forward.ts';

/** A recipe's trial: what it forecast of time that it had not seen, beside the classical field, and how all of it is judged. */
export interface Trial {
  readonly folds: readonly Fold[];
  readonly outcomes: OutcomeTable;
  /** The candidate's first. */
  readonly forecasts: readonly ForecastTable[];
  readonly judgement: Judgement;
  /** Names of the classical forecasters. */
  readonly classical: readonly string[];
}

export interface TrialOptions {
  /** Name of the candidate's forecasts. */
  readonly candidate: string;
  /** Hours between the origins that are trained on. */
  readonly everyHours: number;
  readonly methods: readonly FieldMethod[];
  readonly model: Omit<ModelOptions, 'threads'>;
  /** Where finished fits are kept. */
  readonly pieces: PieceStore | null;
  readonly onFold: (fold: number, folds: number, trained: TrainedModel) => void;
  /** Markets of the classical field that are done. */
  readonly onField: (done: number, total: number) => void;
}

/** Hours between the origins that are judged. */
export const JUDGED_EVERY_HOURS = 6;
/** A fit is as old as this when the next one takes over. */
export const REFIT_DAYS = 84;
/** More of the newest time than this is not held out. */
const MOST_TEST_DAYS = 365;

/** The folds of a trial: the newest fifth of time, a year at most, in pieces of `REFIT_DAYS`. */
export function trialFolds({ features }: Dataset): readonly Fold[] {
  const [start, end] = [features.asOf[0], features.asOf[features.rows - 1]];
  const length = Math.min(TEST_SHARE * (end - start), MOST_TEST_DAYS * DAY_MILLISECONDS);
  const from = Math.ceil((end - length) / HOUR_MILLISECONDS) * HOUR_MILLISECONDS;
  return expandingFolds(from, end + 1, REFIT_DAYS);
}

/** Names the answers of the classical field for a market among the pieces of a run. */
export function fieldName(symbol: string): string {
  return `field.${symbol.toLowerCase()}`;
}

/** Whether a row's time is a multiple of some hours since the epoch. */
export function isEvery({ features }: Dataset, row: number, hours: number): boolean {
  return (features.asOf[row] / HOUR_MILLISECONDS) % hours === 0;
}

/**
 * Walks forward through the newest time: fits anew at each fold, forecasts it, lets the classical field forecast the same rows, and judges.
 *
 * @throws PlimsollError DATA_INSUFFICIENT; the reason of `interrupted` when it is aborted; what a listener throws.
 */
export async function tryRecipe(
  markets: readonly MarketHistory[],
  data: Dataset,
  options: TrialOptions,
): Promise<Trial> {
  const { candidate, everyHours, methods, model, pieces, onFold, onField } = options;
  const folds = trialFolds(data);
  const walked = await walkForward(data, {
    folds,
    validationShare: VALIDATION_SHARE,
    isTrained: (row) => isEvery(data, row, everyHours),
    isForecast: (row) => isEvery(data, row, JUDGED_EVERY_HOURS),
    model: { ...model, threads: availableParallelism() },
    pieces,
    onFold: (fold, trained) => onFold(fold, folds.length, trained),
  });
  const outcomes = outcomeTable(markets, data, walked.rows, folds);
  const field = await classicalField(
    markets,
    outcomes,
    folds,
    methods,
    onField,
    (symbol) => pieces?.get(fieldName(symbol)) ?? null,
  );
  // Judged as the service would have published it.
  const forecasts = [trackedForecasts(outcomes, tableOf(candidate, walked)), ...field];
  const judgement = judge(outcomes, forecasts, candidate, JUDGED_EVERY_HOURS);
  return { folds, outcomes, forecasts, judgement, classical: methods };
}

/** Forecasts of the rows of a table as the judge takes them. */
export function tableOf(forecaster: string, forecast: DatasetForecast): ForecastTable {
  const { valueAtRisk, expectedShortfall, shockProbability, variance } = forecast;
  return { forecaster, valueAtRisk, expectedShortfall, shockProbability, variance };
}
