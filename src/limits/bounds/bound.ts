import { ladderDown } from '../../units.ts';
import { closeoutHours, type ForecastAxes, type Liquidity, marginsAt, type TailProfile } from '../curve.ts';
import type { GovernanceState } from '../governance.ts';
import type { MarketWideInput, SystemStressInput } from '../market-input.ts';
import type { Policy } from '../policy.ts';
import type { Bound, BoundName, EvidenceValue } from '../types.ts';

/** What the bounds of all markets are made with. */
export interface BoundContext {
  readonly policy: Policy;
  readonly axes: ForecastAxes;
  /** Epoch milliseconds. */
  readonly decidedAt: number;
  /** Freezes, overrides and emergency mode as people have set them. */
  readonly governance: GovernanceState;
  /** The market as one system; null where nothing is known of it. */
  readonly marketWide: MarketWideInput | null;
  /** Accounts and their positions as one system; left out where nobody looks at them. It can only tighten. */
  readonly systemStress?: SystemStressInput | undefined;
}

/** What a bound is stated with: at one notional of one market under one policy. */
export interface Stated {
  readonly axes: ForecastAxes;
  readonly policy: Policy;
  readonly liquidity: Liquidity;
  readonly notional: number;
}

/** Raises an initial margin rate, a share of the notional in (0, ∞): never lowers it, and never falls where it rises. */
export type Raise = (initialMarginRate: number) => number;

/** A bound on the initial margin alone: the maintenance margin does not move with it, so it liquidates nobody. */
export interface InitialMarginBound {
  readonly bound: Bound;
  /** Null where the bound does not limit now. */
  readonly raise: Raise | null;
}

/** Version of the rules in this folder. */
export const RULE_VERSION = '2';

export type Evidence = Readonly<Record<string, EvidenceValue>>;

// Keys are in the order of canonical JSON, in which books are read back, so that they need not be sorted for each book.

export function unavailableBound(name: BoundName, reason: string, version = RULE_VERSION): Bound {
  return { available: false, evidence: {}, maxLeverage: null, name, unavailableReason: reason, version };
}

/** A bound that caps leverage as such; null where it does not limit. */
export function capBound(name: BoundName, maxLeverage: number | null, evidence: Evidence): Bound {
  return { available: true, evidence, maxLeverage, name, unavailableReason: '', version: RULE_VERSION };
}

/**
 * A bound that is the margins which a profile asks for.
 *
 * @param told what it tells beside them, its keys in order too; null for nothing.
 */
export function marginBound(
  name: BoundName,
  profile: TailProfile,
  { axes, policy, liquidity, notional }: Stated,
  told: Evidence | null,
  version: string,
): Bound {
  const margins = marginsAt(notional, profile, liquidity, axes, policy);
  const { initial: initialMarginRate, maintenance: maintenanceMarginRate } = margins;
  const { closeoutCost: closeoutCostRate } = margins;
  const maxLeverage = 1 / initialMarginRate;
  const evidence = {
    closeoutCostRate,
    closeoutHorizonHours: closeoutHours(notional, liquidity, policy),
    closeoutValueAtRisk: maintenanceMarginRate - closeoutCostRate,
    initialConfidence: policy.initialConfidence,
    initialMarginRate,
    ladderLeverage: ladderDown(maxLeverage, policy.leverageLadder),
    maintenanceConfidence: policy.maintenanceConfidence,
    maintenanceMarginRate,
    marginCallHorizonHours: policy.marginCallHorizonHours,
    marginCallShortfall: profile.marginCallShortfall,
    referenceNotional: notional,
    worseSide: profile.shortfallSide === 0 ? 'long' : 'short',
  };
  return {
    available: true,
    evidence: told === null ? evidence : together(evidence, told),
    maxLeverage,
    name,
    unavailableReason: '',
    version,
  };
}

/** Two objects as one, with its keys in the order of canonical JSON. */
function together(evidence: Evidence, told: Evidence): Evidence {
  const both: Record<string, EvidenceValue> = {};
  const [keys, others] = [Object.keys(evidence), Object.keys(told)];
  for (let k = 0, o = 0; k < keys.length || o < others.length; ) {
    const isOwn = o === others.length || (k < keys.length && keys[k] < others[o]);
    if (isOwn) both[keys[k]] = evidence[keys[k++]];
    else both[others[o]] = told[others[o++]];
  }
  return both;
}

/** Margins times a factor of at least 1, but never above the whole notional. */
export function raisedBy(factor: number): Raise {
  return (initial) => Math.max(initial, Math.min(initial * factor, 1));
}

export function leverageOf(bound: Bound): number {
  return bound.maxLeverage ?? Number.POSITIVE_INFINITY;
}
