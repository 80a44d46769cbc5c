import { PlimsollError } from '../errors.ts';
import { bracketFor } from '../limits/brackets.ts';
import type { Policy } from '../limits/policy.ts';
import type { Bracket } from '../limits/types.ts';
import { DAY_MILLISECONDS, leverageToMarginPpmUp, PPM } from '../units.ts';

/** What is known about a user, as far as it limits leverage. */
export interface UserLimits {
  /** The house's limit for this user; null for none. */
  readonly maxLeverage: number | null;
  /** Epoch milliseconds; null where unknown. */
  readonly accountCreatedAt: number | null;
  /** The least initial margin rate that the user wants to be held to; null for none. */
  readonly ownInitialMarginRatePpm: number | null;
}

/** A user of whom nothing is known: no limits of their own, and an account that counts as new. */
export const UNKNOWN_USER: UserLimits = {
  maxLeverage: null,
  accountCreatedAt: null,
  ownInitialMarginRatePpm: null,
};

export const CAP_REASONS = [
  'BRACKET',
  'HOUSE_LIMIT',
  'NEW_ACCOUNT',
  'ACCOUNT_AGE_UNKNOWN',
  'OWN_CHOICE',
  'NOTIONAL_ABOVE_LAST_BRACKET',
] as const;
export type CapReason = (typeof CAP_REASONS)[number];

/** The most leverage that a user may carry at one notional of one market. */
export interface UserCap {
  /** 0 where the position is refused; at least 1 otherwise. Rounded down to hundredths where a margin rate gave it. */
  readonly maxLeverage: number;
  /** Exact: what has to be put up at the cap. */
  readonly initialMarginRatePpm: number;
  readonly bindingReason: CapReason;
  /** Every limit that applies to the user, whether it binds or not; the tightest first. */
  readonly reasons: readonly CapReason[];
}

interface Limit {
  readonly reason: CapReason;
  readonly leverage: number;
  readonly initialMarginRatePpm: number;
}

/**
 * The user's cap: the lowest of the bracket at the resulting notional, the house's limit, the limit of new accounts and
 * the user's own choice. Limits are compared as margin rates in whole ppm, so equal ones are equal.
 *
 * @param notional of the whole position after the order, in whole quote units rounded up (bracket edges are whole, so
 *   nothing is lost by it); at least 0.
 * @param now epoch milliseconds.
 */
export function userCap(
  brackets: readonly Bracket[],
  notional: number,
  user: UserLimits,
  policy: Policy,
  now: number,
): UserCap {
  if (!(notional >= 0)) throw invalid(`a notional of ${notional}`, 'Give a notional of at least 0.');
  const bracket = bracketFor(brackets, notional);
  if (bracket === null) {
    return {
      maxLeverage: 0,
      initialMarginRatePpm: PPM,
      bindingReason: 'NOTIONAL_ABOVE_LAST_BRACKET',
      reasons: ['NOTIONAL_ABOVE_LAST_BRACKET'],
    };
  }
  const limits = [leverageLimit('BRACKET', bracket.maxLeverage), ...personalLimits(user, policy, now)];
  // The sort is stable: of equal limits the market's own comes first.
  limits.sort((a, b) => b.initialMarginRatePpm - a.initialMarginRatePpm);
  return {
    maxLeverage: limits[0].leverage,
    initialMarginRatePpm: limits[0].initialMarginRatePpm,
    bindingReason: limits[0].reason,
    reasons: limits.map((limit) => limit.reason),
  };
}

/** The limits that hold for the user in every market and at every notional. */
function personalLimits(user: UserLimits, policy: Policy, now: number): Limit[] {
  const limits: Limit[] = [];
  if (user.maxLeverage !== null) limits.push(leverageLimit('HOUSE_LIMIT', user.maxLeverage));
  if (user.accountCreatedAt === null) {
    limits.push(leverageLimit('ACCOUNT_AGE_UNKNOWN', policy.newAccountMaximumLeverage));
  } else if (!(now - user.accountCreatedAt >= policy.newAccountDays * DAY_MILLISECONDS)) {
    limits.push(leverageLimit('NEW_ACCOUNT', policy.newAccountMaximumLeverage));
  }
  if (user.ownInitialMarginRatePpm !== null) limits.push(rateLimit(user.ownInitialMarginRatePpm));
  return limits;
}

