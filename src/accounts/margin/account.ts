import { PlimsollError } from '../../errors.ts';
import type { Liquidity } from '../../limits/curve.ts';
import type { AccountState } from '../margin-groups.ts';
import { type Contract, notionalOf, settlementAssetOf } from './contract.ts';
import type { Excursions } from './probability.ts';
import type { MarginTable } from './table.ts';

/** One account in float64: money is in its settlement asset. */
export interface MarginAccount {
  readonly accountId: string;
  readonly userId: string;
  readonly marginMode: 'cross' | 'isolated';
  /** Without unrealised profit: what positions without a margin of their own share. */
  readonly collateral: number;
  readonly positions: readonly MarginPosition[];
  /** The least initial margin rate that the user is held to in every market, 1 / leverage; 0 for none. */
  readonly ownInitialRate: number;
}

export interface MarginPosition {
  readonly symbol: string;
  /** In contracts: above 0 long, below 0 short. */
  readonly quantity: number;
  readonly entryPrice: number;
  /** What the position has to itself, without unrealised profit; null where it shares the account's collateral. */
  readonly isolatedMargin: number | null;
}

/** What has to be known of a market whose positions are measured. */
export interface MarginMarket {
  readonly symbol: string;
  readonly contract: Contract;
  /** In quote units; null while no price is known. */
  readonly mark: number | null;
  /** What open positions are held to. */
  readonly maintenance: MarginTable;
  /** What new orders are held to. */
  readonly initial: MarginTable;
  /** Moves of this market in moves of the whole; null where nobody knows. */
  readonly beta: number | null;
  /** Null where no forecast tells. */
  readonly excursions: Excursions | null;
  /** Null where no volume is known: a closeout costs half the spread and the fee then. */
  readonly liquidity: Liquidity | null;
}

export type Markets = ReadonlyMap<string, MarginMarket>;

/** A position beside its market. */
export interface Leg {
  readonly position: MarginPosition;
  readonly market: MarginMarket;
}

/**
 * What shares margin: the cross part of an account, or one isolated position. Each is warned, called, reduced and
 * liquidated for itself.
 */
export interface MarginUnit {
  readonly kind: 'cross' | 'isolated';
  readonly collateral: number;
  readonly legs: readonly Leg[];
}

export function sideOf({ quantity }: Pick<MarginPosition, 'quantity'>): 'long' | 'short' {
  return quantity < 0 ? 'short' : 'long';
}

/** An account as exchanges send it, in float64. Positions of nothing are left out; nothing is checked. */
export function marginAccountOf(state: AccountState, ownInitialRate = 0): MarginAccount {
  const { accountId, userId, marginMode, equity } = state;
  const positions = state.positions
    .map(({ symbol, side, quantity, entryPrice, isolatedMargin }) => {
      const contracts = Number(quantity);
      const size = Math.abs(contracts);
      return {
        symbol,
        quantity: side === 'net' ? contracts : side === 'long' ? size : -size,
        entryPrice: Number(entryPrice),
        isolatedMargin:
          isolatedMargin === undefined || isolatedMargin === null ? null : Number(isolatedMargin),
      };
    })
    .filter(({ quantity }) => quantity !== 0);
  return { accountId, userId, marginMode, collateral: Number(equity), positions, ownInitialRate };
}

/** No position of any market is worth more, in quote units. */
const LARGEST_NOTIONAL = 1e13;

/**
 * The units of an account: its cross part first, which is there even with no position, then each isolated position.
 *
 * @throws PlimsollError INPUT_INVALID for numbers that cannot be, a market and side that come twice, an isolated account
 *   with a position that has no margin, and positions that settle in different assets; MARKET_UNKNOWN for a market that
 *   `markets` does not have.
 */
