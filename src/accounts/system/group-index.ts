import { type AccountColumns, CONTRACT_KIND, type MarketColumns } from '../book/columns.ts';

/**
 * Who stands behind which position. A margin group is what is liquidated together: all positions of an account that share
 * its collateral, or one isolated position. Groups 0 … accounts − 1 are the shared ones, a group an account; isolated
 * positions follow, in the order of their rows.
 */
export interface GroupIndex {
  readonly groups: number;
  /** Rows of positions that are looked at, holes between accounts included. */
  readonly positionRows: number;
  readonly accountOfGroup: Int32Array;
  /** Row of the isolated position; −1 for a group that shares its account's collateral. */
  readonly isolatedRow: Int32Array;
  /** −1 where no account has the row. */
  readonly groupOfPosition: Int32Array;
  /** Market whose base asset the group's margin is in; −1 for one in the quote asset. */
  readonly marginMarket: Int32Array;
  /** See `GROUP_STATE`. */
  readonly state: Uint8Array;
  /** Rows `firstOfMarket[m]` … `firstOfMarket[m + 1]` − 1 of `rowsOfMarket` are the positions in market m. */
  readonly firstOfMarket: Int32Array;
  readonly rowsOfMarket: Int32Array;
  /** By row: its place in `rowsOfMarket`; of no meaning for a row without a quantity. */
  readonly placeOfRow: Int32Array;
  /** By place: the group. */
  readonly groupOfPlace: Int32Array;
}

export const GROUP_STATE = {
  /** Without positions. */
  empty: 0,
  known: 1,
  /** With a position in a market of which no mark or no table is known: nothing is said of it. */
  unknown: 2,
} as const;

/** Two passes over the positions; holds as long as no position comes, goes or changes its margin mode, whatever marks do. */
export function buildGroupIndex(accounts: AccountColumns, markets: MarketColumns): GroupIndex {
  const { firstPosition, positionCount, isolatedMargin, market, quantity } = accounts;
  let positionRows = 0;
  let isolated = 0;
  for (let a = 0; a < accounts.accounts; a++) {
    const end = firstPosition[a] + positionCount[a];
    if (end > positionRows) positionRows = end;
    for (let p = firstPosition[a]; p < end; p++) if (!Number.isNaN(isolatedMargin[p])) isolated++;
  }
  const groups = accounts.accounts + isolated;
  const accountOfGroup = new Int32Array(groups);
  const isolatedRow = new Int32Array(groups).fill(-1);
  const groupOfPosition = new Int32Array(positionRows).fill(-1);
  const marginMarket = new Int32Array(groups).fill(-1);
  const state = new Uint8Array(groups);
  const isMarketKnown = knownMarkets(markets);
  const firstOfMarket = new Int32Array(markets.markets + 1);
  let next = accounts.accounts;
  for (let a = 0; a < accounts.accounts; a++) {
    accountOfGroup[a] = a;
    let shared = 0;
    let isSharedKnown = 1;
    const end = firstPosition[a] + positionCount[a];
    for (let p = firstPosition[a]; p < end; p++) {
      const m = market[p];
      if (quantity[p] !== 0) firstOfMarket[m + 1]++;
      if (Number.isNaN(isolatedMargin[p])) {
        groupOfPosition[p] = a;
        if (quantity[p] === 0) continue;
        if (shared++ === 0 && markets.contractKind[m] === CONTRACT_KIND.inverse) marginMarket[a] = m;
        isSharedKnown &= isMarketKnown[m];
      } else {
        accountOfGroup[next] = a;
        isolatedRow[next] = p;
        groupOfPosition[p] = next;
        if (markets.contractKind[m] === CONTRACT_KIND.inverse) marginMarket[next] = m;
        state[next] = quantity[p] === 0 ? GROUP_STATE.empty : stateOf(isMarketKnown[m]);
        next++;
      }
    }
    state[a] = shared === 0 ? GROUP_STATE.empty : stateOf(isSharedKnown);
  }
  for (let m = 0; m < markets.markets; m++) firstOfMarket[m + 1] += firstOfMarket[m];
  const rowsOfMarket = new Int32Array(firstOfMarket[markets.markets]);
  const placeOfRow = new Int32Array(positionRows);
  const groupOfPlace = new Int32Array(rowsOfMarket.length);
  const at = firstOfMarket.slice();
  for (let p = 0; p < positionRows; p++) {
    if (groupOfPosition[p] < 0 || quantity[p] === 0) continue;
    const place = at[market[p]]++;
    rowsOfMarket[place] = p;
    placeOfRow[p] = place;
    groupOfPlace[place] = groupOfPosition[p];
  }
  return {
    groups,
    positionRows,
    accountOfGroup,
    isolatedRow,
    groupOfPosition,
    marginMarket,
    state,
    firstOfMarket,
    rowsOfMarket,
    placeOfRow,
    groupOfPlace,
  };
}

/** The rows of a group are among those from here … */
export function firstOf(
  group: number,
  { accounts, index }: { readonly accounts: AccountColumns; readonly index: GroupIndex },
): number {
  const isolated = index.isolatedRow[group];
  return isolated >= 0 ? isolated : accounts.firstPosition[group];
}

/** … up to before here; a shared group leaves out the isolated ones between. */
export function endOf(
  group: number,
  { accounts, index }: { readonly accounts: AccountColumns; readonly index: GroupIndex },
): number {
  const isolated = index.isolatedRow[group];
  return isolated >= 0 ? isolated + 1 : accounts.firstPosition[group] + accounts.positionCount[group];
}

function stateOf(isKnown: number): number {
  return isKnown === 1 ? GROUP_STATE.known : GROUP_STATE.unknown;
}

/** 1 for a market whose mark is a price and that has a maintenance table. */
export function knownMarkets({ markets, mark, firstBracket }: MarketColumns): Uint8Array {
  const isKnown = new Uint8Array(markets);
  for (let m = 0; m < markets; m++)
    isKnown[m] = mark[m] > 0 && Number.isFinite(mark[m]) && firstBracket[m + 1] > firstBracket[m] ? 1 : 0;
  return isKnown;
}