/** A limit that is not a number of at least 1 counts as 1: what cannot be read grants least. */
function leverageLimit(reason: CapReason, leverage: number): Limit {
  const granted = leverage >= 1 ? leverage : 1;
  return { reason, leverage: granted, initialMarginRatePpm: leverageToMarginPpmUp(granted) };
}

function rateLimit(ratePpm: number): Limit {
  const rate = ratePpm >= 1 && ratePpm <= PPM ? Math.ceil(ratePpm) : PPM;
  // Hundredths, down: a leverage that is shown must not ask for less margin than the rate it stands for.
  return { reason: 'OWN_CHOICE', leverage: Math.floor((PPM * 100) / rate) / 100, initialMarginRatePpm: rate };
}

export interface Order {
  /** Of the whole position after the order, in whole quote units rounded up. */
  readonly notional: number;
  readonly leverage: number;
}

/** The answer to a pre-trade check. Each clamp makes the order allowed on its own, the other value left as it was. */
export interface OrderCheck {
  readonly allowed: boolean;
  /** At the order's notional; 0 where the notional is refused at any leverage. */
  readonly maxLeverage: number;
  /** At the order's leverage, in whole quote units; 0 where that leverage is refused at any notional. */
  readonly maxNotional: number;
  readonly clampedLeverage: number;
  readonly clampedNotional: number;
  /** Why it is not allowed as it is; empty where it is allowed. */
  readonly reasons: readonly CapReason[];
}

/** Checks an order against the user's cap. */
export function checkOrder(
  brackets: readonly Bracket[],
  order: Order,
  user: UserLimits,
  policy: Policy,
  now: number,
): OrderCheck {
  if (!(order.leverage >= 1 && order.leverage < Number.POSITIVE_INFINITY)) {
    throw invalid(`a leverage of ${order.leverage}`, 'Give a leverage of at least 1.');
  }
  const { maxLeverage } = userCap(brackets, order.notional, user, policy, now);
  const maxNotional = largestNotionalAt(brackets, order.leverage, personalLimits(user, policy, now));
  const allowed = order.leverage <= maxLeverage;
  return {
    allowed,
    maxLeverage,
    maxNotional,
    clampedLeverage: Math.min(order.leverage, maxLeverage),
    clampedNotional: Math.min(order.notional, maxNotional),
    reasons: allowed ? [] : reasonsAgainst(brackets, order, personalLimits(user, policy, now)),
  };
}

function largestNotionalAt(
  brackets: readonly Bracket[],
  leverage: number,
  personal: readonly Limit[],
): number {
  if (personal.some((limit) => leverage > limit.leverage)) return 0;
  // Leverage falls from bracket to bracket, so the last one that allows it has the largest cap.
  return brackets.findLast((bracket) => leverage <= bracket.maxLeverage)?.notionalCap ?? 0;
}

/** Every limit that the order breaks, the market's own first. */
function reasonsAgainst(
  brackets: readonly Bracket[],
  order: Order,
  personal: readonly Limit[],
): readonly CapReason[] {
  const bracket = bracketFor(brackets, order.notional);
  const broken: CapReason[] = [];
  if (bracket === null) broken.push('NOTIONAL_ABOVE_LAST_BRACKET');
  else if (order.leverage > bracket.maxLeverage) broken.push('BRACKET');
  for (const limit of personal) if (order.leverage > limit.leverage) broken.push(limit.reason);
  return broken;
}

function invalid(what: string, remedy: string): PlimsollError {
  return new PlimsollError('INPUT_INVALID', `${what} cannot be checked`, { remedy });
}
