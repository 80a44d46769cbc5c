/** When prices between two bars tighten a market, by how much, and which prices are believed. */
export interface GuardPolicy {
  /** A move since the last bar closed is out of bounds beyond the VaR at this confidence; one that forecasts come in. */
  readonly confidence: number;
  /** The time since that close never counts as shorter than this: the first seconds of a bar are not held to nothing. */
  readonly minimumElapsedHours: number;
  /** A move of so many times its bound raises initial margins as many times, up to this. */
  readonly maximumFactor: number;
  /** Initial margins are at least this many times the move. */
  readonly coverRatio: number;
  /** A move that was decided on is decided on again once it is this many times as far beyond its bound. */
  readonly stepRatio: number;
  /** Prices older than this when they arrive have no effect. */
  readonly staleAfterSeconds: number;
  /** A price this many times the one before it, up or down, is held until another confirms it. */
  readonly heldAboveRatio: number;
  /** A price this many times the one before it is refused. */
  readonly refusedAboveRatio: number;
  /** Least time between a price that is held and the one that confirms it. */
  readonly confirmSeconds: number;
}

export const DEFAULT_GUARD_POLICY: GuardPolicy = {
  confidence: 0.995,
  minimumElapsedHours: 0.25,
  maximumFactor: 4,
  coverRatio: 1,
  stepRatio: 1.1,
  staleAfterSeconds: 60,
  heldAboveRatio: 1.2,
  refusedAboveRatio: 3,
  confirmSeconds: 5,
};

/** Every contradiction in words that name the setting; empty for a good policy. */
export function guardPolicyFaults(policy: GuardPolicy, confidences: readonly number[]): string[] {
  const faults: string[] = [];
  const need = (holds: boolean, fault: string): void => {
    if (!holds) faults.push(`guard.${fault}`);
  };
  need(confidences.includes(policy.confidence), `confidence must be one of ${confidences.join(', ')}`);
  for (const name of ['minimumElapsedHours', 'staleAfterSeconds', 'confirmSeconds'] as const) {
    need(policy[name] > 0 && Number.isFinite(policy[name]), `${name} must be a number above 0`);
  }
  need(
    policy.confirmSeconds <= policy.staleAfterSeconds,
    'confirmSeconds must not be above guard.staleAfterSeconds',
  );
  for (const name of ['maximumFactor', 'stepRatio', 'heldAboveRatio', 'refusedAboveRatio'] as const) {
    need(policy[name] > 1 && Number.isFinite(policy[name]), `${name} must be a number above 1`);
  }
  need(
    policy.heldAboveRatio <= policy.refusedAboveRatio,
    'heldAboveRatio must not be above guard.refusedAboveRatio',
  );
  need(
    policy.coverRatio >= 0 && Number.isFinite(policy.coverRatio),
    'coverRatio must be a number of at least 0',
  );
  return faults;
}
