import type { z } from 'zod';
import { checkAccountOrder } from '../accounts/account-check.ts';
import type { AccountView } from '../accounts/account-view.ts';
import { checkOrder } from '../accounts/caps.ts';
import { maintenanceMargin } from '../accounts/margin/table.ts';
import { orderNumbers } from '../accounts/order-numbers.ts';
import { formatMoneyDown, formatMoneyUp, formatPrice, formatWhole } from '../units.ts';
import { wholeNotional } from './books.ts';
import { type MarketScopes, reduceOnlyShape } from './cap-shape.ts';
import { refuse } from './problem.ts';
import { publishedTables } from './published-market.ts';
import type { checkInputSchema, checkSchema } from './user-schemas.ts';

type Order = z.infer<typeof checkInputSchema>;
type Check = Omit<z.infer<typeof checkSchema>, 'version' | 'degraded'>;

/** The answer to a check, from the positions of an account or, where none is known, from the order alone. */
export function checkShape(given: MarketScopes, order: Order): Check {
  const { view } = given.accounts;
  return view === null ? plainCheck(given, order) : accountCheck(given, view, order);
}

/** The notional is that of the whole position after the order. */
function plainCheck({ market, scopes, limits }: MarketScopes, order: Order): Check {
  const { side, leverage } = order;
  const whole = wholeNotional(order.notional);
  const check = checkOrder(scopes[side], { notional: whole, leverage });
  // Whoever matches orders vouches for it: what only reduces holds nothing more.
  const isReducing = order.reduceOnly === true;
  const notional = Number(order.notional);
  return {
    allowed: check.allowed || isReducing,
    maxLeverage: check.maxLeverage,
    maxNotional: formatWhole(check.maxNotional),
    clampedLeverage: isReducing ? leverage : check.clampedLeverage,
    clampedNotional:
      !isReducing && check.clampedNotional < whole ? formatWhole(check.clampedNotional) : order.notional,
    reasons: isReducing ? [] : [...check.reasons],
    bindingReason: check.cap.bindingReason,
    nextReason: check.cap.nextReason,
    nextMaxLeverage: check.cap.nextMaxLeverage,
    initialMarginRatePpm: check.cap.initialMarginRatePpm,
    accountId: null,
    resultingSide: side,
    resultingNotional: order.notional,
    initialMargin: isReducing ? '0' : formatMoneyUp(notional / leverage),
    availableBalance: null,
    isMarginEnough: null,
    maintenanceMargin: formatMoneyUp(maintenanceMargin(publishedTables(market).maintenance, notional)),
    liquidationPrice: null,
    reduceOnly: null,
    notes: [...limits[side].notes],
  };
}

function accountCheck(given: MarketScopes, view: AccountView, order: Order): Check {
  const { market, policy, scopes, limits, userChangedAt } = given;
  const { side, leverage } = order;
  const price = order.price === undefined ? null : priceOf(order.price);
  const check = checkAccountOrder(
    { view, market, policy, userChangedAt, scopes },
    {
      side,
      notional: Number(order.notional),
      wholeNotional: wholeNotional(order.notional),
      leverage,
      reduceOnly: order.reduceOnly === true,
      isHedge: order.hedge ?? view.isHedged,
    },
  );
  const { effect, cap } = check;
  const numbers = orderNumbers(view, { symbol: market.symbol, side, leverage, price, effect }, policy);
  const { initialMargin, availableBalance, maintenanceMargin: maintenance, liquidationPrice } = numbers;
  const isUnchanged = check.clampedNotional === Number(order.notional);
  return {
    allowed: check.allowed,
    maxLeverage: check.maxLeverage,
    maxNotional: formatWhole(check.maxNotional),
    clampedLeverage: check.clampedLeverage,
    clampedNotional: isUnchanged ? order.notional : formatMoneyDown(check.clampedNotional),
    reasons: [...check.reasons],
    bindingReason: cap.bindingReason,
    nextReason: cap.nextReason,
    nextMaxLeverage: cap.nextMaxLeverage,
    initialMarginRatePpm: cap.initialMarginRatePpm,
    accountId: view.account.accountId,
    resultingSide: effect.resultingSide,
    resultingNotional: formatMoneyUp(effect.resultingNotional),
    initialMargin: initialMargin === null ? null : formatMoneyUp(initialMargin),
    availableBalance: availableBalance === null ? null : formatMoneyDown(availableBalance),
    isMarginEnough:
      initialMargin === null || availableBalance === null ? null : initialMargin <= availableBalance,
    maintenanceMargin: maintenance === null ? null : formatMoneyUp(maintenance),
    liquidationPrice: liquidationPrice === null ? null : formatPrice(liquidationPrice),
    reduceOnly: reduceOnlyShape(check.reduceOnly),
    notes: [...limits[effect.resultingSide].notes],
  };
}

function priceOf(text: string): number {
  const price = Number(text);
  if (price > 0) return price;
  throw refuse('INPUT_INVALID', 'a price of 0 is none', 'Give one above 0, or leave it out.');
}
