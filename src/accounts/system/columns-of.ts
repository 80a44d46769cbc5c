import type { Bracket } from '../../limits/types.ts';
import { MICROS, PPM } from '../../units.ts';
import {
  type AccountColumns,
  CONTRACT_KIND,
  emptyAccountColumns,
  type MarketColumns,
} from '../book/columns.ts';

/** An account outside of any book: read from a file, or simulated. Money is in what the account settles in. */
export interface PlainAccount {
  /** Without unrealised profit. */
  readonly collateral: number;
  readonly positions: readonly PlainHolding[];
}

export interface PlainHolding {
  /** Row of the market. */
  readonly market: number;
  /** In contracts, above 0 long. */
  readonly quantity: number;
  readonly entryPrice: number;
  /** NaN where it shares the account's collateral. */
  readonly isolatedMargin: number;
}

/** A market outside of any book; limits give more than this. */
export interface PlainMarketTerms {
  /** NaN where none is known. */
  readonly mark: number;
  readonly kind: 'linear' | 'inverse';
  readonly contractSize: number;
  /** What open positions are held to. */
  readonly maintenance: readonly Bracket[];
}

/** Accounts as columns, for the kernels; the live book fills its own. */
export function accountColumnsOf(accounts: readonly PlainAccount[]): AccountColumns {
  const rows = accounts.reduce((sum, { positions }) => sum + positions.length, 0);
  const columns = emptyAccountColumns(accounts.length, rows);
  let row = 0;
  for (const [a, { collateral, positions }] of accounts.entries()) {
    columns.collateral[a] = collateral;
    columns.firstPosition[a] = row;
    columns.positionCount[a] = positions.length;
    for (const { market, quantity, entryPrice, isolatedMargin } of positions) {
      columns.market[row] = market;
      columns.quantity[row] = quantity;
      columns.entryPrice[row] = entryPrice;
      columns.isolatedMargin[row] = isolatedMargin;
      row++;
    }
  }
  return columns;
}

export function marketColumnsOf(markets: readonly PlainMarketTerms[]): MarketColumns {
  const brackets = markets.flatMap(({ maintenance }) => maintenance);
  const firstBracket = new Int32Array(markets.length + 1);
  for (const [m, { maintenance }] of markets.entries())
    firstBracket[m + 1] = firstBracket[m] + maintenance.length;
  const column = (of: (bracket: Bracket) => number): Float64Array => Float64Array.from(brackets, of);
  return {
    markets: markets.length,
    mark: Float64Array.from(markets, ({ mark }) => mark),
    contractKind: Uint8Array.from(markets, ({ kind }) => CONTRACT_KIND[kind]),
    contractSize: Float64Array.from(markets, ({ contractSize }) => contractSize),
    firstBracket,
    notionalCap: column(({ notionalCap }) => notionalCap),
    maintenanceRate: column(({ maintenanceMarginRatePpm }) => maintenanceMarginRatePpm / PPM),
    maintenanceAmount: column(({ maintenanceAmountMicros }) => maintenanceAmountMicros / MICROS),
    initialRate: column(({ initialMarginRatePpm }) => initialMarginRatePpm / PPM),
  };
}
