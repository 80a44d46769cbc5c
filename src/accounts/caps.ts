import { PlimsollError } from '../errors.ts';
import { bracketFor, largestNotionalOf, maxLeverageAt } from '../limits/brackets.ts';
import { scaledBrackets } from '../limits/scale.ts';
import type { Bracket } from '../limits/types.ts';
import { PPM } from '../units.ts';
import {
  type CapPolicy,
  type CapReason,
  type Limit,
  leverageLimit,
  personalLimits,
  type UserLimits,
} from './user-limits.ts';

/** What limits a user in one market. */
export interface CapScope {
  /** The market's. */
  readonly brackets: readonly Bracket[];
  /** The same as they count for the user, and the limits that hold for the user everywhere, where they were made before: see `withOwn`. */
  readonly ownBrackets?: readonly Bracket[];
  readonly ownLimits?: readonly Limit[];
  readonly user: UserLimits;
  readonly policy: CapPolicy;
  /** Epoch milliseconds. */
  readonly now: number;
  /** What the user's positions leave, and what the market bears; see `position-limits.ts`. */
  readonly positionLimits?: readonly Limit[];
}

/** The most leverage that a user may carry at one notional of one market. */
export interface UserCap {
  /** 0 where the position is refused; at least 1 otherwise. Rounded down to hundredths where a margin rate gave it. */
  readonly maxLeverage: number;
  /** Exact: what has to be put up at the cap. */
  readonly initialMarginRatePpm: number;
  readonly bindingReason: CapReason;
  /** What would bind without that, and the leverage then; null where nothing else limits. */
  readonly nextReason: CapReason | null;
  readonly nextMaxLeverage: number | null;
  /** Every limit that applies at the notional, whether it binds or not, the tightest first; those that refuse where one does. */
  readonly reasons: readonly CapReason[];
}

/** A limit at one notional. */
export interface Applied {
  readonly reason: CapReason;
  /** 0 where it refuses; infinite where it does not limit. */
  readonly leverage: number;
  readonly initialMarginRatePpm: number;
}

/**
 * The user's cap: the lowest of the user's bracket at the resulting notional, the limits of the house, of new accounts, of
 * experience and of the user's own choice, and of what the user's positions leave. Limits are compared as margin rates in
 * whole ppm, so equal ones are equal; of equal ones the market's own comes first.
 *
 * @param notional of the whole position after the order, in whole quote units rounded up (bracket edges are whole, so
 *   nothing is lost by it); at least 0.
 */
export function userCap(scope: CapScope, notional: number): UserCap {
  if (!(notional >= 0)) throw invalid(`a notional of ${notional}`, 'Give a notional of at least 0.');
  const limits: Applied[] = [];
  for (const limit of limitsAt(scope, notional))
    if (limit.leverage < Number.POSITIVE_INFINITY) insertByRank(limits, limit);
  const [binding, next] = limits;
  const refusing = limits.filter(({ leverage }) => leverage === 0);
  let rest = Number.POSITIVE_INFINITY;
  for (let i = 1; i < limits.length; i++) rest = Math.min(rest, limits[i].leverage);
  return {
    // Of two limits of nearly the same margin rate, the one that was rounded down may be the lower leverage.
    maxLeverage: Math.min(binding.leverage, rest),
    initialMarginRatePpm: Math.min(binding.initialMarginRatePpm, PPM),
    bindingReason: binding.reason,
    nextReason: next?.reason ?? null,
    nextMaxLeverage: next === undefined ? null : rest,
    reasons: (refusing.length > 0 ? refusing : limits).map((limit) => limit.reason),
  };
}

/** Behind all that rank as high: of equal ones the first stays first. */
function insertByRank(limits: Applied[], limit: Applied): void {
  const own = rank(limit);
  let at = limits.length;
  limits.push(limit);
  for (; at > 0 && rank(limits[at - 1]) < own; at--) limits[at] = limits[at - 1];
  limits[at] = limit;
}

/** What refuses is beyond every margin rate. */
function rank({ leverage, initialMarginRatePpm }: Applied): number {
  return leverage === 0 ? PPM + 1 : initialMarginRatePpm;
}

/** Every limit at a notional, the schedule first. */
export function limitsAt(scope: CapScope, notional: number): Applied[] {
  const own = userBrackets(scope);
  const reason = scheduleReason(scope.brackets, own, notional);
  const bracket = bracketFor(own, notional);
  const schedule =
    bracket === null
      ? { reason, leverage: 0, initialMarginRatePpm: PPM }
      : leverageLimit(reason, bracket.maxLeverage);
  return [schedule, ...otherLimits(scope).map((limit) => applied(limit, notional))];
}

function applied(
  { reason, leverage, initialMarginRatePpm, largestNotional }: Limit,
  notional: number,
): Applied {
  return notional > largestNotional
    ? { reason, leverage: 0, initialMarginRatePpm: PPM }
    : { reason, leverage, initialMarginRatePpm };
}

/** The notionals, rising, between which and up to which nothing about a user's cap changes; above the last nothing does either. */
export function capEdges(scope: CapScope): readonly number[] {
  const edges = [
    ...[...scope.brackets, ...userBrackets(scope)].map(({ notionalCap }) => notionalCap),
    ...otherLimits(scope).map(({ largestNotional }) => largestNotional),
  ];
  return [...new Set(edges.filter(Number.isFinite))].sort((a, b) => a - b);
}

