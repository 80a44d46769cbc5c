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
    for (let row = from; row < until; row++) if (this.#mustChange(row)) changed.push(row);
  }

  /** The same for the accounts that hold a market; an account that holds it twice may be added twice. */
  scanHolders(market: number, changed: IntList): void {
    const { values, length } = this.#book.holdersOf(market);
    for (let i = 0; i < length; i++) if (this.#mustChange(values[i])) changed.push(values[i]);
  }

  #mustChange(row: number): boolean {
    const { collateral, firstPosition, positionCount, market, quantity, entryPrice, isolatedMargin } =
      this.#book;
    const { mark, contractKind, contractSize, firstBracket } = this.#book.markets;
    const { notionalCap, maintenanceRate, maintenanceAmount } = this.#book.markets;
    const { status, positionStatus } = this.#book;
    const first = firstPosition[row];
    const end = first + positionCount[row];
    let equity = collateral[row];
    let maintenance = 0;
    for (let position = first; position < end; position++) {
      const m = market[position];
      const held = quantity[position];
      const price = mark[m];
      let size = (held < 0 ? -held : held) * contractSize[m];
      let profit: number;
      let perQuote = 1;
      if (contractKind[m] === CONTRACT_KIND.linear) {
        profit = held * contractSize[m] * (price - entryPrice[position]);
        size *= price;
      } else {
        profit = held * contractSize[m] * (1 / entryPrice[position] - 1 / price);
        perQuote = 1 / price;
      }
      let bracket = firstBracket[m];
      const last = firstBracket[m + 1] - 1;
      while (bracket < last && size > notionalCap[bracket]) bracket++;
      const asked = (size * maintenanceRate[bracket] - maintenanceAmount[bracket]) * perQuote;
      const own = isolatedMargin[position];
      if (!Number.isNaN(own)) {
        if (this.#changes(positionStatus[position], own + profit, asked)) return true;
      } else {
        equity += profit;
        maintenance += asked;
      }
    }
    return this.#changes(status[row], equity, maintenance);
  }

  #changes(status: number, equity: number, maintenance: number): boolean {
    const { up, down } = this.#thresholds;
    if (maintenance <= 0) return status !== (equity < 0 ? STATUS.backstop : STATUS.healthy);
    if (equity <= 0) return status < STATUS.backstop;
    return maintenance >= up[status] * equity || maintenance < down[status] * equity;
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
