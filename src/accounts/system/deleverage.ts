import { grown } from '../book/growing.ts';
import { ANY_RANK, DeleverageRanking, sideRow } from './deleverage-ranking.ts';
import { FETCHED_TOGETHER, fetchRows, type GroupBook, notionalOf, profitOf } from './valuation.ts';

/** What a market needs: contracts of fallen positions of one side that nobody has paid for, and how much is missing. */
export interface Shortfall {
  readonly market: number;
  /** 1 where longs have fallen and shorts are to pay, −1 the other way. */
  readonly fallenSide: 1 | -1;
  readonly contracts: number;
  /** In quote units, above 0. */
  readonly loss: number;
}

export interface Deleveraged {
  readonly notional: number;
  /** What was raised of the loss. */
  readonly paid: number;
}

/** Its quantities are reduced, and what positions realise is received by their groups. */
export type DeleveragedBook = GroupBook & { readonly received: Float64Array };

/**
 * Auto-deleveraging: the most profitable opposite positions are closed against the fallen ones at the price at which these
 * were bankrupt, that is at the mark less loss / contracts for each contract, but never so that a position loses more than
 * it had won. Ranked by profit as a share of the entry value times the leverage of the group, as Binance ranks them; of
 * equal ones the first row goes first. Leverage is the one of before anybody is deleveraged in the same round.
 *
 * Few of many are closed as a rule, and the best of one round are gone in the next. So what is ranked near the last one that was
 * closed before is put in order, and the rest only where that does not suffice.
 */
export class Deleveraging {
  readonly #book: DeleveragedBook;
  readonly #ranking: DeleverageRanking;
  /** By market and side: rank of the last one that was closed; 0 where there was none, or not enough. */
  readonly #lastRank: Float64Array;
  /** By market and side: contracts that were in order behind it. */
  readonly #contractsBehind: Float64Array;
  /** By market and side: the rank from which on positions are put in order now. */
  readonly #bar: Float64Array;
  #chosen = new Int32Array(0);

  /** @param isGone by group: 1 for those that have fallen, and those of which nothing is known. */
  constructor(book: DeleveragedBook, isGone: Uint8Array) {
    this.#book = book;
    this.#ranking = new DeleverageRanking(book, isGone);
    this.#lastRank = new Float64Array(2 * book.mark.length);
    this.#contractsBehind = new Float64Array(2 * book.mark.length);
    this.#bar = new Float64Array(2 * book.mark.length);
  }

  /**
   * One round; a market and side is named once.
   *
   * @param touch is told whose positions were reduced.
   */
  close(shortfalls: readonly Shortfall[], touch: (group: number) => void): readonly Deleveraged[] {
    const sides = shortfalls.map(({ market, fallenSide }) => sideRow(market, -fallenSide));
    for (const [i, { contracts }] of shortfalls.entries())
      this.#bar[sides[i]] = this.#barFor(sides[i], contracts);
    const chosen: Int32Array[] = [];
    let open = shortfalls.map((_, i) => i);
    // All are chosen before any is closed: what is closed changes the leverage that others are ranked by.
    while (open.length > 0) {
      this.#ranking.rank(
        open.map((i) => sides[i]),
        this.#bar,
      );
      open = open.filter((i, list) => {
        const { rows, isEnough } = this.#choose(shortfalls[i].contracts, list);
        chosen[i] = rows;
        this.#lastRank[sides[i]] = isEnough ? this.#ranking.lastRank : 0;
        this.#contractsBehind[sides[i]] = this.#ranking.contractsLeft;
        const isBelowKnown = this.#bar[sides[i]] === ANY_RANK;
        this.#bar[sides[i]] = ANY_RANK;
        return !isEnough && !isBelowKnown;
      });
    }
    return shortfalls.map((shortfall, i) => this.#closeRows(shortfall, chosen[i], touch));
  }

  #barFor(side: number, contracts: number): number {
    const isNear = AMPLE * contracts < this.#contractsBehind[side];
    return Math.max(this.#lastRank[side] * (isNear ? NEAR_SHARE : FAR_SHARE), ANY_RANK);
  }

  /** The best of a list that hold so many contracts. */
  #choose(contracts: number, list: number): { readonly rows: Int32Array; readonly isEnough: boolean } {
    this.#ranking.begin(list);
    let left = contracts;
    let count = 0;
    while (left > 0) {
      const row = this.#ranking.next();
      if (row < 0) break;
      this.#chosen = grown(this.#chosen, count + 1);
      this.#chosen[count++] = row;
      left -= Math.min(this.#ranking.lastContracts, left);
    }
    return { rows: this.#chosen.slice(0, count), isEnough: left === 0 };
  }

  #closeRows(
    { market, fallenSide, contracts, loss }: Shortfall,
    rows: Int32Array,
    touch: (group: number) => void,
  ): Deleveraged {
    const { accounts, markets, index, quantity, mark, received } = this.#book;
    const price = mark[market];
    const lossPerContract = loss / contracts;
    let left = contracts;
    let notional = 0;
    let paid = 0;
    for (let i = 0; i < rows.length; i++) {
      if (i % FETCHED_TOGETHER === 0)
        fetchRows(this.#book, rows, i, Math.min(i + FETCHED_TOGETHER, rows.length));
      const row = rows[i];
      const held = Math.abs(quantity[row]);
      const closed = held < left ? held : left;
      const signed = closed * -fallenSide;
      const profit = profitOf(markets, market, signed, accounts.entryPrice[row], price);
      const share = Math.min(closed * lossPerContract, profit);
      quantity[row] = held === closed ? 0 : quantity[row] - signed;
      const group = index.groupOfPosition[row];
      received[group] += profit - share;
      touch(group);
      notional += notionalOf(markets, market, closed, price);
      paid += share;
      left -= closed;
    }
    return { notional, paid };
  }
}

/** Where so many times the contracts that are asked for are in order already, the last rank falls little. */
const AMPLE = 2;
/** From one round to the next the last rank falls to no less than this as a rule; otherwise to no less than that. */
const NEAR_SHARE = 0.7;
const FAR_SHARE = 0.35;
