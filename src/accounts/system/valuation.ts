import { type AccountColumns, CONTRACT_KIND, type MarketColumns } from '../book/columns.ts';
import type { GroupIndex } from './group-index.ts';

/**
 * What one margin group is worth, in the quote asset. All profits are taken to the quote asset at the mark, so that the
 * equity of a group is linear in each mark: a linear contract earns quantity · size · (mark − entry), an inverse one
 * mark · quantity · size · (1 / entry − 1 / mark) = quantity · size · (mark / entry − 1), and margin in a base asset is
 * worth its mark. Notionals are quantity · size · mark, and quantity · size of inverse contracts.
 */
export interface GroupBook {
  readonly accounts: AccountColumns;
  readonly markets: MarketColumns;
  readonly index: GroupIndex;
  /** Takes the place of the columns' own: a simulation closes positions on its copy. */
  readonly quantity: Float64Array;
  readonly mark: Float64Array;
  /** Quote asset that came to each group since the columns were filled; null for none. */
  readonly received: Float64Array | null;
}

/** Places in what `valueGroup` writes. */
export const VALUE = {
  equity: 0,
  maintenance: 1,
  /** Sum of the positions' notionals. */
  gross: 2,
  /** Sum of the notionals of longs less that of shorts. */
  net: 3,
  /** Equity falls by at most this times the largest relative move of a mark against what is held in it. */
  equityReach: 4,
  /** Maintenance margin changes by at most this times the largest relative move of a mark, whatever bracket holds then. */
  maintenanceReach: 5,
  /** That of shorts alone, which rises where they lose; that of longs falls where they lose. */
  shortMaintenanceReach: 6,
} as const;
export const VALUES = 7;

/** @param out of `VALUES` numbers. */
export function valueGroup(book: GroupBook, group: number, out: Float64Array): void {
  const { accounts, markets, index, quantity, mark, received } = book;
  const { isolatedMargin, market, entryPrice } = accounts;
  const { contractKind, contractSize, firstBracket, maintenanceRate } = markets;
  const isolatedRow = index.isolatedRow[group];
  const isShared = isolatedRow < 0;
  const account = index.accountOfGroup[group];
  const first = isShared ? accounts.firstPosition[account] : isolatedRow;
  const end = isShared ? first + accounts.positionCount[account] : isolatedRow + 1;
  let margin = isShared ? accounts.collateral[account] : isolatedMargin[isolatedRow];
  let equityReach = 0;
  const marginMarket = index.marginMarket[group];
  if (marginMarket >= 0) {
    margin *= mark[marginMarket];
    equityReach = Math.abs(margin);
  }
  let equity = margin + (received === null ? 0 : received[group]);
  let maintenance = 0;
  let gross = 0;
  let net = 0;
  let maintenanceReach = 0;
  let shortMaintenanceReach = 0;
  for (let p = first; p < end; p++) {
    if (isShared && !Number.isNaN(isolatedMargin[p])) continue;
    const contracts = quantity[p];
    if (contracts === 0) continue;
    const m = market[p];
    const price = mark[m];
    const signed = contracts * contractSize[m];
    let notional = Math.abs(signed);
    if (contractKind[m] === CONTRACT_KIND.linear) {
      notional *= price;
      equity += signed * (price - entryPrice[p]);
      equityReach += notional;
      const most = notional * maintenanceRate[firstBracket[m + 1] - 1];
      maintenanceReach += most;
      if (signed < 0) shortMaintenanceReach += most;
    } else {
      equity += signed * (price / entryPrice[p] - 1);
      equityReach += (notional * price) / entryPrice[p];
    }
    maintenance += maintenanceMargin(markets, m, notional);
    gross += notional;
    net += signed > 0 ? notional : -notional;
  }
  out[VALUE.equity] = equity;
  out[VALUE.maintenance] = maintenance;
  out[VALUE.gross] = gross;
  out[VALUE.net] = net;
  out[VALUE.equityReach] = equityReach;
  out[VALUE.maintenanceReach] = maintenanceReach;
  out[VALUE.shortMaintenanceReach] = shortMaintenanceReach;
}

/** So many are fetched together: what they are made of fits the nearest cache. */
export const FETCHED_TOGETHER = 64;

/**
 * Reads a number of each column at groups that lie far apart and are looked at next: reads that do not wait for each other
 * take a fraction of the time, and looking finds all of it near.
 */
