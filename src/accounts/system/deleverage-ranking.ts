import { CONTRACT_KIND } from '../book/columns.ts';
import type { DeleveragedBook } from './deleverage.ts';
import { RankedRows } from './ranked-rows.ts';
import { FETCHED_TOGETHER, fetchGroups, leverageOf } from './valuation.ts';

/** Less than any rank of a position that has won. */
export const ANY_RANK = 1e-100;

/** Row of a market's longs and of its shorts in columns of both. @param side above 0 for longs, below for shorts. */
export function sideRow(market: number, side: number): number {
  return 2 * market + (side > 0 ? 0 : 1);
}

/**
 * Positions that have won, best first: profit over entry value, which is ± (mark / entry − 1) for both kinds of contracts,
 * times gross notional over equity of the group.
 */
export class DeleverageRanking {
  readonly #book: DeleveragedBook;
  readonly #isGone: Uint8Array;
  readonly #hasInverse: boolean;
  readonly #ranked = new RankedRows();
  /** Positions that are looked at next, and their groups. */
  readonly #rows = new Int32Array(FETCHED_TOGETHER);
  readonly #groups = new Int32Array(FETCHED_TOGETHER);
  /** By `sideRow`: the least rank that counts, beyond all ranks where none is asked for, and the list. */
  readonly #bar: Float64Array;
  readonly #list: Int32Array;
  /** By market: one over the lower bar of its sides; 0 where none is asked for. */
  readonly #reach: Float64Array;

  /** @param isGone by group: 1 for those that do not count. */
  constructor(book: DeleveragedBook, isGone: Uint8Array) {
    this.#book = book;
    this.#isGone = isGone;
    this.#hasInverse = book.markets.contractKind.includes(CONTRACT_KIND.inverse);
    this.#bar = new Float64Array(2 * book.mark.length);
    this.#list = new Int32Array(2 * book.mark.length);
    this.#reach = new Float64Array(book.mark.length);
  }

  /** Ranks positions of market sides at the book's present state: a list a side. @param least by side: ranks from here on are found. */
  rank(sides: readonly number[], least: Float64Array): void {
    const { firstOfMarket, groups } = this.#book.index;
    this.#bar.fill(Number.POSITIVE_INFINITY);
    this.#reach.fill(0);
    for (const [list, side] of sides.entries()) {
      this.#bar[side] = least[side];
      this.#reach[side >> 1] = Math.max(this.#reach[side >> 1], 1 / least[side]);
      this.#list[side] = list;
    }
    const markets = new Set(sides.map((side) => side >> 1));
    let places = 0;
    for (const m of markets) places += firstOfMarket[m + 1] - firstOfMarket[m];
    this.#ranked.clear();
    if (places * SCATTERED_COST > groups) {
      this.#lookAtShared();
      this.#lookAtIsolated();
    } else for (const side of sides) this.#lookAtSide(side);
    this.#ranked.sortOut(sides.length);
  }

  /** The rows of this list are told. */
  begin(list: number): void {
    this.#ranked.begin(list);
  }

  /** −1 when there are no more. */
  next(): number {
    return this.#ranked.next();
  }

  /** Of the row that was told last. */
  get lastRank(): number {
    return this.#ranked.lastRank;
  }

  get lastContracts(): number {
    return this.#ranked.lastContracts;
  }

  /** Of the rows of the list that were not told. */
  get contractsLeft(): number {
    return this.#ranked.contractsLeft;
  }

