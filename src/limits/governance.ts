/**
 * What people have decided about limits, as data. It is a value beside the policy: the decision reads it, the state
 * store keeps it, and every change of it is an entry of the audit chain. All times are epoch milliseconds.
 */
export interface GovernanceState {
  readonly freezes: readonly Freeze[];
  readonly overrides: readonly Override[];
  /** Null outside of emergency mode. */
  readonly emergency: Emergency | null;
}

/** No limit of the scope moves in either direction until it is thawed, or until it expires. */
export interface Freeze {
  readonly id: string;
  /** One market's symbol; null for all markets. */
  readonly symbol: string | null;
  readonly reason: string;
  readonly frozenBy: string;
  readonly frozenAt: number;
  /** Null for until somebody thaws it. */
  readonly expiresAt: number | null;
}

/**
 * A cap that people set. One that tightens is in force at once; one that would grant more than the bounds do is in force
 * only once somebody else than who asked for it has approved it.
 */
export interface Override {
  readonly id: string;
  readonly symbol: string;
  /** Top leverage that the market may have while the override is in force. */
  readonly maxLeverage: number;
  /** Whether it takes the place of the bounds, and may so grant more than they do; otherwise it is one bound more. */
  readonly mayLoosen: boolean;
  readonly reason: string;
  readonly requestedBy: string;
  readonly requestedAt: number;
  /** Null while nobody has approved it. */
  readonly approvedBy: string | null;
  readonly approvedAt: number | null;
  /** An override always ends. */
  readonly expiresAt: number;
}

/** While it lasts, limits may be cut below the floor of one decision. */
export interface Emergency {
  readonly reason: string;
  readonly declaredBy: string;
  readonly declaredAt: number;
  readonly expiresAt: number;
}

export const NO_GOVERNANCE: GovernanceState = { freezes: [], overrides: [], emergency: null };

/** The freeze that holds a market at a time, the widest first; null where none does. */
export function freezeOf(state: GovernanceState, symbol: string, at: number): Freeze | null {
  const holding = state.freezes.filter(
    (freeze) =>
      (freeze.symbol === null || freeze.symbol === symbol) &&
      (freeze.expiresAt === null || freeze.expiresAt > at),
  );
  return holding.find((freeze) => freeze.symbol === null) ?? holding[0] ?? null;
}

/** Of the overrides in force for a market at a time the one that grants least; null where there is none. */
export function overrideOf(state: GovernanceState, symbol: string, at: number): Override | null {
  const inForce = state.overrides.filter((override) => override.symbol === symbol && isInForce(override, at));
  return inForce.reduce<Override | null>(
    (least, one) => (least === null || one.maxLeverage < least.maxLeverage ? one : least),
    null,
  );
}

export function isEmergency({ emergency }: GovernanceState, at: number): boolean {
  return emergency !== null && emergency.expiresAt > at;
}

/** Names everything that is in force at a time: equal as long as decisions read the same. */
export function inForceKey(state: GovernanceState, at: number): string {
  const freezes = state.freezes.filter(({ expiresAt }) => expiresAt === null || expiresAt > at);
  const overrides = state.overrides.filter((override) => isInForce(override, at));
  const ids = [...freezes, ...overrides].map(({ id }) => id).sort();
  return [...ids, ...(isEmergency(state, at) ? [`emergency at ${state.emergency?.declaredAt}`] : [])].join();
}

/** The earliest time after `at` at which something ends by itself; null where nothing does. */
export function nextExpiry({ freezes, overrides, emergency }: GovernanceState, at: number): number | null {
  const ends = [...freezes, ...overrides, ...(emergency === null ? [] : [emergency])]
    .map(({ expiresAt }) => expiresAt)
    .filter((end) => end !== null && end > at);
  return ends.length === 0 ? null : Math.min(...(ends as number[]));
}

function isInForce(override: Override, at: number): boolean {
  return override.expiresAt > at && (!override.mayLoosen || override.approvedBy !== null);
}
