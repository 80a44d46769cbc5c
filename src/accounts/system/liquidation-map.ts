import { type AccountColumns, CONTRACT_KIND, type MarketColumns } from '../book/columns.ts';
import { buildGroupIndex, GROUP_STATE, type GroupIndex } from './group-index.ts';
import { bracketRow, type GroupBook, VALUE, VALUES, valueGroup } from './valuation.ts';

/**
 * What is liquidated if the price of one market moves and all others stay. Rows are markets · levels, the level the fastest;
 * a row holds everything that is liquidated up to that level, what is due already included. Notionals are at present marks.
 */
export interface LiquidationMap {
  /** Moves as shares of the mark, rising, none of them 0. */
  readonly levels: Float64Array;
  readonly longNotional: Float64Array;
  readonly shortNotional: Float64Array;
  /** Of the same groups in other markets, which is closed out with it. */
  readonly elsewhereNotional: Float64Array;
  readonly groups: Int32Array;
  /** By market: what is at its liquidation ratio before anything moves. */
  readonly dueLongNotional: Float64Array;
  readonly dueShortNotional: Float64Array;
}

/** Steps of a solution; each step leaves a bracket of a side, so that more are never needed. */
const MAXIMUM_STEPS = 200;

/**
 * Solves the liquidation prices of every group in every market that it holds and sums them up. The slack of a group,
 * liquidation ratio · equity − maintenance margin, is concave and piecewise linear in each mark, because maintenance margin
 * is convex in the notional: it is above 0 between two prices. Newton's steps from beyond one of them never pass it and
 * end after as many steps as there are brackets, so all of it is linear in positions, times the logarithm of the levels.
 *
 * @param levels moves as shares of the mark, above −1, rising, none of them 0.
 * @param liquidationRatio maintenance margin over equity from which on a group is liquidated.
 */
export function liquidationMap(
  accounts: AccountColumns,
  markets: MarketColumns,
  levels: Float64Array,
  liquidationRatio: number,
  index: GroupIndex = buildGroupIndex(accounts, markets),
): LiquidationMap {
  const cells = markets.markets * levels.length;
  const map: LiquidationMap = {
    levels,
    longNotional: new Float64Array(cells),
    shortNotional: new Float64Array(cells),
    elsewhereNotional: new Float64Array(cells),
    groups: new Int32Array(cells),
    dueLongNotional: new Float64Array(markets.markets),
    dueShortNotional: new Float64Array(markets.markets),
  };
  const { quantity } = accounts;
  const book: GroupBook = { accounts, markets, index, quantity, mark: markets.mark, received: null };
  const out = new Float64Array(VALUES);
  const solver = new MarketSolver(book, liquidationRatio);
  const firstUp = levels.findIndex((level) => level > 0);
  const ups = firstUp < 0 ? levels.length : firstUp;
  for (let group = 0; group < index.groups; group++) {
    if (index.state[group] !== GROUP_STATE.known) continue;
    valueGroup(book, group, out);
    const slack = liquidationRatio * out[VALUE.equity] - out[VALUE.maintenance];
    const gross = out[VALUE.gross];
    for (let row = solver.link(group); row >= 0; row = solver.nextMarket(row)) {
      const m = accounts.market[row];
      solver.take(row, group, slack);
      if (slack <= 0) {
        map.dueLongNotional[m] += solver.longNotional;
        map.dueShortNotional[m] += solver.shortNotional;
        // Whichever way the price goes.
        if (ups > 0) add(map, m, ups - 1, solver, gross);
        if (ups < levels.length) add(map, m, ups, solver, gross);
        continue;
      }
      const mark = markets.mark[m];
      if (ups > 0 && solver.slackAt(mark * (1 + levels[0])) <= 0) {
        const move = solver.solve(mark * (1 + levels[0])) / mark - 1;
        add(map, m, lastAtMost(levels, move, 0, ups - 1), solver, gross);
      }
      if (ups < levels.length && solver.slackAt(mark * (1 + levels[levels.length - 1])) <= 0) {
        const move = solver.solve(mark * (1 + levels[levels.length - 1])) / mark - 1;
        add(map, m, firstAtLeast(levels, move, ups, levels.length - 1), solver, gross);
      }
    }
  }
  accumulate(map, markets.markets, ups);
  return map;
}

function add(map: LiquidationMap, market: number, level: number, solver: MarketSolver, gross: number): void {
  const cell = market * map.levels.length + level;
  map.longNotional[cell] += solver.longNotional;
  map.shortNotional[cell] += solver.shortNotional;
  map.elsewhereNotional[cell] += gross - solver.longNotional - solver.shortNotional;
  map.groups[cell]++;
}

/** What is liquidated at a level is liquidated at every one beyond it. */
function accumulate(map: LiquidationMap, markets: number, ups: number): void {
  const count = map.levels.length;
  for (const column of [map.longNotional, map.shortNotional, map.elsewhereNotional, map.groups]) {
    for (let m = 0; m < markets; m++) {
      const row = m * count;
      for (let i = ups - 2; i >= 0; i--) column[row + i] += column[row + i + 1];
      for (let i = ups + 1; i < count; i++) column[row + i] += column[row + i - 1];
    }
  }
}

/** The last of the rising levels from `low` to `high` that is not above the move; `low` is not. */
function lastAtMost(levels: Float64Array, move: number, low: number, high: number): number {
  let [from, until] = [low, high];
  while (from < until) {
    const middle = (from + until + 1) >> 1;
    if (levels[middle] <= move) from = middle;
    else until = middle - 1;
  }
  return from;
}

