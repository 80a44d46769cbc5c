import { type AccountView, heldNotional, type Side } from './account-view.ts';
import { type CapScope, checkOrder, type OrderCheck, requireLeverage, userCap } from './caps.ts';
import { nothingToReduce, type ReduceOnly, type ReduceOnlyQuestion, reduceOnlyOf } from './reduce-only.ts';

/** An order of an account whose positions are known. */
export interface AccountOrder {
  readonly side: Side;
  /** Of the order, in quote units. */
  readonly notional: number;
  /** The same in whole units, rounded up from the exact decimal. */
  readonly wholeNotional: number;
  readonly leverage: number;
  /** Only what reduces is wanted; what is beyond the position does not count. */
  readonly reduceOnly: boolean;
  /** The account holds both sides of a market apart. */
  readonly isHedge: boolean;
}

/** What an order does to what is held. In quote units. */
export interface OrderEffect {
  /** Taken off the position on the other side. */
  readonly reducedNotional: number;
  /** Added on the order's own side. */
  readonly addedNotional: number;
  /** Of the position that is left on the side that the order works on. */
  readonly resultingSide: Side;
  readonly resultingNotional: number;
}

export interface AccountCheck extends Omit<OrderCheck, 'clampedNotional'> {
  readonly effect: OrderEffect;
  /** Of the order, in quote units. */
  readonly clampedNotional: number;
  /** Null where the account may add. */
  readonly reduceOnly: ReduceOnly | null;
}

/** Marks and sums are float64: an order this near to the position closes it. */
const CLOSING_TOLERANCE = 1e-9;

/**
 * What becomes of a position. An order on the side of a position adds to it. One on the other side reduces it first, and opens the other
 * side with what is left; of an account in hedge mode it opens or adds to that side's own leg, unless it is reduce-only.
 */
export function orderEffect(view: AccountView, symbol: string, order: AccountOrder): OrderEffect {
  const { side, notional, reduceOnly, isHedge } = order;
  const otherSide: Side = side === 'long' ? 'short' : 'long';
  const own = heldNotional(view, symbol, side);
  const opposite = heldNotional(view, symbol, otherSide);
  const mayReduce = reduceOnly || !isHedge;
  const isClosing = Math.abs(notional - opposite) <= opposite * CLOSING_TOLERANCE;
  const reducedNotional = !mayReduce ? 0 : isClosing ? opposite : Math.min(notional, opposite);
  const left = isClosing && mayReduce ? 0 : notional - reducedNotional;
  const addedNotional = reduceOnly ? 0 : Math.max(left, 0);
  const isReduced = reducedNotional > 0 && addedNotional === 0;
  return {
    reducedNotional,
    addedNotional,
    resultingSide: isReduced ? otherSide : side,
    resultingNotional: isReduced ? opposite - reducedNotional : own + addedNotional,
  };
}

export interface AccountQuestion extends ReduceOnlyQuestion {
  readonly scopes: Readonly<Record<Side, CapScope>>;
}

/**
 * Checks an order against what the account may hold after it. What only reduces is allowed, whatever the caps, the margin and
 * the market. Each clamp makes an order allowed on its own; a clamped notional is one of the order.
 *
 * Positions are float64 at their marks and count up to whole quote units, as notionals do.
 */
export function checkAccountOrder(question: AccountQuestion, order: AccountOrder): AccountCheck {
  requireLeverage(order.leverage);
  const { view, market, scopes } = question;
  const effect = orderEffect(view, market.symbol, order);
  const { reducedNotional, addedNotional, resultingSide, resultingNotional } = effect;
  const scope = scopes[resultingSide];
  const whole = Math.ceil(resultingNotional);
  const unchanged = { clampedLeverage: order.leverage, clampedNotional: order.notional };
  const reduceOnly = reduceOnlyOf(question);
  if (reducedNotional > 0 && addedNotional === 0) {
    const { maxLeverage, maxNotional, cap } = checkOrder(scope, {
      notional: whole,
      leverage: order.leverage,
    });
    return { allowed: true, maxLeverage, maxNotional, ...unchanged, reasons: [], cap, effect, reduceOnly };
  }
  const refused = (why: ReduceOnly, clampedNotional: number): AccountCheck => ({
    allowed: false,
    maxLeverage: 0,
    maxNotional: 0,
    clampedLeverage: 0,
    clampedNotional: Math.min(clampedNotional, order.notional),
    reasons: ['REDUCE_ONLY'],
    cap: userCap(scope, whole),
    effect,
    reduceOnly: why,
  });
  if (order.reduceOnly) return refused(nothingToReduce(view, order.side), 0);
  // What reduces is all that is left of an order that turns a position around.
  if (reduceOnly !== null) return refused(reduceOnly, reducedNotional);
  const before = resultingNotional - addedNotional;
  const exact = reducedNotional === 0 ? order.wholeNotional : 0;
  const check = checkOrder(scope, { notional: Math.max(whole, exact), leverage: order.leverage });
  const most = Math.max(check.maxNotional - Math.ceil(before), 0) + Math.floor(reducedNotional);
  return {
    ...check,
    clampedNotional: check.allowed ? order.notional : Math.min(order.notional, most),
    effect,
    reduceOnly,
  };
}