/** All but the schedule. */
function otherLimits(scope: CapScope): readonly Limit[] {
  const { user, policy, now, ownLimits, positionLimits = [] } = scope;
  return [...(ownLimits ?? personalLimits(user, policy, now)), ...positionLimits];
}

/** The same scope for several questions: what is the user's own is made once. */
export function withOwn(scope: CapScope): CapScope {
  const { user, policy, now } = scope;
  return { ...scope, ownBrackets: userBrackets(scope), ownLimits: personalLimits(user, policy, now) };
}

/** The market's brackets as they count for the user. */
function userBrackets(scope: CapScope): readonly Bracket[] {
  const {
    brackets,
    ownBrackets,
    user: { notionalCoefMicros },
    policy,
  } = scope;
  if (ownBrackets !== undefined) return ownBrackets;
  if (notionalCoefMicros === null) return brackets;
  // What cannot be read grants least.
  const isCoef = Number.isSafeInteger(notionalCoefMicros) && notionalCoefMicros > 0;
  return scaledBrackets(brackets, isCoef ? notionalCoefMicros : 1, policy);
}

/** Whether it is the market's schedule that limits at a notional, or the coefficient by which it counts less. */
function scheduleReason(market: readonly Bracket[], own: readonly Bracket[], notional: number): CapReason {
  if (maxLeverageAt(own, notional) < maxLeverageAt(market, notional)) return 'NOTIONAL_COEF';
  return bracketFor(own, notional) === null ? 'NOTIONAL_ABOVE_LAST_BRACKET' : 'BRACKET';
}

export interface LargestNotional {
  /** Whole quote units; 0 where the leverage is refused at any notional. */
  readonly notional: number;
  /** What ends it there. */
  readonly reason: CapReason;
}

/** The largest position that a leverage may have. */
export function largestNotionalAt(scope: CapScope, leverage: number): LargestNotional {
  const own = userBrackets(scope);
  // Leverage falls from bracket to bracket, so the last one that allows it has the largest cap.
  const last = own.findLast((bracket) => leverage <= bracket.maxLeverage);
  const found = last?.notionalCap ?? 0;
  const isOfMarket = found >= (scope.brackets.findLast((b) => leverage <= b.maxLeverage)?.notionalCap ?? 0);
  const atEnd = found === largestNotionalOf(own) ? 'NOTIONAL_ABOVE_LAST_BRACKET' : 'BRACKET';
  let largest: LargestNotional = { notional: found, reason: isOfMarket ? atEnd : 'NOTIONAL_COEF' };
  for (const limit of otherLimits(scope)) {
    const notional = leverage > limit.leverage ? 0 : limit.largestNotional;
    if (notional < largest.notional) largest = { notional, reason: limit.reason };
  }
  return largest;
}

/**
 * The largest position that fits an equity: its notional is at most the equity times its cap. Between the edges of brackets
 * caps are constant, so the edges and what the equity reaches within them tell all.
 *
 * @param equity in quote units. @returns whole quote units; 0 without equity.
 */
export function fittingNotional(scope: CapScope, equity: number): number {
  if (!(equity > 0)) return 0;
  let [leverage, largest] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
  for (const limit of otherLimits(scope)) {
    leverage = Math.min(leverage, limit.leverage);
    largest = Math.min(largest, limit.largestNotional);
  }
  let fits = 0;
  for (const { notionalFloor, notionalCap, maxLeverage } of userBrackets(scope)) {
    const reached = Math.min(notionalCap, largest, Math.floor(equity * Math.min(leverage, maxLeverage)));
    if (reached > notionalFloor) fits = reached;
  }
  return fits;
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
  /** At the order's notional. */
  readonly cap: UserCap;
}

/** Checks an order against the user's cap. */
export function checkOrder(scope: CapScope, order: Order): OrderCheck {
  requireLeverage(order.leverage);
  const cap = userCap(scope, order.notional);
  const maxNotional = largestNotionalAt(scope, order.leverage).notional;
  const allowed = order.leverage <= cap.maxLeverage;
  return {
    allowed,
    maxLeverage: cap.maxLeverage,
    maxNotional,
    clampedLeverage: Math.min(order.leverage, cap.maxLeverage),
    clampedNotional: Math.min(order.notional, maxNotional),
    // Every limit that the order breaks, that of the schedule first.
    reasons: allowed ? [] : brokenLimits(limitsAt(scope, order.notional), order.leverage),
    cap,
  };
}

/** Why a leverage is not allowed, by the limits at its notional. */
export function brokenLimits(limits: readonly Applied[], leverage: number): CapReason[] {
  return limits.filter((limit) => leverage > limit.leverage).map(({ reason }) => reason);
}

/** @throws PlimsollError INPUT_INVALID for a leverage below 1 or none. */
export function requireLeverage(leverage: number): void {
  if (!(leverage >= 1 && leverage < Number.POSITIVE_INFINITY))
    throw invalid(`a leverage of ${leverage}`, 'Give a leverage of at least 1.');
}

function invalid(what: string, remedy: string): PlimsollError {
  return new PlimsollError('INPUT_INVALID', `${what} cannot be checked`, { remedy });
}
