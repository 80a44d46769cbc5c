import type { AccountPolicy } from '../../limits/account-policy.ts';
import type { Leg, MarginUnit } from './account.ts';
import { notionalOf, settlementPerQuote, unrealisedProfit } from './contract.ts';
import { initialMargin, maintenanceMargin } from './table.ts';

/** From the best to the worst. */
export const MARGIN_STATUSES = [
  'healthy',
  'warning',
  'marginCall',
  'reduceOnly',
  'reduction',
  'liquidation',
  'backstop',
] as const;
export type MarginStatus = (typeof MARGIN_STATUSES)[number];

/** A position at its mark. */
export interface MeasuredLeg extends Leg {
  readonly mark: number;
  /** In the quote asset, without a sign. */
  readonly notional: number;
  /** The settlement asset for one quote unit at this mark. */
  readonly perQuote: number;
  /** In the settlement asset, as all that follows. */
  readonly profit: number;
  readonly initial: number;
  readonly maintenance: number;
}

/** A unit whose positions all have a mark. Money is in the settlement asset. */
export interface MeasuredUnit {
  readonly unit: MarginUnit;
  readonly legs: readonly MeasuredLeg[];
  /** Collateral and unrealised profit. */
  readonly equity: number;
  readonly initial: number;
  readonly maintenance: number;
  readonly ratio: number;
  readonly status: MarginStatus;
}

/** Ratios and leverages are never above it: infinite ones have no place in JSON, and one that is missing compares as small. */
export const MOST_RATIO = 1_000_000;

/** A quotient that can be shown: at most `MOST_RATIO`, which it is too with nothing or less to divide by. Of 0 it is 0. */
export function boundedRatio(dividend: number, divisor: number): number {
  if (dividend === 0) return 0;
  if (divisor > 0) return Math.max(Math.min(dividend / divisor, MOST_RATIO), -MOST_RATIO);
  return dividend < 0 ? -MOST_RATIO : MOST_RATIO;
}

/** Maintenance margin over equity; see `boundedRatio` for equity that is used up. Without a position it is 0. */
export function marginRatio(equity: number, maintenance: number): number {
  return boundedRatio(maintenance, equity);
}

/** Each threshold holds from itself on. With a position and no equity left it is the worst; without one it is the best. */
export function statusOf(
  equity: number,
  maintenance: number,
  policy: Omit<AccountPolicy, 'interventionMode'>,
): MarginStatus {
  const ratio = marginRatio(equity, maintenance);
  if (ratio >= policy.backstopRatio) return 'backstop';
  if (ratio >= policy.liquidationRatio) return 'liquidation';
  if (ratio >= policy.reductionRatio) return 'reduction';
  if (ratio >= policy.reduceOnlyRatio) return 'reduceOnly';
  if (ratio >= policy.marginCallRatio) return 'marginCall';
  return ratio >= policy.warningRatio ? 'warning' : 'healthy';
}

/** The worst of some; `healthy` for none. */
export function worstStatus(statuses: readonly MarginStatus[]): MarginStatus {
  return MARGIN_STATUSES[Math.max(0, ...statuses.map((status) => MARGIN_STATUSES.indexOf(status)))];
}

/**
 * A unit at its marks.
 *
 * @param ownInitialRate see `MarginAccount`.
 * @returns null while a mark is missing: half a unit tells nothing.
 */
export function measureUnit(
  unit: MarginUnit,
  policy: AccountPolicy,
  ownInitialRate = 0,
): MeasuredUnit | null {
  const legs: MeasuredLeg[] = [];
  for (const leg of unit.legs) {
    const measured = measureLeg(leg, ownInitialRate);
    if (measured === null) return null;
    legs.push(measured);
  }
  const equity = legs.reduce((sum, { profit }) => sum + profit, unit.collateral);
  const maintenance = legs.reduce((sum, leg) => sum + leg.maintenance, 0);
  return {
    unit,
    legs,
    equity,
    maintenance,
    initial: legs.reduce((sum, leg) => sum + leg.initial, 0),
    ratio: marginRatio(equity, maintenance),
    status: statusOf(equity, maintenance, policy),
  };
}

/** Null while the market has no mark. */
export function measureLeg(leg: Leg, ownInitialRate = 0): MeasuredLeg | null {
  const { position, market } = leg;
  const { contract, mark } = market;
  if (mark === null) return null;
  const notional = notionalOf(contract, position.quantity, mark);
  const perQuote = settlementPerQuote(contract, mark);
  return {
    position,
    market,
    mark,
    notional,
    perQuote,
    profit: unrealisedProfit(contract, position.quantity, position.entryPrice, mark),
    initial: initialMargin(market.initial, notional, ownInitialRate) * perQuote,
    maintenance: maintenanceMargin(market.maintenance, notional) * perQuote,
  };
}
