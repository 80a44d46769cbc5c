import type { GateResult } from '../../models/gate-record.ts';
import type { MarketHistory } from '../../src/risk/bars.ts';
import { classicalField, type FieldMethod } from '../field/field.ts';
import { JUDGED_EVERY_HOURS } from '../trial.ts';
import type { Fold } from '../walk-forward.ts';
import { coverageGates } from './gate-coverage.ts';
import type { GatePolicy } from './gate-policy.ts';
import { scoreGates } from './gate-scores.ts';
import { judge } from './judge.ts';
import type { Judgement } from './judgement.ts';
import { judgePool } from './pool.ts';
import type { ForecastTable, OutcomeTable } from './tables.ts';
import { trackedForecasts } from './tracked.ts';

/** Forecasts that were made beforehand, beside the classical field on the same rows. */
export interface JudgedAgainstField {
  /** The candidate's first, levelled as the service would have published them. */
  readonly forecasts: readonly ForecastTable[];
  readonly judgement: Judgement;
}

/**
 * Judges a candidate's forecasts as a trial at training does.
 *
 * @param folds when the classical field is fitted anew. @param onField is told how many of its markets are done; it may throw to stop.
 * @throws PlimsollError DATA_INSUFFICIENT where no market has enough rows that all forecasters answered.
 */
export async function judgeAgainstField(
  markets: readonly MarketHistory[],
  outcomes: OutcomeTable,
  folds: readonly Fold[],
  candidate: ForecastTable,
  methods: readonly FieldMethod[],
  onField: (done: number, total: number) => void,
): Promise<JudgedAgainstField> {
  const field = await classicalField(markets, outcomes, folds, methods, onField);
  const forecasts = [trackedForecasts(outcomes, candidate), ...field];
  const name = candidate.forecaster;
  const judgement = judge(outcomes, forecasts, name, JUDGED_EVERY_HOURS);
  return { forecasts, judgement };
}

/** The gates that forecasts alone can pass or fail. */
export function gatesOfForecasts(
  outcomes: OutcomeTable,
  { forecasts, judgement }: JudgedAgainstField,
  policy: GatePolicy,
): readonly GateResult[] {
  const pool = judgePool(outcomes, forecasts, judgement, judgement.candidate);
  return [...scoreGates(judgement, null, policy), ...coverageGates(judgement, pool, policy)];
}
