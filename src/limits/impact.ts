import {
  bracketFor,
  largestNotionalOf,
  maintenanceMarginMicros,
  maintenanceOf,
  maxLeverageAt,
} from './brackets.ts';
import type { Bracket, LimitBook, MarketLimit } from './types.ts';

/** What a market asks for: of new orders, and of open positions. */
export interface MarketTables {
  readonly brackets: readonly Bracket[];
  readonly maintenance: readonly Bracket[];
}

/**
 * Positions that share what stands behind them: all of a cross-margined account, or one of an isolated one. As far as a
 * change of tables can hurt them.
 */
export interface MarginGroup {
  readonly accountId: string;
  /** What stands behind them at present prices, in millionths of the quote asset, rounded down. */
  readonly marginMicros: bigint;
  readonly positions: readonly HeldPosition[];
}

export interface HeldPosition {
  readonly symbol: string;
  /** Whole units of the quote asset, rounded up. */
  readonly notional: number;
}

/** What becomes of accounts when tables change and prices stay. Counts what the change adds, not what was so before. */
export interface AccountImpact {
  /** Accounts that could be judged. */
  readonly accounts: number;
  /** Accounts with less than the initial margin that the new tables ask for, or above their last cap. */
  readonly breaching: number;
  /** What has to be closed so that none breaches, in whole units of the quote asset. */
  readonly notionalToReduce: number;
  /** Accounts with less than the new maintenance margin: they would be liquidated at once. */
  readonly liquidations: number;
  readonly liquidatedNotional: number;
  /** Positions whose numbers cannot be, or that share their margin with such or with one of a market without tables. */
  readonly unusable: number;
  /** Liquidations and large reductions first, at most `MOST_NAMED` of them. */
  readonly hit: readonly HitPosition[];
}

export interface HitPosition {
  readonly accountId: string;
  readonly symbol: string;
  readonly notionalToReduce: number;
  readonly isLiquidated: boolean;
}

export const MOST_NAMED = 100;

type Tables = ReadonlyMap<string, MarketTables>;

/**
 * Who would be hit if `after` took the place of `before` at this moment. Tables that are equal hit nobody.
 *
 * Initial margin is asked for position by position (notional times the rate of the bracket that holds it). The reduction
 * of a single position is the least that fits, exact in whole units; of several behind one margin it is one that
 * suffices: what pays the highest rate goes first.
 *
 * @param before, after of every market that the groups hold.
 */
export function previewImpact(before: Tables, after: Tables, groups: readonly MarginGroup[]): AccountImpact {
  const accounts = new Set<string>();
  const breaching = new Set<string>();
  const liquidated = new Set<string>();
  const hit: HitPosition[] = [];
  let [notionalToReduce, liquidatedNotional, unusable] = [0, 0, 0];
  for (const group of groups) {
    const { accountId, positions } = group;
    if (!isPossible(group, before, after)) {
      unusable += positions.length;
      continue;
    }
    accounts.add(accountId);
    const [old, now] = [excessOf(group, before), excessOf(group, after)];
    const isLiquidated = isBelowMaintenance(group, after) && !isBelowMaintenance(group, before);
    if (isLiquidated) liquidated.add(accountId);
    for (const [p, { symbol, notional }] of positions.entries()) {
      const reduction = Math.max(now[p] - old[p], 0);
      if (reduction > 0) breaching.add(accountId);
      notionalToReduce += reduction;
      if (isLiquidated) liquidatedNotional += notional;
      if (reduction > 0 || isLiquidated)
        hit.push({ accountId, symbol, notionalToReduce: reduction, isLiquidated });
    }
  }
  return {
    accounts: accounts.size,
    breaching: breaching.size,
    notionalToReduce,
    liquidations: liquidated.size,
    liquidatedNotional,
    unusable,
    hit: worstFirst(hit),
  };
}

/** What several parts of all accounts say together; null where none knows an account. No account may be in two parts. */
export function mergedImpact(impacts: readonly (AccountImpact | null)[]): AccountImpact | null {
  const known = impacts.filter((impact) => impact !== null);
  if (known.length === 0) return null;
  const sum = (of: (impact: AccountImpact) => number): number =>
    known.reduce((total, impact) => total + of(impact), 0);
  return {
    accounts: sum(({ accounts }) => accounts),
    breaching: sum(({ breaching }) => breaching),
    notionalToReduce: sum(({ notionalToReduce }) => notionalToReduce),
    liquidations: sum(({ liquidations }) => liquidations),
    liquidatedNotional: sum(({ liquidatedNotional }) => liquidatedNotional),
    unusable: sum(({ unusable }) => unusable),
    hit: worstFirst(known.flatMap(({ hit }) => hit)),
  };
}

function worstFirst(hit: readonly HitPosition[]): readonly HitPosition[] {
  const sorted = hit.toSorted(
    (a, b) => Number(b.isLiquidated) - Number(a.isLiquidated) || b.notionalToReduce - a.notionalToReduce,
  );
  return sorted.slice(0, MOST_NAMED);
}

