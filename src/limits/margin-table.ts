import {
  bracketFor,
  HIGHEST_RATE_LEVERAGE_PPM,
  largestNotionalOf,
  maintenanceMarginMicros,
  maxLeverageAt,
} from './brackets.ts';
import { EDGES, makeBracket, slopeUp } from './cut.ts';
import type { Bracket } from './types.ts';

/**
 * Tables as what open positions are held to: maintenance margin by notional, which starts at 0 and is convex. A table for
 * open positions may have caps beyond the last one of new orders, and brackets of the same leverage beside each other.
 */

/** Maintenance margin of an open position in micros. Above the last cap the last bracket counts on: nothing is free. */
export function heldMarginMicros(table: readonly Bracket[], notional: number): number {
  return maintenanceMarginMicros(bracketFor(table, notional) ?? table[table.length - 1], notional);
}

/**
 * Whether `a` asks for more than `b` at some notional up to the largest cap of both, and up to `upTo`. Exact: between two
 * caps both are linear.
 *
 * @param slackPpm of the notional by which it may ask for more.
 */
export function asksForMore(
  a: readonly Bracket[],
  b: readonly Bracket[],
  upTo = Number.POSITIVE_INFINITY,
  slackPpm = 0,
): boolean {
  return capsOf(a, b, upTo).some(
    (notional) => heldMarginMicros(a, notional) - heldMarginMicros(b, notional) > slackPpm * notional,
  );
}

/**
 * What positions under `held` are held to once new orders are held to `brackets`: nowhere more than either, and up to a
 * part per million of the notional the highest convex margin that is so. Any convex margin that both cover is covered by
 * it. Positions that new orders could not make keep theirs.
 */
export function lowerOf(held: readonly Bracket[], brackets: readonly Bracket[]): readonly Bracket[] {
  if (held === brackets) return held;
  const last = largestNotionalOf(brackets);
  if (!asksForMore(held, brackets, last)) return held;
  const steepest = lastRateOf(held);
  if (largestNotionalOf(held) <= last && lastRateOf(brackets) <= steepest && !asksForMore(brackets, held)) {
    return brackets;
  }
  const corners = lowerHull(
    capsOf(held, brackets).map((notional) => ({
      notional,
      marginMicros: Math.min(
        heldMarginMicros(held, notional),
        notional <= last ? heldMarginMicros(brackets, notional) : Number.POSITIVE_INFINITY,
      ),
    })),
  );
  const table: Bracket[] = [];
  for (const [i, { notional, marginMicros }] of corners.entries()) {
    const from = i === 0 ? ORIGIN : corners[i - 1];
    // Rounded in favour of the position: both tables are promises not to ask for more.
    const slope = quotientDown(marginMicros - from.marginMicros, notional - from.notional);
    // Above its last cap the table goes on as steeply as it ends: not more so than the one that it comes from.
    const rate = Math.min(slope, steepest);
    const leverage = Math.min(
      leverageAt(held, notional),
      leverageAt(brackets, notional),
      Math.floor(HIGHEST_RATE_LEVERAGE_PPM / rate),
    );
    append(table, notional, rate, leverage);
  }
  return table;
}

/**
 * A table for new orders as one for open positions that are held to `held`: where it ends it goes on, so that larger
 * positions are not let off.
 *
 * @param held nowhere asks for more than `brackets`, up to the last cap of that.
 */
export function withTailOf(brackets: readonly Bracket[], held: readonly Bracket[]): readonly Bracket[] {
  const last = largestNotionalOf(brackets);
  const steepest = lastRateOf(held);
  const beyond = capsOf(held, []).filter((cap) => cap > last);
  const isCovered = beyond.every((cap) => heldMarginMicros(brackets, cap) >= heldMarginMicros(held, cap));
  if (isCovered && lastRateOf(brackets) >= steepest) return brackets;
  const table = [...brackets];
  if (beyond.length === 0) beyond.push(EDGES.find((edge) => edge > last) ?? last);
  for (const [i, cap] of beyond.entries()) {
    const floor = largestNotionalOf(table);
    if (cap === floor) break;
    const point = { notional: cap, marginMicros: heldMarginMicros(held, cap) };
    const least = i === beyond.length - 1 ? Math.max(lastRateOf(table), steepest) : lastRateOf(table);
    append(table, cap, Math.max(slopeUp(point, floor, heldMarginMicros(table, floor)), least), 1);
  }
  return table;
}

export function isSameTable(a: readonly Bracket[], b: readonly Bracket[]): boolean {
  return (
    a === b ||
    (a.length === b.length &&
      a.every(
        (bracket, i) =>
          bracket.notionalCap === b[i].notionalCap &&
          bracket.maxLeverage === b[i].maxLeverage &&
          bracket.maintenanceMarginRatePpm === b[i].maintenanceMarginRatePpm,
      ))
  );
}

interface Corner {
  readonly notional: number;
  readonly marginMicros: number;
}

const ORIGIN: Corner = { notional: 0, marginMicros: 0 };

/** The corners, without the origin, of the highest convex line from the origin that is above no point (Andrew 1979). */
function lowerHull(points: readonly Corner[]): readonly Corner[] {
  const hull: Corner[] = [ORIGIN];
  for (const point of points) {
    while (hull.length > 1 && !isBelowChord(hull[hull.length - 1], hull[hull.length - 2], point)) hull.pop();
    hull.push(point);
  }
  return hull.slice(1);
}

/** Exact: the products are beyond the safe integers. */
function isBelowChord(corner: Corner, from: Corner, to: Corner): boolean {
  const rise = (a: Corner, b: Corner): bigint => BigInt(b.marginMicros) - BigInt(a.marginMicros);
  const run = (a: Corner, b: Corner): bigint => BigInt(b.notional - a.notional);
  return rise(from, corner) * run(from, to) < rise(from, to) * run(from, corner);
}

/** The largest whole number that is not above a quotient: exact, though division is not. */
function quotientDown(rise: number, run: number): number {
  let quotient = Math.floor(rise / run);
  if (quotient * run > rise) quotient--;
  if ((quotient + 1) * run <= rise) quotient++;
  return quotient;
}

/** One bracket more, or the last one longer where the rate stays. */
function append(table: Bracket[], cap: number, ratePpm: number, leverage: number): void {
  if (table.at(-1)?.maintenanceMarginRatePpm === ratePpm) table.pop();
  table.push(makeBracket(table.at(-1), leverage, cap, ratePpm));
}

function lastRateOf(table: readonly Bracket[]): number {
  return table[table.length - 1].maintenanceMarginRatePpm;
}

function leverageAt(table: readonly Bracket[], notional: number): number {
  return Math.max(maxLeverageAt(table, notional), 1);
}

function capsOf(
  a: readonly Bracket[],
  b: readonly Bracket[],
  upTo = Number.POSITIVE_INFINITY,
): readonly number[] {
  const caps = new Set<number>();
  for (const table of [a, b]) for (const { notionalCap } of table) caps.add(Math.min(notionalCap, upTo));
  return [...caps].sort((x, y) => x - y);
}
