import type { MarketWidePolicy } from '../bound-policy.ts';
import type { MarketWideInput } from '../market-input.ts';
import type { BoundState, MarketWideState } from '../types.ts';
import { type BoundContext, capBound, type InitialMarginBound, raisedBy, unavailableBound } from './bound.ts';
import { systemStress } from './system-stress.ts';

export interface MarketWideBound extends InitialMarginBound {
  readonly state: MarketWideState | null;
  /** Undefined while nobody has looked at the accounts. */
  readonly systemState: MarketWideState | undefined;
  /** Something was known before and is not now: its last factor is kept. */
  readonly isHeld: boolean;
}

/** The bound by prices alone. */
type ByPrices = Omit<MarketWideBound, 'systemState'> & { readonly factor: number; readonly fault: string };

/**
 * Raises the initial margins of all markets by one factor: the larger of what prices ask for and, where somebody looks at
 * them, what accounts and their positions do.
 */
export function marketWideBound(
  initial: number,
  context: BoundContext,
  previous: Pick<BoundState, 'marketWide' | 'systemStress'>,
): MarketWideBound {
  const { factor: own, fault, ...byPrices } = boundByPrices(initial, context, previous.marketWide);
  const { policy, decidedAt } = context;
  const rules = policy.bounds.systemStress;
  const system = systemStress(context.systemStress, previous.systemStress, rules, decidedAt);
  if (system === null) return { ...byPrices, systemState: undefined };
  const factor = Math.max(own, system.factor);
  const raise = factor > 1 ? raisedBy(factor) : null;
  const evidence = byPrices.bound.available ? byPrices.bound.evidence : { missing: fault };
  return {
    bound: capBound('marketWide', raise === null ? null : 1 / raise(initial), {
      ...evidence,
      factor,
      ...system.evidence,
    }),
    raise,
    state: byPrices.state,
    systemState: system.state ?? undefined,
    isHeld: byPrices.isHeld || system.isHeld,
  };
}

/**
 * Raises the initial margins of all markets by one factor while they are in stress together: linear in the share of
 * markets in stress and in the size of their common move, whichever asks for more, up to the policy's cap.
 *
 * @param initial the market's initial margin rate at the reference notional.
 */
function boundByPrices(
  initial: number,
  { marketWide, policy, decidedAt }: BoundContext,
  previous: MarketWideState | null,
): ByPrices {
  const rules = policy.bounds.marketWide;
  const fault = marketWide === null ? 'nothing is known of the markets together' : faultOf(marketWide, rules);
  if (marketWide === null || fault !== '') {
    if (previous === null || previous.factor <= 1) {
      const bound = unavailableBound('marketWide', fault);
      return { bound, raise: null, state: previous, isHeld: previous !== null, factor: 1, fault };
    }
    const { factor } = previous;
    const raise = raisedBy(factor);
    const evidence = { factor, held: true, missing: fault, observedAt: previous.observedAt };
    const bound = capBound('marketWide', 1 / raise(initial), evidence);
    return { bound, raise, state: previous, isHeld: true, factor, fault };
  }
  const factor = marketWideFactor(marketWide, rules);
  const raise = factor > 1 ? raisedBy(factor) : null;
  const { stressedShare, commonShock, markets, source } = marketWide;
  return {
    bound: capBound('marketWide', raise === null ? null : 1 / raise(initial), {
      commonShock,
      factor,
      markets,
      source,
      stressedShare,
    }),
    raise,
    state: { factor, observedAt: decidedAt },
    isHeld: false,
    factor,
    fault,
  };
}

/** 1 + (maximum − 1) · the larger of how far the share and the common move are on their way. */
export function marketWideFactor(
  { stressedShare, commonShock }: Pick<MarketWideInput, 'stressedShare' | 'commonShock'>,
  rules: MarketWidePolicy,
): number {
  const byShare = way(stressedShare, rules.stressedShareFrom, rules.stressedShareTo);
  const byShock = way(Math.abs(commonShock), rules.commonShockFrom, rules.commonShockTo);
  return 1 + (rules.maximumFactor - 1) * Math.max(byShare, byShock);
}

function way(value: number, from: number, to: number): number {
  return Math.min(Math.max((value - from) / (to - from), 0), 1);
}

/** Larger moves of all markets in a day than this many standard deviations are faults of whoever computed them. */
const LARGEST_SHOCK = 1000;

function faultOf(
  { stressedShare, commonShock, markets }: MarketWideInput,
  { minimumMarkets }: MarketWidePolicy,
): string {
  if (!(stressedShare >= 0 && stressedShare <= 1)) return 'the share of markets in stress is no share';
  if (!(Math.abs(commonShock) <= LARGEST_SHOCK)) return 'the common move is no possible number';
  if (!(markets >= minimumMarkets)) {
    return `only ${markets} markets could be judged; ${minimumMarkets} are needed`;
  }
  return '';
}
