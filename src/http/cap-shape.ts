import type { z } from 'zod';
import { heldNotional, type Side } from '../accounts/account-view.ts';
import { type CapScope, largestNotionalAt, userCap, withOwn } from '../accounts/caps.ts';
import { expiredLimits } from '../accounts/expired-limits.ts';
import { type PositionLimits, positionLimits, tighterLimits } from '../accounts/position-limits.ts';
import { type ReduceOnly, reduceOnlyOf } from '../accounts/reduce-only.ts';
import { UNKNOWN_USER } from '../accounts/user-limits.ts';
import { isoTime } from '../clock.ts';
import type { UserPolicy } from '../control/ports.ts';
import type { Policy } from '../limits/policy.ts';
import type { MarketLimit } from '../limits/types.ts';
import { formatMoneyUp, formatWhole } from '../units.ts';
import type { UserAccounts } from './account-views.ts';
import type { RouteContext } from './routes.ts';
import type { capSchema, checkSchema } from './user-schemas.ts';

/** What one user may hold on either side of a market. */
export interface MarketScopes {
  readonly market: MarketLimit;
  readonly policy: Policy;
  readonly accounts: UserAccounts;
  readonly userChangedAt: number | null;
  readonly scopes: Readonly<Record<Side, CapScope>>;
  readonly limits: Readonly<Record<Side, PositionLimits>>;
}

/** @param hedge whether the account holds both sides apart; where it is left out, whether it holds both of any market. */
export function marketScopes(
  { reads, clock }: RouteContext,
  market: MarketLimit,
  user: UserPolicy | null,
  accounts: UserAccounts,
  hedge?: boolean,
): MarketScopes {
  const policy = reads.policy();
  const now = clock.now();
  const expired = expiredLimits(market.brackets, reads.currentBook()?.validUntil ?? 0, now);
  const netting = reads.netting();
  const isHedge = hedge ?? accounts.view?.isHedged ?? false;
  const { view, others: otherViews, limits: kept } = accounts;
  const limitsOf = (side: Side): PositionLimits => {
    const make = (): PositionLimits =>
      positionLimits({ market, side, policy, netting, isHedge, view, otherViews });
    const found = kept?.of(market, policy, netting, side, isHedge, make) ?? make();
    return expired.length === 0 ? found : { ...found, limits: [...found.limits, ...expired] };
  };
  const long = limitsOf('long');
  // Without an account both sides are held to the same.
  const short = accounts.view === null ? long : limitsOf('short');
  const common = withOwn({ brackets: market.brackets, user: user ?? UNKNOWN_USER, policy, now });
  return {
    market,
    policy,
    accounts,
    userChangedAt: user?.updatedAt ?? null,
    scopes: {
      long: { ...common, positionLimits: long.limits },
      short: { ...common, positionLimits: short.limits },
    },
    limits: { long, short },
  };
}

/**
 * @param notional of the whole position, in whole quote units rounded up; null for what the account holds.
 * @param side null for the one that the account holds, or else the tighter one.
 */
export function capShape(
  given: MarketScopes,
  notional: number | null,
  side: Side | null,
): z.infer<typeof capSchema> {
  const { market, policy, accounts, scopes, limits, userChangedAt } = given;
  const { view } = accounts;
  const held = (one: Side): number => (view === null ? 0 : heldNotional(view, market.symbol, one));
  const [long, short] = [held('long'), held('short')];
  const both = long > 0 === short > 0;
  const chosen = side ?? (both ? null : long > 0 ? 'long' : 'short');
  const applied = chosen === null ? tighterLimits(limits.long, limits.short) : limits[chosen];
  const scope = { ...scopes.long, positionLimits: applied.limits };
  const position = notional ?? Math.ceil(chosen === null ? Math.max(long, short) : held(chosen));
  const cap = userCap(scope, position);
  const largest = largestNotionalAt(scope, Math.max(cap.maxLeverage, 1));
  const reduceOnly = view === null ? null : reduceOnlyOf({ view, market, policy, userChangedAt, scopes });
  return {
    symbol: market.symbol,
    ...cap,
    reasons: [...cap.reasons],
    maxNotional: formatWhole(largest.notional),
    notionalReason: largest.reason,
    notes: [...applied.notes],
    reduceOnly: reduceOnlyShape(reduceOnly),
  };
}

export function reduceOnlyShape(found: ReduceOnly | null): z.infer<typeof checkSchema>['reduceOnly'] {
  if (found === null) return null;
  return {
    ...found,
    positionNotional: formatMoneyUp(found.positionNotional),
    allowedNotional: formatWhole(found.allowedNotional),
    reduceBy: found.reduceBy === null ? null : isoTime(found.reduceBy),
  };
}
