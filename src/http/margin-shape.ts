import type { z } from 'zod';
import type { AccountMargin, PositionMargin, UnitMargin } from '../accounts/margin/account-margin.ts';
import { planShape } from '../accounts/margin/plan-shape.ts';
import { formatMoneyDown, formatMoneyUp, formatPrice, withoutNoise } from '../units.ts';
import type { marginSchema } from './margin-schemas.ts';

type Margin = z.infer<typeof marginSchema>;

/** What an answer tells beside the margin itself. */
export interface MarginFrame
  extends Pick<Margin, 'liquidationHorizonHours' | 'caps' | 'version' | 'degraded'> {}

/**
 * An account's margin as it is sent. What is owned is rounded down and what is asked for up, so that nothing looks better
 * than it is.
 */
export function marginShape(result: AccountMargin, frame: MarginFrame): Margin {
  const { account, totals, units } = result;
  return {
    accountId: account.accountId,
    userId: account.userId,
    marginMode: account.marginMode,
    settlementAsset: result.settlementAsset,
    status: result.status,
    equity: orNull(totals?.equity, formatMoneyDown),
    effectiveLeverage: {
      gross: orNull(totals?.leverage.gross, withoutNoise),
      net: orNull(totals?.leverage.net, withoutNoise),
      betaWeighted: orNull(totals?.leverage.betaWeighted, withoutNoise),
    },
    initialMargin: orNull(totals?.initial, formatMoneyUp),
    maintenanceMargin: orNull(totals?.maintenance, formatMoneyUp),
    marginRatio: orNull(totals?.ratio, withoutNoise),
    availableBalance: orNull(result.availableBalance, formatMoneyDown),
    positions: units.flatMap((unit) => unit.positions.map((position) => positionShape(position, unit))),
    plan: units.flatMap(({ unit, plan }) => (plan?.items ?? []).map((item) => planShape(item, unit.kind))),
    planIsEnough: units.every(({ plan }) => plan?.isEnough ?? true),
    unpriced: [...result.unpriced],
    ...frame,
  };
}

function positionShape(one: PositionMargin, { unit, measured }: UnitMargin): Margin['positions'][number] {
  const { position, market, prices } = one;
  return {
    symbol: market.symbol,
    side: one.side,
    marginUnit: unit.kind,
    quantity: formatPrice(Math.abs(position.quantity)),
    entryPrice: formatPrice(position.entryPrice),
    mark: orNull(market.mark, formatPrice),
    notional: orNull(one.measured?.notional, formatMoneyUp),
    unrealisedProfit: orNull(one.measured?.profit, formatMoneyDown),
    initialMargin: orNull(one.measured?.initial, formatMoneyUp),
    maintenanceMargin: orNull(one.measured?.maintenance, formatMoneyUp),
    isolatedMargin: orNull(position.isolatedMargin, formatMoneyDown),
    status: measured?.status ?? 'unknown',
    marginRatio: orNull(measured?.ratio, withoutNoise),
    liquidationPrice: priceShape(prices?.liquidationPrice),
    bankruptcyPrice: priceShape(prices?.bankruptcyPrice),
    liquidationProbability: orNull(one.liquidationProbability, withoutNoise),
    probabilityPerLeverage: orNull(one.probabilityPerLeverage, withoutNoise),
  };
}

/** No market has a smaller price than a decimal string of one can say. */
const SMALLEST_PRICE = 1e-18;

function priceShape(price: number | null | undefined): string | null {
  return price === undefined || price === null || price < SMALLEST_PRICE ? null : formatPrice(price);
}

function orNull<T>(value: number | null | undefined, shape: (value: number) => T): T | null {
  return value === null || value === undefined ? null : shape(value);
}