/** The first of them that is not below the move; `high` is not. */
function firstAtLeast(levels: Float64Array, move: number, low: number, high: number): number {
  let [from, until] = [low, high];
  while (from < until) {
    const middle = (from + until) >> 1;
    if (levels[middle] >= move) until = middle;
    else from = middle + 1;
  }
  return from;
}

/** The slack of one group as a function of one mark: what it holds in other markets stays as it is. */
class MarketSolver {
  longNotional = 0;
  shortNotional = 0;
  readonly #book: GroupBook;
  readonly #ratio: number;
  /** The row of the same group and market before this one; −1 for none. */
  readonly #previousRow: Int32Array;
  /** The last row of the market that the group came to before this one; −1 for none. */
  readonly #previousMarket: Int32Array;
  /** By market, of the group that is linked: its last row, and its place in the chain of markets. */
  readonly #lastRow: Int32Array;
  #row = -1;
  /** Slack of everything else, and what the group's margin gains with a price of one more, if it is in this base asset. */
  #rest = 0;
  #marginSlope = 0;
  #slope = 0;

  constructor(book: GroupBook, ratio: number) {
    this.#book = book;
    this.#ratio = ratio;
    this.#previousRow = new Int32Array(book.index.positionRows).fill(-1);
    this.#previousMarket = new Int32Array(book.index.positionRows).fill(-1);
    this.#lastRow = new Int32Array(book.markets.markets).fill(-1);
  }

  /** Chains the group's rows by market. @returns the row that stands for its first market; −1 for none. */
  link(group: number): number {
    const { accounts, index, quantity } = this.#book;
    const isolated = index.isolatedRow[group];
    if (isolated >= 0) {
      this.#previousRow[isolated] = -1;
      this.#previousMarket[isolated] = -1;
      return isolated;
    }
    const account = index.accountOfGroup[group];
    const first = accounts.firstPosition[account];
    const end = first + accounts.positionCount[account];
    let head = -1;
    for (let p = first; p < end; p++) {
      if (index.groupOfPosition[p] !== group || quantity[p] === 0) continue;
      const m = accounts.market[p];
      // A row that stands for its market keeps the place of the market in the chain: the first one does.
      const before = this.#lastRow[m];
      const isNew = before < first || before >= p || accounts.market[before] !== m;
      if (isNew) {
        this.#previousRow[p] = -1;
        this.#previousMarket[p] = head;
        head = p;
        this.#lastRow[m] = p;
      } else {
        this.#previousRow[p] = this.#previousRow[before];
        this.#previousRow[before] = p;
      }
    }
    return head;
  }

  nextMarket(row: number): number {
    return this.#previousMarket[row];
  }

  /** Looks at the market of a row of the group that is linked. */
  take(row: number, group: number, slack: number): void {
    const { accounts, markets, index, quantity, mark } = this.#book;
    const m = accounts.market[row];
    this.#row = row;
    this.#marginSlope = 0;
    if (index.marginMarket[group] === m) {
      const isolated = index.isolatedRow[group];
      const margin =
        isolated >= 0 ? accounts.isolatedMargin[isolated] : accounts.collateral[index.accountOfGroup[group]];
      this.#marginSlope = this.#ratio * margin;
    }
    this.#rest = 0;
    this.#rest = slack - this.slackAt(mark[m]);
    this.longNotional = 0;
    this.shortNotional = 0;
    for (let p = row; p >= 0; p = this.#previousRow[p]) {
      const size = Math.abs(quantity[p]) * markets.contractSize[m];
      const notional = markets.contractKind[m] === CONTRACT_KIND.linear ? size * mark[m] : size;
      if (quantity[p] > 0) this.longNotional += notional;
      else this.shortNotional += notional;
    }
  }

  /** The group's slack at a price of the market; its slope there is kept. */
  slackAt(price: number): number {
    const { accounts, markets, quantity } = this.#book;
    const { maintenanceRate, maintenanceAmount, contractKind, contractSize } = markets;
    const m = accounts.market[this.#row];
    let slope = this.#marginSlope;
    let constant = this.#rest;
    for (let p = this.#row; p >= 0; p = this.#previousRow[p]) {
      const signed = quantity[p] * contractSize[m];
      const size = Math.abs(signed);
      if (contractKind[m] === CONTRACT_KIND.linear) {
        const b = bracketRow(markets, m, size * price);
        slope += this.#ratio * signed - size * maintenanceRate[b];
        constant += maintenanceAmount[b] - this.#ratio * signed * accounts.entryPrice[p];
      } else {
        const b = bracketRow(markets, m, size);
        slope += (this.#ratio * signed) / accounts.entryPrice[p];
        constant -= this.#ratio * signed + size * maintenanceRate[b] - maintenanceAmount[b];
      }
    }
    this.#slope = slope;
    return constant + slope * price;
  }

  /**
   * The price nearest to the mark at which the group is liquidated, on the side of `from`.
   *
   * @param from a price at which it is.
   */
  solve(from: number): number {
    let price = from;
    for (let step = 0; step < MAXIMUM_STEPS; step++) {
      const slack = this.slackAt(price);
      if (slack >= 0) return price;
      const next = price - slack / this.#slope;
      if (next === price) return price;
      price = next;
    }
    return price;
  }
}
