/** One round: accounts fall at the marks before it, are sold out, and move the marks. Sums in the quote asset. */
export interface CascadeRound {
  /** Margin groups that fell: an account, or one isolated position of it. */
  readonly groups: number;
  /** Accounts of them that had not lost a group before. */
  readonly accounts: number;
  /** Of these, accounts without a position, in what fell, in a market that was shocked, and not due before the shock. */
  readonly accountsByContagion: number;
  readonly soldNotional: number;
  readonly boughtNotional: number;
  readonly badDebt: number;
  readonly fundPaid: number;
  readonly fundLeft: number;
  readonly deleveragedNotional: number;
  readonly deleveragedLoss: number;
  readonly byMarket: CascadeMarkets;
}

/** The same by market: a row a market. */
export interface CascadeMarkets {
  /** Notional of longs that were sold and of shorts that were bought back, at the impacted marks. */
  readonly soldNotional: Float64Array;
  readonly boughtNotional: Float64Array;
  /** Loss beyond the margin of those who fell, by what their positions had lost since before the shock. */
  readonly badDebt: Float64Array;
  /** Notional of profitable opposite positions that were closed at a worse price than the mark, and what that cost them. */
  readonly deleveragedNotional: Float64Array;
  readonly deleveragedLoss: Float64Array;
  /** After the round, or at the end. */
  readonly mark: Float64Array;
}

/**
 * What a shock comes to. Of everything that fell: equity before it = losses at the fills + fees + equity returned − bad debt;
 * and bad debt = paid by the fund + taken from deleveraged positions + uncovered.
 */
export interface CascadeResult {
  readonly rounds: readonly CascadeRound[];
  /** False where the last round that was allowed moved marks and nobody looked who falls at them. */
  readonly isSettled: boolean;
  /** Accounts that could be judged: with positions, all of them in markets with a mark. */
  readonly accounts: number;
  /** Accounts with a group of which nothing can be said. */
  readonly unknownAccounts: number;
  /** Notional of their positions before the shock. */
  readonly openNotional: number;
  /** Accounts with a group at its liquidation ratio before the shock. */
  readonly accountsDue: number;
  readonly accountsFallen: number;
  readonly groupsFallen: number;
  readonly accountsByContagion: number;
  readonly soldNotional: number;
  readonly boughtNotional: number;
  readonly closeoutFees: number;
  /** Margin that was left to those who fell. */
  readonly equityReturned: number;
  readonly badDebt: number;
  readonly fundPaid: number;
  readonly fundLeft: number;
  readonly deleveragedNotional: number;
  readonly deleveragedLoss: number;
  /** Bad debt that neither the fund nor deleveraging covered. */
  readonly uncovered: number;
  readonly byMarket: CascadeMarkets;
}

export function noCascadeMarkets(markets: number, mark: Float64Array): CascadeMarkets {
  return {
    soldNotional: new Float64Array(markets),
    boughtNotional: new Float64Array(markets),
    badDebt: new Float64Array(markets),
    deleveragedNotional: new Float64Array(markets),
    deleveragedLoss: new Float64Array(markets),
    mark,
  };
}

/** Adds a round to the totals of the markets; marks are those of the newest. */
export function addMarkets(total: CascadeMarkets, round: CascadeMarkets): void {
  for (let m = 0; m < total.mark.length; m++) {
    total.soldNotional[m] += round.soldNotional[m];
    total.boughtNotional[m] += round.boughtNotional[m];
    total.badDebt[m] += round.badDebt[m];
    total.deleveragedNotional[m] += round.deleveragedNotional[m];
    total.deleveragedLoss[m] += round.deleveragedLoss[m];
    total.mark[m] = round.mark[m];
  }
}
