import type { Policy } from '../limits/policy.ts';
import type { OrderEffect } from './account-check.ts';
import type { AccountView, Side } from './account-view.ts';
import { type MarginAccount, type MarginPosition, marginUnits, sideOf } from './margin/account.ts';
import { quantityOf, settlementPerQuote } from './margin/contract.ts';
import { criticalPrices } from './margin/liquidation.ts';
import { measureUnit } from './margin/measure.ts';

/** What an order form shows beside the answer. Money is in the account's settlement asset; null where a mark is missing. */
export interface OrderNumbers {
  /** What the order has to put up at its leverage for what it adds; 0 where it only reduces. */
  readonly initialMargin: number | null;
  /** What the account's shared margin has beyond its initial margin, before the order. */
  readonly availableBalance: number | null;
  /** Of everything that shares margin with the position, after the order. */
  readonly maintenanceMargin: number | null;
  /** Null also where there is none. */
  readonly liquidationPrice: number | null;
}

export interface NumberedOrder {
  readonly symbol: string;
  readonly side: Side;
  readonly leverage: number;
  /** Of the order; the mark counts where it has none. */
  readonly price: number | null;
  readonly effect: OrderEffect;
}

/** The numbers of an order that an account gives, whether it is allowed or not. */
export function orderNumbers(view: AccountView, order: NumberedOrder, policy: Policy): OrderNumbers {
  const { markets, shared } = view;
  const market = markets.get(order.symbol);
  const mark = market?.mark ?? null;
  const isLinear = market?.contract.kind === 'linear';
  const price = order.price ?? mark ?? (isLinear ? 1 : null);
  const perQuote = market === undefined || price === null ? null : settlementPerQuote(market.contract, price);
  const margin = perQuote === null ? null : (order.effect.addedNotional / order.leverage) * perQuote;
  const availableBalance = shared === null ? null : Math.max(shared.equity - shared.initial, 0);
  const after = accountAfter(view, order);
  const unit = marginUnits(after, markets).find(({ legs }) =>
    legs.some(
      ({ position }) => position.symbol === order.symbol && sideOf(position) === order.effect.resultingSide,
    ),
  );
  const measured = unit === undefined ? null : measureUnit(unit, policy.accounts);
  return {
    initialMargin: margin,
    availableBalance,
    maintenanceMargin: unit === undefined ? 0 : (measured?.maintenance ?? null),
    liquidationPrice:
      measured === null
        ? null
        : criticalPrices(measured, order.symbol, policy.accounts.liquidationRatio).liquidationPrice,
  };
}

/**
 * The account as the order leaves it: what is taken off goes at the price of the order, and its profit to what stood behind it; what is added
 * comes in at that price. Margin that an isolated position is not given yet comes out of the shared part.
 */
function accountAfter({ account, markets }: AccountView, order: NumberedOrder): MarginAccount {
  const { symbol, side, effect, leverage } = order;
  const market = markets.get(symbol);
  const price = order.price ?? market?.mark ?? null;
  if (market === undefined || price === null) return account;
  const { contract } = market;
  const mark = market.mark ?? price;
  const signed = (notional: number, sign: number): number => sign * quantityOf(contract, notional, mark);
  const sign = side === 'long' ? 1 : -1;
  let { collateral } = account;
  let left = Math.abs(signed(effect.reducedNotional, sign));
  const positions: MarginPosition[] = [];
  let own: MarginPosition | null = null;
  for (const position of account.positions) {
    if (position.symbol !== symbol) positions.push(position);
    else if (sideOf(position) === side) own = position;
    else {
      const size = Math.abs(position.quantity);
      const closed = size - left <= size * 1e-9 ? size : Math.min(left, size);
      left -= closed;
      const isLinear = contract.kind === 'linear';
      const perContract = isLinear ? price - position.entryPrice : 1 / position.entryPrice - 1 / price;
      const profit = Math.sign(position.quantity) * closed * contract.contractSize * perContract;
      const isolated = position.isolatedMargin;
      if (closed < size)
        positions.push({
          ...position,
          quantity: Math.sign(position.quantity) * (size - closed),
          isolatedMargin: isolated === null ? null : (isolated * (size - closed)) / size + profit,
        });
      if (isolated === null) collateral += profit;
      else if (closed === size) collateral += isolated + profit;
      else collateral += (isolated * closed) / size;
    }
  }
  const added = signed(effect.addedNotional, sign);
  if (own !== null || added !== 0) {
    const quantity = (own?.quantity ?? 0) + added;
    const isIsolated = own === null ? account.marginMode === 'isolated' : own.isolatedMargin !== null;
    const margin = isIsolated ? (effect.addedNotional / leverage) * settlementPerQuote(contract, price) : 0;
    collateral -= margin;
    positions.push({
      symbol,
      quantity,
      entryPrice: entryOf(contract.kind, own, added, price),
      isolatedMargin: isIsolated ? (own?.isolatedMargin ?? 0) + margin : null,
    });
  }
  return { ...account, collateral, positions };
}

/** The mean entry price: of prices for linear contracts, of their inverses for inverse ones. */
function entryOf(
  kind: 'linear' | 'inverse',
  own: MarginPosition | null,
  added: number,
  price: number,
): number {
  if (own === null) return price;
  const quantity = own.quantity + added;
  return kind === 'linear'
    ? (own.quantity * own.entryPrice + added * price) / quantity
    : quantity / (own.quantity / own.entryPrice + added / price);
}
