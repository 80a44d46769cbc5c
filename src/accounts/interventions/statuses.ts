import type { AccountPolicy } from '../../limits/account-policy.ts';
import { MARGIN_STATUSES, type MarginStatus } from '../margin/measure.ts';

/** In the order of their thresholds: each is reached by crossing the one of its name. */
export const ACCOUNT_STATUSES = MARGIN_STATUSES;
export type AccountStatus = MarginStatus;

/** Number of a status: how many thresholds are reached. */
export const STATUS = {
  healthy: 0,
  warning: 1,
  marginCall: 2,
  reduceOnly: 3,
  reduction: 4,
  liquidation: 5,
  backstop: 6,
};
const HIGHEST = STATUS.backstop;

/** Ratios of maintenance margin over equity at which statuses change, by the number of the status before. */
export interface Thresholds {
  /** At or above it the status rises. */
  readonly up: Float64Array;
  /** Below it the status falls. */
  readonly down: Float64Array;
}

export function thresholdsOf(policy: AccountPolicy): Thresholds {
  const ratios = [
    policy.warningRatio,
    policy.marginCallRatio,
    policy.reduceOnlyRatio,
    policy.reductionRatio,
    policy.liquidationRatio,
    policy.backstopRatio,
  ];
  return {
    up: Float64Array.from([...ratios, Number.POSITIVE_INFINITY]),
    down: Float64Array.from([0, ...ratios.map((ratio) => ratio - policy.rearmRatio)]),
  };
}

/**
 * The status after margins were looked at. With no equity left the backstop is due; without a
 * position only a debt is told. Where a number is missing (NaN) the status stays: nothing is said of what is not known.
 */
export function nextStatus(
  status: number,
  equity: number,
  maintenanceMargin: number,
  { up, down }: Thresholds,
): number {
  if (Number.isNaN(equity) || Number.isNaN(maintenanceMargin)) return status;
  if (maintenanceMargin <= 0) return equity < 0 ? HIGHEST : STATUS.healthy;
  if (equity <= 0) return HIGHEST;
  let next = status;
  while (next < HIGHEST && maintenanceMargin >= up[next] * equity) next++;
  while (next > 0 && maintenanceMargin < down[next] * equity) next--;
  return next;
}
