import { bracketFor, maintenanceMarginMicros, maintenanceOf, maxLeverageAt } from './brackets.ts';
import type { Bracket, MarketLimit } from './types.ts';

/** What a market asks for: of new orders, and of open positions. */
export interface MarketTables {
  readonly brackets: readonly Bracket[];
  readonly maintenance: readonly Bracket[];
}

/** One position of an account, as far as a change of tables can hurt it. */
export interface HeldPosition {
  readonly accountId: string;
  readonly symbol: string;
  /** Whole units of the quote asset, rounded up. */
  readonly notional: number;
  /** What stands behind it, in millionths of the quote asset, rounded down. */
  readonly marginMicros: number;
}

/** What becomes of accounts when tables change and prices stay. Counts what the change adds, not what was so before. */
export interface AccountImpact {
  /** Accounts with a position in these markets. */
  readonly accounts: number;
  /** Accounts with less than the initial margin that the new tables ask for, or above their last cap. */
  readonly breaching: number;
  /** The least that has to be closed so that none breaches, in whole units of the quote asset. */
  readonly notionalToReduce: number;
  /** Accounts with less than the new maintenance margin: they would be liquidated at once. */
  readonly liquidations: number;
  readonly liquidatedNotional: number;
  /** Positions whose numbers cannot be, or whose market has no tables; they are in nothing above. */
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

/**
 * Who would be hit if `after` took the place of `before` at this moment. Tables that are equal hit nobody.
 *
 * Initial margin is asked for position by position (notional times the rate of the bracket that holds it); the least
 * reduction is exact in whole units.
 */
export function previewImpact(
  before: ReadonlyMap<string, MarketTables>,
  after: ReadonlyMap<string, MarketTables>,
  positions: readonly HeldPosition[],
): AccountImpact {
  const accounts = new Set<string>();
  const breaching = new Set<string>();
  const liquidated = new Set<string>();
  const hit: HitPosition[] = [];
  let [notionalToReduce, liquidatedNotional, unusable] = [0, 0, 0];
  for (const position of positions) {
    const { accountId, symbol, notional } = position;
    const [old, now] = [before.get(symbol), after.get(symbol)];
    if (old === undefined || now === undefined || !isPossible(position)) {
      unusable++;
      continue;
    }
    accounts.add(accountId);
    const reduction = Math.max(excessOf(position, now.brackets) - excessOf(position, old.brackets), 0);
    const isLiquidated = isBelowMaintenance(position, now) && !isBelowMaintenance(position, old);
    if (reduction > 0) breaching.add(accountId);
    if (isLiquidated) {
      liquidated.add(accountId);
      liquidatedNotional += notional;
    }
    notionalToReduce += reduction;
    if (reduction > 0 || isLiquidated)
      hit.push({ accountId, symbol, notionalToReduce: reduction, isLiquidated });
  }
  hit.sort(
    (a, b) => Number(b.isLiquidated) - Number(a.isLiquidated) || b.notionalToReduce - a.notionalToReduce,
  );
  return {
    accounts: accounts.size,
    breaching: breaching.size,
    notionalToReduce,
    liquidations: liquidated.size,
    liquidatedNotional,
    unusable,
    hit: hit.slice(0, MOST_NAMED),
  };
}

function isPossible({ notional, marginMicros }: HeldPosition): boolean {
  return Number.isSafeInteger(notional) && notional >= 0 && Number.isSafeInteger(marginMicros);
}

/** How much of a position is beyond what its margin, and the last cap, allow. */
function excessOf({ notional, marginMicros }: HeldPosition, brackets: readonly Bracket[]): number {
  return notional - Math.min(notional, largestNotionalFor(marginMicros, brackets));
}

/** The largest position that a margin carries: in the last bracket where it pays for anything. */
function largestNotionalFor(marginMicros: number, brackets: readonly Bracket[]): number {
  for (const { notionalFloor, notionalCap, initialMarginRatePpm } of brackets.toReversed()) {
    const affordable = Math.min(Math.floor(marginMicros / initialMarginRatePpm), notionalCap);
    if (affordable > notionalFloor) return affordable;
  }
  return 0;
}

/** Above the last cap the last bracket counts on: a position there is not free of margin. */
function isBelowMaintenance(
  { notional, marginMicros }: HeldPosition,
  { maintenance }: MarketTables,
): boolean {
  const bracket = bracketFor(maintenance, notional) ?? maintenance[maintenance.length - 1];
  return marginMicros < maintenanceMarginMicros(bracket, notional);
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
