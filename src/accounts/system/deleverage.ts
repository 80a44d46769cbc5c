import { type GroupBook, notionalOf, profitOf, VALUE, VALUES, valueGroup } from './valuation.ts';

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

/**
 * Auto-deleveraging: the most profitable opposite positions are closed against the fallen ones at the price at which these
 * were bankrupt, that is at the mark less loss / contracts for each contract, but never so that a position loses more than
 * it had won. Ranked by profit as a share of the entry value times the leverage of the group, as Binance ranks them; of
 * equal ones the first row goes first.
 *
 * @param book its quantities are reduced, and what positions realise is received by their groups.
 * @param leverage by group, see `rankingLeverage`. @param touch is told whose positions were reduced.
 */
export function deleverage(
  book: GroupBook & { readonly received: Float64Array },
  { market, fallenSide, contracts, loss }: Shortfall,
  leverage: Float64Array,
  columns: RankingColumns,
  touch: (group: number) => void,
): Deleveraged {
  const { accounts, markets, index, quantity, mark, received } = book;
  const price = mark[market];
  const queue = rankedOpposite(book, market, fallenSide, leverage, columns);
  const lossPerContract = loss / contracts;
  let left = contracts;
  let notional = 0;
  let paid = 0;
  for (let row = queue.next(); row >= 0 && left > 0; row = queue.next()) {
    const held = Math.abs(quantity[row]);
    // Closed in an earlier round.
    if (held === 0) continue;
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

/**
 * Gross notional over equity of the groups that may be deleveraged, at the present marks and before anybody is; 0 for those
 * that have fallen or have no equity. Where a few positions are concerned, of their groups alone.
 *
 * @param into by group.
 */
export function rankingLeverage(
  book: GroupBook,
  shortfalls: readonly Shortfall[],
  isGone: (group: number) => boolean,
  into: Float64Array,
): void {
  const { firstOfMarket, groupOfPlace, groups } = book.index;
  const out = new Float64Array(VALUES);
  const take = (group: number): void => {
    if (isGone(group)) return;
    valueGroup(book, group, out);
    if (out[VALUE.equity] > 0) into[group] = out[VALUE.gross] / out[VALUE.equity];
  };
  into.fill(0);
  const markets = new Set(shortfalls.map(({ market }) => market));
  let places = 0;
  for (const m of markets) places += firstOfMarket[m + 1] - firstOfMarket[m];
  if (places * SCATTERED_COST > groups) {
    for (let group = 0; group < groups; group++) take(group);
    return;
  }
  for (const m of markets)
    for (let i = firstOfMarket[m]; i < firstOfMarket[m + 1]; i++)
      if (into[groupOfPlace[i]] === 0) take(groupOfPlace[i]);
}

/** A group out of the order of memory costs as much as so many within it. */
const SCATTERED_COST = 4;

/** What ranking reads of positions, by place in the lists of markets: in the order in which it reads. */
export interface RankingColumns {
  readonly entryPrice: Float64Array;
  /** 1 long, −1 short: the side that the position had at the beginning. */
  readonly side: Int8Array;
}

export function rankingColumns({ accounts, index }: Pick<GroupBook, 'accounts' | 'index'>): RankingColumns {
  const { rowsOfMarket } = index;
  const entryPrice = new Float64Array(rowsOfMarket.length);
  const side = new Int8Array(rowsOfMarket.length);
  for (let i = 0; i < rowsOfMarket.length; i++) {
    entryPrice[i] = accounts.entryPrice[rowsOfMarket[i]];
    side[i] = accounts.quantity[rowsOfMarket[i]] > 0 ? 1 : -1;
  }
  return { entryPrice, side };
}

/**
 * The profitable positions against a side, best first: a heap, because few of many are taken as a rule. Profit over entry
 * value is ± (mark / entry − 1) for both kinds of contracts.
 */
function rankedOpposite(
  { index, mark }: GroupBook,
  market: number,
  fallenSide: 1 | -1,
  leverage: Float64Array,
  { entryPrice, side }: RankingColumns,
): RankedRows {
  const { firstOfMarket, rowsOfMarket, groupOfPlace } = index;
  const first = firstOfMarket[market];
  const end = firstOfMarket[market + 1];
  const price = mark[market];
  const ranked = new RankedRows(end - first);
  for (let i = first; i < end; i++) {
    if (side[i] === fallenSide) continue;
    const profitShare = -fallenSide * (price / entryPrice[i] - 1);
    if (profitShare <= 0) continue;
    const rank = profitShare * leverage[groupOfPlace[i]];
    if (rank > 0) ranked.add(rowsOfMarket[i], rank);
  }
  ranked.order();
  return ranked;
}

class RankedRows {
  readonly #rank: Float64Array;
  readonly #row: Int32Array;
  #count = 0;

  constructor(most: number) {
    this.#rank = new Float64Array(most);
    this.#row = new Int32Array(most);
  }

  add(row: number, rank: number): void {
    this.#rank[this.#count] = rank;
    this.#row[this.#count++] = row;
  }

  order(): void {
    for (let i = (this.#count >> 1) - 1; i >= 0; i--) this.#sink(i);
  }

  /** −1 when there are no more. */
  next(): number {
    if (this.#count === 0) return -1;
    const row = this.#row[0];
    this.#count--;
    this.#rank[0] = this.#rank[this.#count];
    this.#row[0] = this.#row[this.#count];
    this.#sink(0);
    return row;
  }

  #sink(from: number): void {
    let at = from;
    const rank = this.#rank[at];
    const row = this.#row[at];
    for (;;) {
      let child = 2 * at + 1;
      if (child >= this.#count) break;
      if (child + 1 < this.#count && this.#isBefore(child + 1, this.#rank[child], this.#row[child])) child++;
      if (!this.#isBefore(child, rank, row)) break;
      this.#rank[at] = this.#rank[child];
      this.#row[at] = this.#row[child];
      at = child;
    }
    this.#rank[at] = rank;
    this.#row[at] = row;
  }

  #isBefore(i: number, rank: number, row: number): boolean {
    return this.#rank[i] > rank || (this.#rank[i] === rank && this.#row[i] < row);
  }
}
