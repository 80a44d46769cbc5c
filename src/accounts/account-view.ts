import type { Policy } from '../limits/policy.ts';
import type { MarketLimit } from '../limits/types.ts';
import { ppmToRate } from '../units.ts';
import {
  type MarginAccount,
  type MarginMarket,
  type MarginPosition,
  type Markets,
  marginUnits,
  sideOf,
} from './margin/account.ts';
import { notionalOf, settlementPerQuote } from './margin/contract.ts';
import { type MarginStatus, type MeasuredUnit, measureUnit } from './margin/measure.ts';
import type { Exposure, ShortfallRates } from './portfolio-cap.ts';

export type Side = 'long' | 'short';

/** One account as its caps see it. Money is in quote units. */
export interface AccountView {
  readonly account: MarginAccount;
  /** Of all markets that it holds, and of those that are asked about. */
  readonly markets: Markets;
  /** What the account was last told to be. */
  readonly status: MarginStatus;
  /** Collateral, isolated margins and unrealised profit; null where a mark is missing. */
  readonly equity: number | null;
  /** The same without profit: what stood behind the positions when they were opened. */
  readonly paidIn: number;
  /** What shares margin, held to what the user chose; null where a mark is missing. */
  readonly shared: MeasuredUnit | null;
  /** One for each market that shares margin, and one for each isolated position. */
  readonly exposures: readonly Exposure[];
  /** It holds both sides of some market: an order on the other side then opens and does not reduce. */
  readonly isHedged: boolean;
}

/** @throws PlimsollError as `marginUnits` does. */
export function accountView(
  account: MarginAccount,
  markets: Markets,
  status: MarginStatus,
  limits: ReadonlyMap<string, MarketLimit>,
  policy: Policy,
): AccountView {
  const units = marginUnits(account, markets);
  const measured = units.map((unit) => measureUnit(unit, policy.accounts));
  const perQuote = perQuoteOf(account, markets);
  const paidIn = units.reduce((sum, { collateral }) => sum + collateral, 0) / perQuote;
  const isWhole = measured.every((unit) => unit !== null);
  return {
    account,
    markets,
    status,
    equity: isWhole ? measured.reduce((sum, unit) => sum + (unit?.equity ?? 0), 0) / perQuote : null,
    paidIn,
    shared: measureUnit(units[0], policy.accounts, account.ownInitialRate),
    exposures: exposuresOf(account, markets, limits, policy),
    isHedged: account.positions.some(
      ({ symbol, quantity }) =>
        quantity > 0 && account.positions.some((other) => other.symbol === symbol && other.quantity < 0),
    ),
  };
}

/** All positions settle in one asset, whose price in quote units the markets that it is of have. */
function perQuoteOf({ positions }: MarginAccount, markets: Markets): number {
  const held = new Set(positions.map(({ symbol }) => symbol));
  const priced = [...markets.values()].filter(({ mark }) => mark !== null);
  const market = priced.find(({ symbol }) => held.has(symbol)) ?? priced[0];
  return market === undefined ? 1 : settlementPerQuote(market.contract, market.mark ?? 1);
}

/** What a position is worth; at its entry price where no mark is known. */
export function positionNotional(position: MarginPosition, market: MarginMarket): number {
  return notionalOf(market.contract, position.quantity, market.mark ?? position.entryPrice);
}

/** What an account holds of a market on one side, in quote units. */
export function heldNotional(
  { account, markets }: Pick<AccountView, 'account' | 'markets'>,
  symbol: string,
  side: Side,
): number {
  let sum = 0;
  for (const position of account.positions) {
    if (position.symbol !== symbol || sideOf(position) !== side) continue;
    sum += positionNotional(position, markets.get(symbol) as MarginMarket);
  }
  return sum;
}

function exposuresOf(
  { positions }: MarginAccount,
  markets: Markets,
  limits: ReadonlyMap<string, MarketLimit>,
  policy: Policy,
): Exposure[] {
  const net = new Map<string, number>();
  const alone: Exposure[] = [];
  for (const position of positions) {
    const { symbol, isolatedMargin } = position;
    const size = positionNotional(position, markets.get(symbol) as MarginMarket);
    const notional = position.quantity < 0 ? -size : size;
    if (isolatedMargin === null) net.set(symbol, (net.get(symbol) ?? 0) + notional);
    else alone.push({ symbol, notional, shortfall: shortfallRates(limits.get(symbol), policy), nets: false });
  }
  const shared = [...net].map(([symbol, notional]) => {
    return { symbol, notional, shortfall: shortfallRates(limits.get(symbol), policy), nets: true };
  });
  return [...shared, ...alone];
}

/**
 * ES over the margin-call horizon at the confidence of the initial margin, times the margin multiplier, as margins are made of
 * it. Without a forecast the market's initial margin rate, which is never below its ES, stands in; without limits all of it.
 */
export function shortfallRates(limit: MarketLimit | undefined, policy: Policy): ShortfallRates {
  if (limit === undefined) return { long: 1, short: 1, isForecast: false };
  const { marginCallHorizonHours: horizonHours, initialConfidence: confidence, marginMultiplier } = policy;
  const [long, short] = (['long', 'short'] as const).map(
    (side) =>
      limit.forecasts.find(
        (cell) => cell.side === side && cell.horizonHours === horizonHours && cell.confidence === confidence,
      )?.expectedShortfall ?? null,
  );
  if (long === null || short === null) {
    const rate = ppmToRate(limit.brackets[0].initialMarginRatePpm);
    return { long: rate, short: rate, isForecast: false };
  }
  return { long: long * marginMultiplier, short: short * marginMultiplier, isForecast: true };
}