export function fetchGroups(book: GroupBook, groups: Int32Array, from: number, end: number): void {
  const { accounts, index, quantity, received } = book;
  const { isolatedRow, accountOfGroup, groupOfPosition, placeOfRow, marginMarket } = index;
  const { firstPosition, positionCount, collateral, isolatedMargin, market, entryPrice } = accounts;
  let sum = 0;
  for (let i = from; i < end; i++) {
    const group = groups[i];
    const account = accountOfGroup[group];
    const isolated = isolatedRow[group];
    const row = isolated >= 0 ? isolated : firstPosition[account];
    sum += quantity[row] + entryPrice[row] + market[row] + groupOfPosition[row] + placeOfRow[row];
    sum += positionCount[account] + collateral[account] + marginMarket[group] + accounts.quantity[row];
    sum += (isolatedMargin[row] > 0 ? 1 : 0) + (received === null ? 0 : received[group]);
  }
  FETCHED[0] = sum;
}

/** The same for what is changed of positions and their groups. */
export function fetchRows(book: GroupBook, rows: Int32Array, from: number, end: number): void {
  const { accounts, index, quantity, received } = book;
  let sum = 0;
  for (let i = from; i < end; i++) {
    const row = rows[i];
    sum += quantity[row] + accounts.entryPrice[row];
    sum += received === null ? 0 : received[index.groupOfPosition[row]];
  }
  FETCHED[0] = sum;
}

/** Nobody reads it; without it what is fetched would be left out as of no use. */
const FETCHED = new Float64Array(1);

/** Gross notional over equity, as `valueGroup` has both; 0 for a group without equity. */
export function leverageOf(book: GroupBook, group: number): number {
  const { accounts, markets, index, quantity, mark, received } = book;
  const { isolatedMargin, market, entryPrice } = accounts;
  const { contractKind, contractSize } = markets;
  const isolatedRow = index.isolatedRow[group];
  const isShared = isolatedRow < 0;
  const account = index.accountOfGroup[group];
  const first = isShared ? accounts.firstPosition[account] : isolatedRow;
  const end = isShared ? first + accounts.positionCount[account] : isolatedRow + 1;
  let margin = isShared ? accounts.collateral[account] : isolatedMargin[isolatedRow];
  const marginMarket = index.marginMarket[group];
  if (marginMarket >= 0) margin *= mark[marginMarket];
  let equity = margin + (received === null ? 0 : received[group]);
  let gross = 0;
  for (let p = first; p < end; p++) {
    if (isShared && !Number.isNaN(isolatedMargin[p])) continue;
    const contracts = quantity[p];
    if (contracts === 0) continue;
    const m = market[p];
    const signed = contracts * contractSize[m];
    if (contractKind[m] === CONTRACT_KIND.linear) {
      equity += signed * (mark[m] - entryPrice[p]);
      gross += Math.abs(signed) * mark[m];
    } else {
      equity += signed * (mark[m] / entryPrice[p] - 1);
      gross += Math.abs(signed);
    }
  }
  return equity > 0 ? gross / equity : 0;
}

/** Notional · rate − amount of the bracket that holds it, in quote units. */
export function maintenanceMargin(markets: MarketColumns, market: number, notional: number): number {
  const b = bracketRow(markets, market, notional);
  return notional * markets.maintenanceRate[b] - markets.maintenanceAmount[b];
}

/** The bracket with the smallest cap that is not below the notional; above the last cap the last one. */
export function bracketRow(
  { firstBracket, notionalCap }: MarketColumns,
  market: number,
  notional: number,
): number {
  const last = firstBracket[market + 1] - 1;
  let b = firstBracket[market];
  while (b < last && notional > notionalCap[b]) b++;
  return b;
}

/** In quote units, at least 0. */
export function notionalOf(
  { contractKind, contractSize }: MarketColumns,
  market: number,
  quantity: number,
  mark: number,
): number {
  const size = Math.abs(quantity) * contractSize[market];
  return contractKind[market] === CONTRACT_KIND.linear ? size * mark : size;
}

/** Unrealised profit in quote units. */
export function profitOf(
  { contractKind, contractSize }: MarketColumns,
  market: number,
  quantity: number,
  entryPrice: number,
  mark: number,
): number {
  const signed = quantity * contractSize[market];
  return contractKind[market] === CONTRACT_KIND.linear
    ? signed * (mark - entryPrice)
    : signed * (mark / entryPrice - 1);
}
