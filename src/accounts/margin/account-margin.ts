import type { Policy } from '../../limits/policy.ts';
import {
  type Leg,
  type MarginAccount,
  type MarginUnit,
  type Markets,
  marginUnits,
  settlementOf,
  sideOf,
} from './account.ts';
import { type CriticalPrices, criticalPrices } from './liquidation.ts';
import {
  boundedRatio,
  type MarginStatus,
  type MeasuredLeg,
  type MeasuredUnit,
  measureUnit,
  worstStatus,
} from './measure.ts';
import { grossLeverage, liquidationProbability, probabilityPerLeverage } from './probability.ts';
import { type ReductionPlan, reductionPlan } from './reduction.ts';

/** What can be said of a position. Money is in the account's settlement asset, notional and prices in the quote asset. */
export interface PositionMargin extends Leg {
  readonly side: 'long' | 'short';
  /** Null where the mark of its own market is not known. */
  readonly measured: MeasuredLeg | null;
  /** Null where a mark of its unit is not known. */
  readonly prices: CriticalPrices | null;
  readonly liquidationProbability: number | null;
  readonly probabilityPerLeverage: number | null;
}

/** What can be said of a unit. */
export interface UnitMargin {
  readonly unit: MarginUnit;
  /** Null where a mark is missing. */
  readonly measured: MeasuredUnit | null;
  readonly leverage: number | null;
  readonly positions: readonly PositionMargin[];
  /** Null where a mark is missing. */
  readonly plan: ReductionPlan | null;
}

/** Leverages are notionals over equity; see `boundedRatio` where no equity is left. */
export interface EffectiveLeverage {
  readonly gross: number;
  /** Long less short: below 0 for an account that is short. */
  readonly net: number;
  /** The same with each position in moves of the whole market; null unless every beta is known. */
  readonly betaWeighted: number | null;
}

/** All units together. */
export interface AccountTotals {
  readonly equity: number;
  readonly initial: number;
  readonly maintenance: number;
  readonly leverage: EffectiveLeverage;
  /** Of the worst unit: what is isolated helps nobody else. */
  readonly ratio: number;
}

export interface AccountMargin {
  readonly account: MarginAccount;
  readonly settlementAsset: string;
  /** Of the worst unit that can be measured; `unknown` where one cannot and no other is worse than healthy. */
  readonly status: MarginStatus | 'unknown';
  /** Null where a mark is missing: half an account tells nothing. */
  readonly totals: AccountTotals | null;
  /** What is free for new orders: equity of the shared part beyond its initial margin, at least 0. Null like `totals`. */
  readonly availableBalance: number | null;
  readonly units: readonly UnitMargin[];
  /** Markets without a mark, each once. */
  readonly unpriced: readonly string[];
}

/**
 * Everything about one account's margin at the marks and tables of `markets`. Pure; the slow and readable one, against
 * which anything faster is tested.
 *
 * @throws PlimsollError as `marginUnits` does. A mark that is missing is no fault: it is said where it is missed.
 */
export function accountMargin(account: MarginAccount, markets: Markets, policy: Policy): AccountMargin {
  const units = marginUnits(account, markets).map((unit) => unitMargin(unit, account, policy));
  const legs = units.flatMap(({ unit }) => unit.legs);
  const unpriced = legs.filter(({ market }) => market.mark === null).map(({ market }) => market.symbol);
  const measured = units.map((unit) => unit.measured);
  const known = measured.filter((unit) => unit !== null);
  const status = worstStatus(known.map((unit) => unit.status));
  const isWhole = known.length === units.length;
  const [shared] = measured;
  return {
    account,
    settlementAsset: settlementOf(legs),
    status: isWhole || status !== 'healthy' ? status : 'unknown',
    totals: isWhole ? totalsOf(known) : null,
    availableBalance: shared === null ? null : Math.max(shared.equity - shared.initial, 0),
    units,
    unpriced: [...new Set(unpriced)],
  };
}

function unitMargin(unit: MarginUnit, account: MarginAccount, policy: Policy): UnitMargin {
  const measured = measureUnit(unit, policy.accounts, account.ownInitialRate);
  if (measured === null) {
    const positions = unit.legs.map((leg): PositionMargin => {
      const alone = { kind: unit.kind, collateral: 0, legs: [leg] };
      const own = measureUnit(alone, policy.accounts, account.ownInitialRate);
      return {
        ...leg,
        side: sideOf(leg.position),
        measured: own?.legs[0] ?? null,
        prices: null,
        liquidationProbability: null,
        probabilityPerLeverage: null,
      };
    });
    return { unit, measured, leverage: null, positions, plan: null };
  }
  return {
    unit,
    measured,
    leverage: grossLeverage(measured),
    positions: measured.legs.map((leg) => positionMargin(measured, leg, policy)),
    plan: reductionPlan(measured, policy),
  };
}

function positionMargin(unit: MeasuredUnit, leg: MeasuredLeg, { accounts }: Policy): PositionMargin {
  const { symbol, excursions } = leg.market;
  const prices = criticalPrices(unit, symbol, accounts.liquidationRatio);
  return {
    position: leg.position,
    market: leg.market,
    side: sideOf(leg.position),
    measured: leg,
    prices,
    liquidationProbability: liquidationProbability(prices, leg.mark, excursions),
    probabilityPerLeverage: probabilityPerLeverage(
      unit,
      symbol,
      leg.mark,
      excursions,
      accounts.liquidationRatio,
    ),
  };
}

function totalsOf(units: readonly MeasuredUnit[]): AccountTotals {
  const legs = units.flatMap((unit) => unit.legs);
  const sum = (of: (unit: MeasuredUnit) => number): number =>
    units.reduce((total, unit) => total + of(unit), 0);
  const equity = sum((unit) => unit.equity);
  return {
    equity,
    initial: sum(({ initial }) => initial),
    maintenance: sum(({ maintenance }) => maintenance),
    leverage: effectiveLeverage(legs, equity),
    ratio: Math.max(...units.map(({ ratio }) => ratio)),
  };
}

function effectiveLeverage(legs: readonly MeasuredLeg[], equity: number): EffectiveLeverage {
  const worth = ({ notional, perQuote }: MeasuredLeg): number => notional * perQuote;
  const signed = (leg: MeasuredLeg): number => Math.sign(leg.position.quantity) * worth(leg);
  const betas = legs.map(({ market }) => market.beta);
  const isEveryKnown = legs.length > 0 && betas.every((beta) => beta !== null);
  const weighted = legs.reduce((sum, leg) => sum + signed(leg) * (leg.market.beta ?? 0), 0);
  return {
    gross: grossLeverage({ legs, equity }),
    net: boundedRatio(
      legs.reduce((sum, leg) => sum + signed(leg), 0),
      equity,
    ),
    betaWeighted: isEveryKnown ? boundedRatio(weighted, equity) : null,
  };
}
