import { largestNotionalAt, userCap } from '../../accounts/caps.ts';
import { UNKNOWN_USER, type UserLimits } from '../../accounts/user-limits.ts';
import type { Policy } from '../../limits/policy.ts';
import { countingCoefMicros, scaledBrackets } from '../../limits/scale.ts';
import type { Bracket } from '../../limits/types.ts';
import { formatWhole } from '../../units.ts';
import type { RouteContext, RouteInput } from '../routes.ts';

/**
 * What is known of the user whose key a request carries: the one of the same name as the key.
 *
 * @returns null where reads need no key: nobody can be told from anybody there, so all see the default.
 */
export function userOf({ reads }: RouteContext, { caller }: RouteInput): UserLimits | null {
  return caller === null ? null : (reads.userNow(caller.name) ?? UNKNOWN_USER);
}

export interface UserTable {
  readonly brackets: readonly Bracket[];
  /** By which the market's own were scaled; null where these are they. */
  readonly coefMicros: number | null;
}

/** A market's brackets as they count for a user. */
export function userTable(brackets: readonly Bracket[], user: UserLimits | null, policy: Policy): UserTable {
  const given = user?.notionalCoefMicros ?? null;
  if (given === null) return { brackets, coefMicros: null };
  const own = scaledBrackets(brackets, given, policy);
  return {
    brackets: own,
    coefMicros: own === brackets ? null : countingCoefMicros(brackets, given, policy),
  };
}

/**
 * The most that a user may have of a market: the leverage of the smallest position, and the notional up to which that
 * goes. Exchanges have a field for the leverage that a user has set; Plimsoll says what could be set at most. What the
 * user's positions leave is not in it, as it is in no such setting: pre-trade checks tell.
 */
export function mostOf(
  { reads, clock }: RouteContext,
  brackets: readonly Bracket[],
  user: UserLimits | null,
): { readonly leverage: number; readonly notional: string } {
  if (user === null) {
    const [{ maxLeverage, notionalCap }] = brackets;
    return { leverage: maxLeverage, notional: formatWhole(notionalCap) };
  }
  const scope = { brackets, user, policy: reads.policy(), now: clock.now() };
  const leverage = userCap(scope, 0).maxLeverage;
  return { leverage, notional: formatWhole(largestNotionalAt(scope, leverage).notional) };
}
