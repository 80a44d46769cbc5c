import { HOUR_MILLISECONDS, PPM, rateToPpmUp } from '../../units.ts';
import type { AssetClass, CrowdingPolicy } from '../bound-policy.ts';
import type { OpenInterestInput } from '../market-input.ts';
import type { CrowdingState } from '../types.ts';
import { type BoundContext, capBound, type InitialMarginBound, unavailableBound } from './bound.ts';

export interface CrowdingBound extends InitialMarginBound {
  readonly state: CrowdingState | null;
  /** Open interest was known before and is not now. */
  readonly isMissing: boolean;
}

/**
 * Initial margin that rises with open interest: unchanged up to the lower cap, all of the notional from the upper one
 * on, linear in between.
 *
 * @param initial the market's initial margin rate at the reference notional.
 * @param previous what the previous decision knew; it stands in while open interest is missing.
 */
export function crowdingBound(
  openInterest: OpenInterestInput | null,
  initial: number,
  assetClass: AssetClass,
  { policy, decidedAt }: BoundContext,
  previous: CrowdingState | null,
): CrowdingBound {
  const { crowdingLowerCap: lower, crowdingUpperCap: upper } = assetClass;
  const rules = policy.bounds.crowding;
  if (upper === 0) {
    const bound = unavailableBound('crowding', `class ${assetClass.name} has no open-interest caps`);
    return { bound, raise: null, state: null, isMissing: false };
  }
  const fault = faultOf(openInterest, previous, decidedAt, rules);
  const isKnown = openInterest !== null && fault === '';
  if (!isKnown && previous === null) {
    return { bound: unavailableBound('crowding', fault), raise: null, state: null, isMissing: false };
  }
  const state = isKnown
    ? { missingSince: null, observedAt: openInterest.observedAt, openInterest: openInterest.quoteNotional }
    : missing(previous as CrowdingState, decidedAt);
  const counted = countedOpenInterest(state, lower, upper, decidedAt, rules);
  const raise =
    counted > lower
      ? (rate: number): number =>
          Math.max(rate, crowdedMarginPpm(rateToPpmUp(rate), counted, lower, upper) / PPM)
      : null;
  const bound = capBound('crowding', raise === null ? null : 1 / raise(initial), {
    assetClass: assetClass.name,
    countedOpenInterest: counted,
    held: state.missingSince !== null,
    lowerCap: lower,
    missing: fault,
    observedAt: state.observedAt,
    openInterest: state.openInterest,
    upperCap: upper,
  });
  return { bound, raise, state, isMissing: state.missingSince !== null };
}

/**
 * dYdX v4: base up to the lower cap, all of it from the upper, else base + (1e6 − base) · (OI − lower) div
 * (upper − lower), in whole ppm.
 *
 * @param basePpm in [0, ∞); one above the whole notional stays as it is. @param openInterest, lower, upper whole units.
 */
export function crowdedMarginPpm(
  basePpm: number,
  openInterest: number,
  lower: number,
  upper: number,
): number {
  if (openInterest <= lower || basePpm >= PPM) return basePpm;
  if (openInterest >= upper) return PPM;
  const rise = (BigInt(PPM - basePpm) * BigInt(openInterest - lower)) / BigInt(upper - lower);
  return basePpm + Number(rise);
}

function missing(previous: CrowdingState, decidedAt: number): CrowdingState {
  return { ...previous, missingSince: previous.missingSince ?? decidedAt };
}

/** What is reckoned with: the last known, and once that is too old at least the policy's conservative share. */
function countedOpenInterest(
  { openInterest, missingSince }: CrowdingState,
  lower: number,
  upper: number,
  decidedAt: number,
  rules: CrowdingPolicy,
): number {
  const known = Math.ceil(openInterest);
  if (missingSince === null || decidedAt - missingSince < rules.holdHours * HOUR_MILLISECONDS) return known;
  return Math.max(known, Math.ceil(lower + rules.conservativeShare * (upper - lower)));
}

/** More than this is open nowhere. */
const LARGEST_OPEN_INTEREST = 1e15;
/** A fall to less than this share of what was open is taken for another unit or half a table, not for a fall. */
const LARGEST_FALL = 0.1;

/** Whether a market can have it, in units of the quote asset; not for NaN, and not for none at all. */
export function isPossibleOpenInterest(quoteNotional: number): boolean {
  return quoteNotional > 0 && quoteNotional <= LARGEST_OPEN_INTEREST;
}

function faultOf(
  openInterest: OpenInterestInput | null,
  previous: CrowdingState | null,
  decidedAt: number,
  rules: CrowdingPolicy,
): string {
  if (openInterest === null) return 'no open interest is known';
  const { quoteNotional, observedAt } = openInterest;
  if (!isPossibleOpenInterest(quoteNotional)) return 'the open interest is no possible number';
  if (!(observedAt <= decidedAt)) return 'the open interest is from the future';
  const ageHours = (decidedAt - observedAt) / HOUR_MILLISECONDS;
  if (ageHours > rules.staleAfterHours) return `the open interest is ${Math.round(ageHours)} hours old`;
  const since = previous?.missingSince ?? decidedAt;
  const isRemembered = previous !== null && decidedAt - since < rules.holdHours * HOUR_MILLISECONDS;
  if (isRemembered && quoteNotional < LARGEST_FALL * previous.openInterest) {
    return `the open interest fell to less than a tenth of ${previous.openInterest} at once`;
  }
  return '';
}
