import type { AccountBook } from '../book/account-book.ts';
import { CONTRACT_KIND } from '../book/columns.ts';
import type { IntList } from '../book/growing.ts';
import { STATUS, type Thresholds } from './statuses.ts';

/** Equity and maintenance margin of what shares them. */
export interface UnitMargin {
  equity: number;
  maintenanceMargin: number;
  initialMargin: number;
  /** Notional at the mark without signs, in quote units. */
  grossNotional: number;
}

/**
 * Looks at margins of many accounts. It only finds the rows where some status has to change; what happened there is told
 * by code that is read more often than it runs.
 */
export class MarginKernel {
  readonly #book: AccountBook;
  readonly #thresholds: Thresholds;

  constructor(book: AccountBook, thresholds: Thresholds) {
    this.#book = book;
    this.#thresholds = thresholds;
  }

  /** Adds the rows of accounts from..until − 1 in which a status has to change to `changed`, in their order. */
  scan(from: number, until: number, changed: IntList): void {
    this.#scan(null, from, until, changed);
  }

  /** The same for the accounts that hold a market; an account that holds it twice may be added twice. */
  scanHolders(market: number, changed: IntList): void {
    const { values, length } = this.#book.holdersOf(market);
    this.#scan(values, 0, length, changed);
  }

  /** @param rows of the accounts to look at; null where they are from..until − 1 themselves. */
  #scan(rows: Int32Array | null, from: number, until: number, changed: IntList): void {
    const { collateral, firstPosition, positionCount, status } = this.#book;
    const { market, quantity, entryPrice, isolatedMargin, positionStatus } = this.#book;
    const { mark, contractKind, contractSize, firstBracket } = this.#book.markets;
    const { notionalCap, maintenanceRate, maintenanceAmount } = this.#book.markets;
    const { up, down } = this.#thresholds;
    for (let i = from; i < until; i++) {
      const row = rows === null ? i : rows[i];
      const first = firstPosition[row];
      const end = first + positionCount[row];
      let equity = collateral[row];
      let maintenance = 0;
      let mustChange = false;
      for (let position = first; position < end; position++) {
        const m = market[position];
        const contracts = quantity[position] * contractSize[m];
        const price = mark[m];
        const isLinear = contractKind[m] === CONTRACT_KIND.linear;
        const size = Math.abs(contracts);
        const notional = isLinear ? size * price : size;
        let bracket = firstBracket[m];
        const last = firstBracket[m + 1] - 1;
        while (bracket < last && notional > notionalCap[bracket]) bracket++;
        let asked = notional * maintenanceRate[bracket] - maintenanceAmount[bracket];
        let profit = contracts * (price - entryPrice[position]);
        if (!isLinear) {
          asked /= price;
          profit = contracts * (1 / entryPrice[position] - 1 / price);
        }
        const own = isolatedMargin[position];
        if (Number.isNaN(own)) {
          equity += profit;
          maintenance += asked;
        } else if (mustMove(positionStatus[position], own + profit, asked, up, down)) mustChange = true;
      }
      if (mustChange || mustMove(status[row], equity, maintenance, up, down)) changed.push(row);
    }
  }

  /** What one account's shared margin comes to; with a position, what that has to itself. */
  marginOf(row: number, only = -1): UnitMargin {
    const book = this.#book;
    const unit = {
      equity: only < 0 ? book.collateral[row] : book.isolatedMargin[only],
      maintenanceMargin: 0,
      initialMargin: 0,
      grossNotional: 0,
    };
    const first = book.firstPosition[row];
    for (let position = first; position < first + book.positionCount[row]; position++) {
      const isOwn = !Number.isNaN(book.isolatedMargin[position]);
      if (only < 0 ? !isOwn : position === only) this.#add(position, unit);
    }
    return unit;
  }

  #add(position: number, unit: UnitMargin): void {
    const { market, quantity, entryPrice, markets } = this.#book;
    const m = market[position];
    const held = quantity[position] * markets.contractSize[m];
    const isLinear = markets.contractKind[m] === CONTRACT_KIND.linear;
    const [mark, entry] = [markets.mark[m], entryPrice[position]];
    const notional = isLinear ? Math.abs(held) * mark : Math.abs(held);
    const perQuote = isLinear ? 1 : 1 / mark;
    let bracket = markets.firstBracket[m];
    while (bracket < markets.firstBracket[m + 1] - 1 && notional > markets.notionalCap[bracket]) bracket++;
    unit.equity += isLinear ? held * (mark - entry) : held * (1 / entry - 1 / mark);
    unit.maintenanceMargin +=
      (notional * markets.maintenanceRate[bracket] - markets.maintenanceAmount[bracket]) * perQuote;
    unit.initialMargin += notional * markets.initialRate[bracket] * perQuote;
    unit.grossNotional += notional;
  }
}

/** Whether `nextStatus` would be another one. */
function mustMove(
  status: number,
  equity: number,
  maintenance: number,
  up: Float64Array,
  down: Float64Array,
): boolean {
  if (maintenance > 0 && equity > 0)
    return maintenance >= up[status] * equity || maintenance < down[status] * equity;
  if (maintenance <= 0) return status !== (equity < 0 ? STATUS.backstop : STATUS.healthy);
  return equity <= 0 && status < STATUS.backstop;
}
