import { marketActivity } from '../limits/bounds/market-activity.ts';
import type { Policy } from '../limits/policy.ts';
import type { MarketLimit } from '../limits/types.ts';
import { type AccountView, heldNotional, type Side, shortfallRates } from './account-view.ts';
import { concentrationLimits } from './concentration.ts';
import { sideOf } from './margin/account.ts';
import { type Exposure, type Netting, portfolioRoom } from './portfolio-cap.ts';
import { type Limit, leverageDown, leverageLimit, notionalLimit } from './user-limits.ts';

/** What could not be looked at, because nobody knows it: it did not limit, or nothing was netted. */
export const CAP_NOTES = [
  'NO_ACCOUNT',
  'PRICE_UNKNOWN',
  'CORRELATIONS_UNKNOWN',
  'OPEN_INTEREST_UNKNOWN',
  'VOLUME_UNKNOWN',
] as const;
export type CapNote = (typeof CAP_NOTES)[number];

export interface PositionScope {
  readonly market: MarketLimit;
  readonly side: Side;
  readonly policy: Policy;
  /** Null where nothing is known of the user's account. */
  readonly view: AccountView | null;
  /** Of the user's other accounts. */
  readonly otherViews: readonly AccountView[];
  readonly netting: Netting | null;
  /** The account holds both sides of a market apart: what is on the other side stays. */
  readonly isHedge: boolean;
}

export interface PositionLimits {
  readonly limits: readonly Limit[];
  readonly notes: readonly CapNote[];
}

/**
 * What limits a position on one side of a market beside schedule and user: the ES of the account's positions together, and how
 * much of the market one user may be.
 */
export function positionLimits(scope: PositionScope): PositionLimits {
  const limits: Limit[] = [];
  const notes: CapNote[] = [];
  const portfolio = portfolioLimit(scope);
  if (scope.view === null) notes.push('NO_ACCOUNT');
  else if (portfolio === null) notes.push('PRICE_UNKNOWN');
  else {
    limits.push(portfolio);
    if (portfolio.reason === 'PORTFOLIO_RISK_NOT_NETTED') notes.push('CORRELATIONS_UNKNOWN');
  }
  const elsewhere = scope.otherViews.reduce(
    (sum, view) => sum + heldNotional(view, scope.market.symbol, scope.side),
    0,
  );
  const concentration = concentrationLimits(marketActivity(scope.market), scope.policy.users, elsewhere);
  return {
    limits: [...limits, ...concentration.limits],
    notes: [...notes, ...concentration.notes],
  };
}

/** The tighter of two sides, where nobody says which. Both have the same notes but for what is not netted. */
export function tighterLimits(a: PositionLimits, b: PositionLimits): PositionLimits {
  const limits = a.limits.map((limit, i): Limit => {
    const other = b.limits[i];
    const [low, high] = other.leverage < limit.leverage ? [other, limit] : [limit, other];
    return { ...low, largestNotional: Math.min(low.largestNotional, high.largestNotional) };
  });
  return { limits, notes: [...new Set([...a.notes, ...b.notes])] };
}

function portfolioLimit({ market, side, policy, view, netting, isHedge }: PositionScope): Limit | null {
  if (view === null || view.equity === null) return null;
  const { users } = policy;
  const { symbol } = market;
  const own = view.account.positions.find(
    (position) => position.symbol === symbol && sideOf(position) === side,
  );
  const nets = own === undefined ? view.account.marginMode === 'cross' : own.isolatedMargin === null;
  const equity = Math.max(view.equity, 0);
  const room = portfolioRoom(
    {
      symbol,
      side,
      shortfall: shortfallRates(market, policy),
      nets,
      others: nets ? view.exposures : withoutIsolated(view.exposures, symbol, side),
      allowedShortfall: equity * users.portfolioEquityShare,
      equity,
    },
    netting,
    users.correlationStressShare,
  );
  const reason = room.isNetted ? 'PORTFOLIO_RISK' : 'PORTFOLIO_RISK_NOT_NETTED';
  // The room is that of the net position of the market.
  const opposite = isHedge && nets ? sharedNotional(view, symbol, side === 'long' ? 'short' : 'long') : 0;
  return {
    ...leverageLimit(reason, leverageDown(room.leverage)),
    largestNotional: notionalLimit(reason, room.notional + opposite).largestNotional,
  };
}

/** All but the isolated position that is asked about: it is replaced by the one after the order. */
function withoutIsolated(exposures: readonly Exposure[], symbol: string, side: Side): readonly Exposure[] {
  return exposures.filter(
    (one) => one.nets || one.symbol !== symbol || one.notional > 0 !== (side === 'long'),
  );
}

function sharedNotional({ account, markets }: AccountView, symbol: string, side: Side): number {
  const positions = account.positions.filter(({ isolatedMargin }) => isolatedMargin === null);
  return heldNotional({ account: { ...account, positions }, markets }, symbol, side);
}