export function marginUnits(account: MarginAccount, markets: Markets): readonly MarginUnit[] {
  if (!Number.isFinite(account.collateral))
    throw invalid(`the equity of account ${account.accountId} is no number`, 'Give a decimal.');
  const legs = account.positions.map((position) => legOf(position, markets));
  const isTwice = twiceOf(account.positions);
  for (const { position } of legs) {
    if (isTwice(position))
      throw invalid(
        `there are two ${sideOf(position)} positions of ${position.symbol}`,
        'Give one position for each market and side.',
      );
    if (account.marginMode === 'isolated' && position.isolatedMargin === null)
      throw invalid(
        `the ${position.symbol} position of an isolated account has no isolatedMargin`,
        'Give each position of an isolated account its isolatedMargin, or make the account cross.',
      );
  }
  requireOneSettlement(legs);
  const shared = legs.filter(({ position }) => position.isolatedMargin === null);
  const alone = legs.filter(({ position }) => position.isolatedMargin !== null);
  return [
    { kind: 'cross', collateral: account.collateral, legs: shared },
    ...alone.map((leg): MarginUnit => {
      return { kind: 'isolated', collateral: leg.position.isolatedMargin ?? 0, legs: [leg] };
    }),
  ];
}

/** So few positions are compared with each other sooner than their names are put together. */
const FEW = 8;

/** Whether a position is the second of its market and side, asked about each in turn. */
function twiceOf(positions: readonly MarginPosition[]): (position: MarginPosition) => boolean {
  if (positions.length <= FEW)
    return (position) => {
      for (const other of positions) {
        if (other === position) return false;
        if (other.symbol === position.symbol && sideOf(other) === sideOf(position)) return true;
      }
      return false;
    };
  const seen = new Set<string>();
  return (position) => {
    const key = `${position.symbol} ${sideOf(position)}`;
    const isSeen = seen.has(key);
    seen.add(key);
    return isSeen;
  };
}

/** What an account settles in. Without positions nobody can tell, and it is the quote asset. */
export function settlementOf(legs: readonly Leg[]): string {
  const [first] = legs;
  return first === undefined ? 'quote' : settlementAssetOf(first.market.symbol, first.market.contract);
}

function legOf(position: MarginPosition, markets: Markets): Leg {
  const { symbol, quantity, entryPrice, isolatedMargin } = position;
  const market = markets.get(symbol);
  if (market === undefined)
    throw new PlimsollError('MARKET_UNKNOWN', `nothing is known of ${symbol}`, {
      remedy: 'List the markets, or bring its brackets.',
    });
  if (!(entryPrice > 0 && Number.isFinite(entryPrice)))
    throw invalid(`the entry price of ${symbol} is ${entryPrice}`, 'Give a price above 0.');
  if (!Number.isFinite(quantity) || quantity === 0)
    throw invalid(`the quantity of ${symbol} is ${quantity}`, 'Give a quantity other than 0.');
  if (isolatedMargin !== null && !Number.isFinite(isolatedMargin))
    throw invalid(`the isolatedMargin of ${symbol} is no number`, 'Give a decimal.');
  if (market.mark !== null && !(market.mark > 0 && Number.isFinite(market.mark)))
    throw invalid(`the price of ${symbol} is ${market.mark}`, 'Give a price above 0.');
  const price = Math.max(market.mark ?? entryPrice, entryPrice);
  if (!(notionalOf(market.contract, quantity, price) <= LARGEST_NOTIONAL))
    throw invalid(`a notional of ${symbol} as large as that cannot be counted`, 'Give a smaller quantity.');
  return { position, market };
}

function requireOneSettlement(legs: readonly Leg[]): void {
  const [first] = legs;
  const expected = settlementOf(legs);
  const other = legs.find(({ market }) => settlementAssetOf(market.symbol, market.contract) !== expected);
  if (other === undefined) return;
  const asset = settlementAssetOf(other.market.symbol, other.market.contract);
  throw invalid(
    `${first.market.symbol} settles in ${nameOf(expected)} and ${other.market.symbol} in ${nameOf(asset)}`,
    'Give an account for each asset that positions settle in.',
  );
}

function nameOf(asset: string): string {
  return asset === 'quote' ? 'the quote asset' : asset;
}

function invalid(message: string, remedy: string): PlimsollError {
  return new PlimsollError('INPUT_INVALID', message, { remedy });
}
