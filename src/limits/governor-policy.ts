/** How fast limits may move, and how long it takes until a move reaches positions that are open. */
export interface GovernorPolicy {
  /**
   * One decision takes leverage down, and maintenance margins up, by at most this ratio (or to the next rung). Only
   * emergency mode goes further.
   */
  readonly tightenMaximumRatio: number;
  /** Least time between a tightening that stopped at that floor and the one that goes on. */
  readonly tightenPaceHours: number;
  /** One loosening raises leverage, and lowers the maintenance rate, by at most this ratio (or to the next rung). */
  readonly loosenMaximumRatio: number;
  /** Least time between a market's last change and its next loosening. */
  readonly loosenDelayHours: number;
  /** Loosenings smaller than this ratio are not made. */
  readonly deadBandRatio: number;
  /** Least time between the announcement of a higher maintenance margin and the decision that puts it in force. */
  readonly maintenanceNoticeHours: number;
  /** The same while there is an emergency. */
  readonly emergencyNoticeHours: number;
}

export const DEFAULT_GOVERNOR_POLICY: GovernorPolicy = {
  tightenMaximumRatio: 2,
  tightenPaceHours: 0.5,
  loosenMaximumRatio: 1.25,
  loosenDelayHours: 24,
  deadBandRatio: 1.05,
  maintenanceNoticeHours: 24,
  emergencyNoticeHours: 1,
};

const RATIOS = ['tightenMaximumRatio', 'loosenMaximumRatio'] as const;
const HOURS = [
  'tightenPaceHours',
  'loosenDelayHours',
  'maintenanceNoticeHours',
  'emergencyNoticeHours',
] as const;

export function governorPolicyFaults(policy: GovernorPolicy): string[] {
  const faults: string[] = [];
  const need = (holds: boolean, fault: string): void => {
    if (!holds) faults.push(fault);
  };
  for (const name of RATIOS) {
    need(policy[name] > 1 && Number.isFinite(policy[name]), `${name} must be a number above 1`);
  }
  need(policy.deadBandRatio >= 1, 'deadBandRatio must be at least 1');
  need(
    policy.deadBandRatio <= policy.loosenMaximumRatio,
    'deadBandRatio must not be above governor.loosenMaximumRatio',
  );
  for (const name of HOURS) {
    need(policy[name] >= 0 && Number.isFinite(policy[name]), `${name} must be a number of at least 0`);
  }
  need(
    policy.emergencyNoticeHours <= policy.maintenanceNoticeHours,
    'emergencyNoticeHours must not be above governor.maintenanceNoticeHours',
  );
  return faults;
}