function isPossible({ positions }: MarginGroup, before: Tables, after: Tables): boolean {
  return positions.every(
    ({ symbol, notional }) =>
      Number.isSafeInteger(notional) && notional >= 0 && before.has(symbol) && after.has(symbol),
  );
}

/** How much of each position is beyond what the margin, and the last caps, allow. */
function excessOf({ marginMicros, positions }: MarginGroup, tables: Tables): readonly number[] {
  const brackets = positions.map(({ symbol }) => (tables.get(symbol) as MarketTables).brackets);
  const kept = positions.map(({ notional }, p) => Math.min(notional, largestNotionalOf(brackets[p])));
  const rateOf = (p: number): number => bracketFor(brackets[p], kept[p])?.initialMarginRatePpm ?? 0;
  for (;;) {
    const asked = kept.reduce((sum, notional, p) => sum + BigInt(notional) * BigInt(rateOf(p)), 0n);
    const missing = asked - marginMicros;
    if (missing <= 0n) break;
    const dearest = kept.reduce((best, notional, p) => {
      return notional > 0 && (best < 0 || rateOf(p) > rateOf(best)) ? p : best;
    }, -1);
    if (dearest < 0) break;
    // Within its bracket as far as it takes; where that is not enough the bracket below asks for less of all of it.
    const floor = bracketFor(brackets[dearest], kept[dearest])?.notionalFloor ?? 0;
    const needed = (missing + BigInt(rateOf(dearest)) - 1n) / BigInt(rateOf(dearest));
    const room = BigInt(kept[dearest] - floor);
    kept[dearest] = needed < room ? kept[dearest] - Number(needed) : floor;
  }
  return positions.map(({ notional }, p) => notional - kept[p]);
}

/** Above the last cap the last bracket counts on: a position there is not free of margin. */
function isBelowMaintenance({ marginMicros, positions }: MarginGroup, tables: Tables): boolean {
  const asked = positions.reduce((sum, { symbol, notional }) => {
    const { maintenance } = tables.get(symbol) as MarketTables;
    const bracket = bracketFor(maintenance, notional) ?? maintenance[maintenance.length - 1];
    return (
      sum +
      BigInt(notional) * BigInt(bracket.maintenanceMarginRatePpm) -
      BigInt(bracket.maintenanceAmountMicros)
    );
  }, 0n);
  return marginMicros < asked;
}

/** What the tables say between two notionals, before and after. A leverage of 0: refused. */
export interface RangeChange {
  readonly notionalFloor: number;
  readonly notionalCap: number;
  readonly leverageBefore: number;
  readonly leverageAfter: number;
  /**
   * Maintenance margin of a position at the cap over its notional, in ppm rounded up: a bracket's own rate holds for the
   * last unit alone. Null where the position is refused.
   */
  readonly maintenanceRatePpmBefore: number | null;
  readonly maintenanceRatePpmAfter: number | null;
}

export interface TableImpact {
  readonly maxLeverageBefore: number;
  readonly maxLeverageAfter: number;
  /** Between all edges of both, from the smallest notional up. */
  readonly ranges: readonly RangeChange[];
  /** The notionals that lose leverage, joined where they touch. */
  readonly losing: readonly { readonly notionalFloor: number; readonly notionalCap: number }[];
}

/** Where and by how much a market's tables differ. */
export function tableImpact(before: MarketTables, after: MarketTables): TableImpact {
  const tables = [before.brackets, after.brackets, before.maintenance, after.maintenance];
  const caps = [...new Set(tables.flatMap((table) => table.map(({ notionalCap }) => notionalCap)))].sort(
    (a, b) => a - b,
  );
  const rate = (table: readonly Bracket[], notional: number): number | null => {
    const bracket = bracketFor(table, notional);
    return bracket === null ? null : Math.ceil(maintenanceMarginMicros(bracket, notional) / notional);
  };
  const ranges = caps.map((notionalCap, i) => ({
    notionalFloor: i === 0 ? 0 : caps[i - 1],
    notionalCap,
    leverageBefore: maxLeverageAt(before.brackets, notionalCap),
    leverageAfter: maxLeverageAt(after.brackets, notionalCap),
    maintenanceRatePpmBefore: rate(before.maintenance, notionalCap),
    maintenanceRatePpmAfter: rate(after.maintenance, notionalCap),
  }));
  const losing: { notionalFloor: number; notionalCap: number }[] = [];
  for (const { notionalFloor, notionalCap, leverageBefore, leverageAfter } of ranges) {
    if (leverageAfter >= leverageBefore) continue;
    const last = losing.at(-1);
    if (last?.notionalCap === notionalFloor) last.notionalCap = notionalCap;
    else losing.push({ notionalFloor, notionalCap });
  }
  return {
    maxLeverageBefore: before.brackets[0].maxLeverage,
    maxLeverageAfter: after.brackets[0].maxLeverage,
    ranges,
    losing,
  };
}

export function tablesOf(market: MarketLimit): MarketTables {
  return { brackets: market.brackets, maintenance: maintenanceOf(market) };
}

/** The tables of every market in a book. */
export function tablesOfBook({ markets }: LimitBook): Map<string, MarketTables> {
  return new Map(markets.map((market) => [market.symbol, tablesOf(market)]));
}
