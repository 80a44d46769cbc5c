import type { InterventionMode } from '../../limits/account-policy.ts';
import type { ReductionItem } from '../margin/reduction.ts';
import type { AccountStatus } from './statuses.ts';

/** What an account is told, or asked for: one for each threshold that is crossed upward, and one for each way back. */
export const INTERVENTION_KINDS = [
  'warning',
  'marginCall',
  'reduceOnly',
  'reduction',
  'liquidation',
  'backstop',
  /** The ratio fell below a threshold that was crossed. */
  'relief',
] as const;
export type InterventionKind = (typeof INTERVENTION_KINDS)[number];

/** What made margins be looked at. */
export const INTERVENTION_CAUSES = ['price', 'account', 'limits', 'policy', 'coolDown'] as const;
export type InterventionCause = (typeof INTERVENTION_CAUSES)[number];

/** Plimsoll never trades: an intervention says what is due, and whether the policy advises or commands it. */
export interface Intervention {
  /** 1, 2, 3, … without gaps, in the order in which things happened. */
  readonly sequence: number;
  /** Epoch milliseconds. */
  readonly at: number;
  readonly kind: InterventionKind;
  readonly mode: InterventionMode;
  readonly cause: InterventionCause;
  /** The markets whose prices moved, where that was the cause and they were few. */
  readonly movedMarkets: readonly string[];
  readonly accountId: string;
  readonly userId: string;
  /** Of an isolated position; null for the account's shared margin. */
  readonly symbol: string | null;
  readonly side: 'long' | 'short' | null;
  /** After it, and before. */
  readonly status: AccountStatus;
  readonly previousStatus: AccountStatus;
  /** Maintenance margin over equity; null where no equity is left. */
  readonly marginRatio: number | null;
  /** In the settlement asset. */
  readonly equity: number;
  readonly maintenanceMargin: number;
  /** What has to be paid in for the ratio of the policy's reductions; 0 for a relief. */
  readonly shortfall: number;
  /** Which stage of a reduction this is, from 1; 0 for anything else. */
  readonly stage: number;
  /** What to reduce, where positions have to shrink. */
  readonly plan: readonly ReductionItem[];
  /** Of the limit book whose tables were asked. */
  readonly limitsVersion: number;
}