  /** In the order of memory. What of an account cannot be above any bar is not ranked one by one. */
  #lookAtShared(): void {
    const { accounts, markets, index, mark, quantity, received } = this.#book;
    const { firstPosition, positionCount, collateral, isolatedMargin, market, entryPrice } = accounts;
    const { contractKind, contractSize } = markets;
    const { marginMarket } = index;
    const hasInverse = this.#hasInverse;
    const isGone = this.#isGone;
    const reach = this.#reach;
    for (let account = 0; account < accounts.accounts; account++) {
      if (isGone[account] === 1) continue;
      const first = firstPosition[account];
      const end = first + positionCount[account];
      let equity = collateral[account];
      if (hasInverse && marginMarket[account] >= 0) equity *= mark[marginMarket[account]];
      equity += received[account];
      let gross = 0;
      /** Twice the sum of the shares of bars that positions have won: none alone has more. */
      let within = 0;
      for (let row = first; row < end; row++) {
        const contracts = quantity[row];
        if (contracts === 0 || !Number.isNaN(isolatedMargin[row])) continue;
        const m = market[row];
        const price = mark[m];
        const entry = entryPrice[row];
        const signed = contracts * contractSize[m];
        const size = Math.abs(signed);
        let won: number;
        let spent = size;
        if (hasInverse && contractKind[m] === CONTRACT_KIND.inverse) {
          won = signed * (price / entry - 1);
          gross += size;
        } else {
          won = signed * (price - entry);
          spent *= entry;
          gross += size * price;
        }
        equity += won;
        // A sum with its size, and not a comparison: a jump that nothing foretells costs more.
        const share = (won / spent) * reach[m];
        within += share + Math.abs(share) + ROUNDING * reach[m];
      }
      if (!(equity > 0) || gross * within < 2 * SURELY * equity) continue;
      const leverage = gross / equity;
      for (let row = first; row < end; row++)
        if (Number.isNaN(isolatedMargin[row])) this.#take(row, leverage);
    }
  }

  #lookAtIsolated(): void {
    const { accounts, markets, index, mark, quantity, received } = this.#book;
    const { isolatedMargin, market, entryPrice } = accounts;
    const { contractKind, contractSize } = markets;
    const { isolatedRow } = index;
    const hasInverse = this.#hasInverse;
    const isGone = this.#isGone;
    const reach = this.#reach;
    for (let group = accounts.accounts; group < isGone.length; group++) {
      if (isGone[group] === 1) continue;
      const row = isolatedRow[group];
      const m = market[row];
      const price = mark[m];
      const entry = entryPrice[row];
      const signed = quantity[row] * contractSize[m];
      const size = Math.abs(signed);
      let won: number;
      let spent = size;
      let gross = size;
      let equity = isolatedMargin[row];
      if (hasInverse && contractKind[m] === CONTRACT_KIND.inverse) {
        won = signed * (price / entry - 1);
        equity *= mark[m];
      } else {
        won = signed * (price - entry);
        spent *= entry;
        gross *= price;
      }
      equity += received[group];
      equity += won;
      if (!(equity > 0) || gross * (won + ROUNDING * spent) * reach[m] < SURELY * equity * spent) continue;
      this.#take(row, gross / equity);
    }
  }

  #take(row: number, leverage: number): void {
    const { accounts, mark, quantity } = this.#book;
    const contracts = quantity[row];
    if (contracts === 0) return;
    const m = accounts.market[row];
    const side = sideRow(m, contracts);
    const gain = mark[m] / accounts.entryPrice[row] - 1;
    const rank = (contracts > 0 ? gain : -gain) * leverage;
    if (rank >= this.#bar[side]) this.#ranked.add(this.#list[side], row, rank, Math.abs(contracts));
  }

  /** Those who hold one side of a market: first who has won, without a jump that nothing foretells, then what that makes them. */
  #lookAtSide(side: number): void {
    const { accounts, index, mark, quantity } = this.#book;
    const { firstOfMarket, rowsOfMarket, groupOfPlace } = index;
    const { entryPrice } = accounts;
    const sign = side % 2 === 0 ? 1 : -1;
    const m = side >> 1;
    const end = firstOfMarket[m + 1];
    const groups = this.#groups;
    const rows = this.#rows;
    for (let from = firstOfMarket[m]; from < end; from += FETCHED_TOGETHER) {
      const to = Math.min(from + FETCHED_TOGETHER, end);
      let count = 0;
      for (let i = from; i < to; i++) {
        const row = rowsOfMarket[i];
        groups[count] = groupOfPlace[i];
        rows[count] = row;
        const gain = sign * (mark[m] / entryPrice[row] - 1);
        count += Number(sign * quantity[row] > 0) & Number(gain > 0);
      }
      fetchGroups(this.#book, groups, 0, count);
      for (let i = 0; i < count; i++)
        if (this.#isGone[groups[i]] === 0) this.#take(rows[i], leverageOf(this.#book, groups[i]));
    }
  }
}

/** A group out of the order of memory costs as much as so many within it. */
const SCATTERED_COST = 3;
/** Room for the rounding of products, and of mark / entry − 1. */
const SURELY = 1 - 1e-9;
const ROUNDING = 1e-15;
