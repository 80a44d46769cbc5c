import { PlimsollError } from '../errors.ts';
import { bracketFor, maxLeverageAt } from '../limits/brackets.ts';
import type { Policy } from '../limits/policy.ts';
import { scaledBrackets } from '../limits/scale.ts';
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
  /** The market's brackets are scaled by so many millionths for this user; null for not at all. */
  readonly notionalCoefMicros: number | null;
}

/** A user of whom nothing is known: no limits of their own, and an account that counts as new. */
export const UNKNOWN_USER: UserLimits = {
  maxLeverage: null,
  accountCreatedAt: null,
  ownInitialMarginRatePpm: null,
  notionalCoefMicros: null,
};

export const CAP_REASONS = [
  'BRACKET',
  'NOTIONAL_COEF',
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

/** The market's brackets as they count for the user. */
function userBrackets(
  brackets: readonly Bracket[],
  { notionalCoefMicros }: UserLimits,
  policy: Policy,
): readonly Bracket[] {
  if (notionalCoefMicros === null) return brackets;
  // What cannot be read grants least.
  const isCoef = Number.isSafeInteger(notionalCoefMicros) && notionalCoefMicros > 0;
  return scaledBrackets(brackets, isCoef ? notionalCoefMicros : 1, policy);
}

/**
 * The user's cap: the lowest of the user's bracket at the resulting notional, the house's limit, the limit of new accounts and
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
  const own = userBrackets(brackets, user, policy);
  const bracket = bracketFor(own, notional);
  const reason = scheduleReason(brackets, own, notional);
  if (bracket === null) {
    return { maxLeverage: 0, initialMarginRatePpm: PPM, bindingReason: reason, reasons: [reason] };
  }
  const limits = [leverageLimit(reason, bracket.maxLeverage), ...personalLimits(user, policy, now)];
  // The sort is stable: of equal limits the market's own comes first.
  limits.sort((a, b) => b.initialMarginRatePpm - a.initialMarginRatePpm);
  return {
    // Of two limits of nearly the same margin rate, the one that was rounded down may be the lower leverage.
    maxLeverage: Math.min(...limits.map(({ leverage }) => leverage)),
    initialMarginRatePpm: limits[0].initialMarginRatePpm,
    bindingReason: limits[0].reason,
    reasons: limits.map((limit) => limit.reason),
  };
}

/** Whether it is the market's schedule that limits at a notional, or the coefficient by which it counts less. */
function scheduleReason(market: readonly Bracket[], own: readonly Bracket[], notional: number): CapReason {
  if (maxLeverageAt(own, notional) < maxLeverageAt(market, notional)) return 'NOTIONAL_COEF';
  return bracketFor(own, notional) === null ? 'NOTIONAL_ABOVE_LAST_BRACKET' : 'BRACKET';
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
  const personal = personalLimits(user, policy, now);
  const own = userBrackets(brackets, user, policy);
  const maxNotional = largestNotionalAt(own, order.leverage, personal);
  const allowed = order.leverage <= maxLeverage;
  return {
    allowed,
    maxLeverage,
    maxNotional,
    clampedLeverage: Math.min(order.leverage, maxLeverage),
    clampedNotional: Math.min(order.notional, maxNotional),
    reasons: allowed
      ? []
      : reasonsAgainst(
          order,
          maxLeverageAt(own, order.notional),
          scheduleReason(brackets, own, order.notional),
          personal,
        ),
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

/** Every limit that the order breaks, that of the schedule first. */
function reasonsAgainst(
  order: Order,
  scheduleLeverage: number,
  scheduleReason: CapReason,
  personal: readonly Limit[],
): readonly CapReason[] {
  const broken: CapReason[] = order.leverage > scheduleLeverage ? [scheduleReason] : [];
  for (const limit of personal) if (order.leverage > limit.leverage) broken.push(limit.reason);
  return broken;
}

function invalid(what: string, remedy: string): PlimsollError {
  return new PlimsollError('INPUT_INVALID', `${what} cannot be checked`, { remedy });
}
