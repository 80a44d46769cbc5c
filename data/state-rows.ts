import {
  type Change,
  endOf,
  type HistoryEntry,
  type TrackPoint,
  type TrainingRun,
  type UserPolicy,
} from '../src/control/ports.ts';

/** Older events are dropped: whoever was away for longer starts from what is in force. */
export const KEPT_EVENTS = 200_000;
/** Of answers to writes that named an Idempotency-Key. */
export const MOST_ANSWERED_WRITES = 10_000;

/** Rows of the state store as what they stand for. */
export type Row = Record<string, unknown>;

export function userPolicy(row: Row): UserPolicy {
  return {
    userId: row.user_id as string,
    maxLeverage: row.max_leverage as number | null,
    accountCreatedAt: row.account_created_at as number | null,
    ownInitialMarginRatePpm: row.own_initial_margin_rate_ppm as number | null,
    notionalCoefMicros: row.notional_coef_micros as number | null,
    experienceClass: row.experience_class as string | null,
    overrideMaxLeverage: row.override_max_leverage as number | null,
    overrideExpiresAt: row.override_expires_at as number | null,
    overrideReason: row.override_reason as string | null,
    updatedAt: row.updated_at as number,
  };
}

export function trainingRun(row: Row): TrainingRun {
  return {
    id: row.id as string,
    startedAt: row.started_at as number,
    finishedAt: row.finished_at as number | null,
    result: row.result as TrainingRun['result'],
    modelVersion: row.model_version as string | null,
    trigger: row.trigger as TrainingRun['trigger'],
    message: row.message as string,
  };
}

/** Whether the columns that find a change say what it says. */
export function isRowOf(row: Row, change: Change): boolean {
  return (
    change.number === row.number &&
    change.id === row.id &&
    change.requested.at === row.requested_at &&
    endOf(change) === row.ends_at
  );
}

export function historyEntry(row: Row): HistoryEntry {
  return {
    version: row.version as number,
    decidedAt: row.decided_at as number,
    effectiveAt: row.effective_at as number,
    maxLeverage: row.max_leverage as number,
    bindingBound: row.binding_bound as string,
    move: row.move as string,
    reasons: JSON.parse(row.reasons as string) as string[],
    hash: row.hash as string,
  };
}

export function trackPoint(row: Row): TrackPoint {
  return {
    symbol: row.symbol as string,
    version: row.version as number,
    asOf: row.as_of as number,
    close: row.close as number | null,
    maxLeverage: row.max_leverage as number,
    bindingBound: row.binding_bound as string,
    horizonHours: row.horizon_hours as number,
    confidence: row.confidence as number,
    longValueAtRisk: row.long_value_at_risk as number | null,
    shortValueAtRisk: row.short_value_at_risk as number | null,
  };
}
