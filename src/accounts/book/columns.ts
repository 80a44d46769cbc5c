/**
 * The account book as its kernels see it: one array a field, a position or an account a row. Money, quantities and prices
 * are float64; they become exact again where they leave (see `src/units.ts`).
 *
 * The positions of an account stand side by side, so that all of it is read in one stride.
 */
export interface AccountColumns {
  /** Rows 0 … accounts − 1 are in use. A row with no position and no collateral is an account that was emptied. */
  readonly accounts: number;
  /** Collateral that the account's shared margin rests on, without unrealised profit, in the settlement asset. */
  readonly collateral: Float64Array;
  /** Where the account's positions begin. */
  readonly firstPosition: Int32Array;
  readonly positionCount: Uint16Array;
  /** Row of the market in `MarketColumns`. */
  readonly market: Uint16Array;
  /** In contracts: above 0 long, below 0 short. An account in hedge mode has a row for each side of a market. */
  readonly quantity: Float64Array;
  readonly entryPrice: Float64Array;
  /** What a position has to itself; NaN where it shares the account's collateral. */
  readonly isolatedMargin: Float64Array;
}

export function emptyAccountColumns(accounts: number, positions: number): AccountColumns {
  return {
    accounts,
    collateral: new Float64Array(accounts),
    firstPosition: new Int32Array(accounts),
    positionCount: new Uint16Array(accounts),
    market: new Uint16Array(positions),
    quantity: new Float64Array(positions),
    entryPrice: new Float64Array(positions),
    isolatedMargin: new Float64Array(positions).fill(Number.NaN),
  };
}

/** How a contract pays. */
export const CONTRACT_KIND = {
  /** Profit is quantity · size · (mark − entry), in the quote asset. */
  linear: 0,
  /** Profit is quantity · size · (1 / entry − 1 / mark), in the base asset; `size` is in the quote asset. */
  inverse: 1,
} as const;

/** What the kernels know of markets: marks, contracts, and the maintenance tables that hold open positions. */
export interface MarketColumns {
  /** Rows 0 … markets − 1 are in use. */
  readonly markets: number;
  /** NaN while no price is known: nothing is said of accounts that hold the market. */
  readonly mark: Float64Array;
  readonly contractKind: Uint8Array;
  readonly contractSize: Float64Array;
  /** Rows `firstBracket[m]` … `firstBracket[m + 1]` − 1 of the columns below belong to market m, from the smallest notional up. */
  readonly firstBracket: Int32Array;
  /** A notional n is in the bracket with the smallest `notionalCap` ≥ n; above the last cap the last one counts on. */
  readonly notionalCap: Float64Array;
  /** Share of the notional, not ppm. */
  readonly maintenanceRate: Float64Array;
  /** Maintenance margin is notional · rate − amount, in quote units. */
  readonly maintenanceAmount: Float64Array;
  readonly initialRate: Float64Array;
}
