import { type AccountColumns, CONTRACT_KIND, type MarketColumns } from '../book/columns.ts';
import { buildGroupIndex, GROUP_STATE, type GroupIndex } from './group-index.ts';
import { type GroupBook, VALUE, VALUES, valueGroup } from './valuation.ts';

/** Leverage of everybody who holds positions, at present marks. Sums in the quote asset. */
export interface LeverageIndex {
  /** Accounts with a position of which something can be said. */
  readonly accounts: number;
  /** Accounts with a position in a market without a mark; the group that holds it is in no sum. */
  readonly unknownAccounts: number;
  /** Σ |notional| over the equity behind it; 0 where there is no equity. */
  readonly gross: number;
  /** Σ over groups of |Σ signed notional|, over the same. */
  readonly net: number;
  readonly grossNotional: number;
  readonly netNotional: number;
  /** Of groups with positions, where it is above 0. */
  readonly equity: number;
  /** What groups owe whose equity is below 0: bad debt if they were closed out at the marks. */
  readonly negativeEquity: number;
  /** Gross notional of groups whose gross notional over equity is above each of `thresholds`. */
  readonly thresholds: readonly number[];
  readonly notionalAbove: Float64Array;
  readonly byMarket: LeverageByMarket;
}

/** A row a market. */
export interface LeverageByMarket {
  /** Notional of the market over the part of its holders' equity that is its part of their gross notional. */
  readonly gross: Float64Array;
  readonly equity: Float64Array;
  readonly longNotional: Float64Array;
  readonly shortNotional: Float64Array;
  /** Open positions. */
  readonly longs: Int32Array;
  readonly shorts: Int32Array;
  /** Rows are markets · thresholds, the threshold the fastest. */
  readonly notionalAbove: Float64Array;
}

export const LEVERAGE_THRESHOLDS = [5, 10, 20, 50] as const;

/** Two passes over the positions. A group without equity is above every threshold. */
export function leverageIndex(
  accounts: AccountColumns,
  markets: MarketColumns,
  index: GroupIndex = buildGroupIndex(accounts, markets),
  thresholds: readonly number[] = LEVERAGE_THRESHOLDS,
): LeverageIndex {
  const count = markets.markets;
  const byMarket: LeverageByMarket = {
    gross: new Float64Array(count),
    equity: new Float64Array(count),
    longNotional: new Float64Array(count),
    shortNotional: new Float64Array(count),
    longs: new Int32Array(count),
    shorts: new Int32Array(count),
    notionalAbove: new Float64Array(count * thresholds.length),
  };
  const notionalAbove = new Float64Array(thresholds.length);
  const [isKnown, isUnknown] = [new Uint8Array(accounts.accounts), new Uint8Array(accounts.accounts)];
  const { quantity } = accounts;
  const book: GroupBook = { accounts, markets, index, quantity, mark: markets.mark, received: null };
  const out = new Float64Array(VALUES);
  let [grossNotional, netNotional, equity, negativeEquity] = [0, 0, 0, 0];
  for (let group = 0; group < index.groups; group++) {
    const state = index.state[group];
    const account = index.accountOfGroup[group];
    if (state === GROUP_STATE.unknown) isUnknown[account] = 1;
    if (state !== GROUP_STATE.known) continue;
    isKnown[account] = 1;
    valueGroup(book, group, out);
    const gross = out[VALUE.gross];
    const own = out[VALUE.equity];
    grossNotional += gross;
    netNotional += Math.abs(out[VALUE.net]);
    if (own > 0) equity += own;
    else negativeEquity -= own;
    let above = 0;
    while (above < thresholds.length && gross > thresholds[above] * own) notionalAbove[above++] += gross;
    spread(book, group, own > 0 ? own / gross : 0, above, thresholds.length, byMarket);
  }
  for (let m = 0; m < count; m++)
    byMarket.gross[m] = ratio(byMarket.longNotional[m] + byMarket.shortNotional[m], byMarket.equity[m]);
  return {
    accounts: isKnown.reduce((sum, one) => sum + one, 0),
    unknownAccounts: isUnknown.reduce((sum, one) => sum + one, 0),
    gross: ratio(grossNotional, equity),
    net: ratio(netNotional, equity),
    grossNotional,
    netNotional,
    equity,
    negativeEquity,
    thresholds,
    notionalAbove,
    byMarket,
  };
}

function ratio(a: number, b: number): number {
  return b > 0 ? a / b : 0;
}

/** Adds a group to its markets. @param above how many of the rising thresholds its leverage is above. */
function spread(
  { accounts, markets, index, quantity, mark }: GroupBook,
  group: number,
  equityPerNotional: number,
  above: number,
  thresholds: number,
  into: LeverageByMarket,
): void {
  const isolated = index.isolatedRow[group];
  const first = isolated >= 0 ? isolated : accounts.firstPosition[group];
  const end = isolated >= 0 ? isolated + 1 : first + accounts.positionCount[group];
  for (let p = first; p < end; p++) {
    if (index.groupOfPosition[p] !== group || quantity[p] === 0) continue;
    const m = accounts.market[p];
    const size = Math.abs(quantity[p]) * markets.contractSize[m];
    const notional = markets.contractKind[m] === CONTRACT_KIND.linear ? size * mark[m] : size;
    into.equity[m] += equityPerNotional * notional;
    if (quantity[p] > 0) {
      into.longNotional[m] += notional;
      into.longs[m]++;
    } else {
      into.shortNotional[m] += notional;
      into.shorts[m]++;
    }
    for (let i = 0; i < above; i++) into.notionalAbove[m * thresholds + i] += notional;
  }
}
