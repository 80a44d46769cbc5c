import { decideBook } from '../limits/decide.ts';
import { DEFAULT_POLICY, type Policy } from '../limits/policy.ts';
import { context, DECIDED_AT, forecast, largeMarket } from '../limits/test-inputs.ts';
import type { MarketLimit } from '../limits/types.ts';
import type { AccountOrder, AccountQuestion } from './account-check.ts';
import { type AccountView, accountView, type Side } from './account-view.ts';
import type { MarginAccount, MarginMarket, MarginPosition } from './margin/account.ts';
import type { MarginStatus } from './margin/measure.ts';
import { marginTableOf } from './margin/table.ts';
import { type Netting, nettingOf } from './portfolio-cap.ts';
import { positionLimits } from './position-limits.ts';
import { UNKNOWN_USER, type UserLimits } from './user-limits.ts';

/** Accounts in two published markets for tests of caps; every contract is worth 1. */
export const NOW = DECIDED_AT + 60_000;
export const OLD_USER: UserLimits = { ...UNKNOWN_USER, accountCreatedAt: 0 };

const inputs = ['BTCUSDT', 'ETHUSDT'].map((symbol) =>
  largeMarket({
    symbol,
    shockModel: forecast('shock-network@test', 0.008),
    historical: forecast('historical@1', 0.008),
    filtered: forecast('filtered@1', 0.008),
    tail: forecast('tail@1', 0.008),
    openInterest: symbol === 'ETHUSDT' ? { quoteNotional: 3e7, observedAt: DECIDED_AT } : null,
  }),
);
export const BOOK = decideBook(inputs, null, context());
export const LIMITS: ReadonlyMap<string, MarketLimit> = new Map(
  BOOK.markets.map((market) => [market.symbol, market]),
);

export function marketOf(symbol: string): MarketLimit {
  return LIMITS.get(symbol) as MarketLimit;
}

/** Both markets at a correlation. */
export function nettingAt(correlation: number): Netting {
  const matrix = Float64Array.of(1, correlation, correlation, 1);
  return nettingOf({ asOf: 0, markets: ['BTCUSDT', 'ETHUSDT'], matrix });
}

export function held(
  symbol: string,
  notional: number,
  changes: Partial<MarginPosition> = {},
): MarginPosition {
  return { symbol, quantity: notional, entryPrice: 1, isolatedMargin: null, ...changes };
}

export interface Setting {
  readonly equity?: number;
  readonly positions?: readonly MarginPosition[];
  readonly marginMode?: 'cross' | 'isolated';
  readonly status?: MarginStatus;
  readonly symbol?: string;
  readonly user?: UserLimits;
  readonly userChangedAt?: number | null;
  readonly policy?: Policy;
  readonly netting?: Netting | null;
  readonly marks?: Readonly<Record<string, number | null>>;
  readonly others?: readonly AccountView[];
  readonly isHedge?: boolean;
}

export function viewOf({
  equity = 1000,
  positions = [],
  marginMode = 'cross',
  ...setting
}: Setting): AccountView {
  const account: MarginAccount = {
    ...{ accountId: 'a', userId: 'u', marginMode, collateral: equity, positions, ownInitialRate: 0 },
  };
  const markets = new Map(
    [...LIMITS].map(([symbol, limit]): [string, MarginMarket] => [
      symbol,
      {
        symbol,
        contract: { kind: 'linear', contractSize: 1 },
        mark: setting.marks?.[symbol] === undefined ? 1 : setting.marks[symbol],
        maintenance: marginTableOf(limit.brackets),
        initial: marginTableOf(limit.brackets),
        beta: null,
        excursions: null,
        liquidity: null,
      },
    ]),
  );
  return accountView(account, markets, setting.status ?? 'healthy', LIMITS, setting.policy ?? DEFAULT_POLICY);
}

/** What is asked of an account in a market. */
export function questionOf(setting: Setting = {}): AccountQuestion {
  const { user = OLD_USER, policy = DEFAULT_POLICY, symbol = 'BTCUSDT', userChangedAt = null } = setting;
  const view = viewOf(setting);
  const market = marketOf(symbol);
  const scopeOf = (side: Side) => {
    const { limits } = positionLimits({
      ...{ market, side, policy, view },
      otherViews: setting.others ?? [],
      netting: setting.netting === undefined ? nettingAt(0.8) : setting.netting,
      isHedge: setting.isHedge ?? view.isHedged,
    });
    return { brackets: market.brackets, user, policy, now: NOW, positionLimits: limits };
  };
  const scopes = { long: scopeOf('long'), short: scopeOf('short') };
  return { view, market, policy, userChangedAt, scopes };
}

export function order(side: Side, notional: number, changes: Partial<AccountOrder> = {}): AccountOrder {
  const whole = { notional, wholeNotional: Math.ceil(notional) };
  return { side, ...whole, leverage: 5, reduceOnly: false, isHedge: false, ...changes };
}
