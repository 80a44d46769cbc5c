import {
  bracketFor,
  HIGHEST_RATE_LEVERAGE_PPM,
  largestNotionalOf,
  maintenanceMarginMicros,
  maxLeverageAt,
  SMALLEST_NOTIONAL_CAP,
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
 * caps both are linear. Walks both tables at once and makes nothing: every decision asks it many times.
 */
export function asksForMore(
  a: readonly Bracket[],
  b: readonly Bracket[],
  upTo = Number.POSITIVE_INFINITY,
): boolean {
  let i = 0;
  let j = 0;
  while (i < a.length || j < b.length) {
    const inA = a[Math.min(i, a.length - 1)];
    const inB = b[Math.min(j, b.length - 1)];
    const cap = nextCap(a, i, b, j);
    const notional = Math.min(cap, upTo);
    if (maintenanceMarginMicros(inA, notional) > maintenanceMarginMicros(inB, notional)) return true;
    if (cap >= upTo) return false;
    if (inA.notionalCap === cap) i++;
    if (inB.notionalCap === cap) j++;
  }
  return false;
}

/** The lower one of the caps at two places; a table that has ended has none any more. */
function nextCap(a: readonly Bracket[], i: number, b: readonly Bracket[], j: number): number {
  if (i >= a.length) return b[j].notionalCap;
  return j >= b.length ? a[i].notionalCap : Math.min(a[i].notionalCap, b[j].notionalCap);
}

/**
 * What positions under `held` are held to once new orders are held to `brackets`: the highest convex margin in whole
 * rates that is nowhere above either. Positions that new orders could not make keep theirs, as far as convexity lets them.
 *
 * Exact, so it keeps the order of tables: what is nowhere above `held` comes down to something that is nowhere above the
 * result. What a whole rate costs positions is less than a part per million of the notional.
 *
 * @param leastLastRatePpm what the result asks for beyond its last cap at least; `held` asks for no less there.
 */
export function lowerOf(
  held: readonly Bracket[],
  brackets: readonly Bracket[],
  leastLastRatePpm = 0,
): readonly Bracket[] {
  if (held === brackets) return held;
  const last = largestNotionalOf(brackets);
  if (!asksForMore(held, brackets, last)) return held;
  const steepest = lastRateOf(held);
  const isLower =
    largestNotionalOf(held) <= last && lastRateOf(brackets) <= steepest && !asksForMore(brackets, held);
  return withLastRate(
    isLower ? brackets : lowerInWholeRates(held, brackets),
    Math.min(leastLastRatePpm, steepest),
  );
}

function lowerInWholeRates(held: readonly Bracket[], brackets: readonly Bracket[]): readonly Bracket[] {
  const last = largestNotionalOf(brackets);
  const caps = capsOf(held, brackets);
  const corners = lowerHull(
    caps.map((notional) => ({
      notional,
      marginMicros: Math.min(
        heldMarginMicros(held, notional),
        notional <= last ? heldMarginMicros(brackets, notional) : Number.POSITIVE_INFINITY,
      ),
    })),
  );
  const lines = tangents(corners, lastRateOf(held));
  const table: Bracket[] = [];
  for (const [i, line] of lines.entries()) {
    const cap = i + 1 < lines.length ? crossing(line, lines[i + 1]) : caps[caps.length - 1];
    const leverage = Math.min(
      leverageAt(held, cap),
      leverageAt(brackets, cap),
      Math.floor(HIGHEST_RATE_LEVERAGE_PPM / line.ratePpm),
    );
    table.push(makeBracket(table.at(-1), leverage, cap, line.ratePpm));
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
  if (beyond.length === 0) beyond.push(edgeAbove(last));
  for (const [i, cap] of beyond.entries()) {
    const floor = largestNotionalOf(table);
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

/** A margin of notional · rate − amount. */
interface Line {
  readonly ratePpm: number;
  readonly amountMicros: number;
}

/**
 * The lines in whole rates, the flattest first, whose maximum is the highest convex margin in whole rates that is above
 * no corner, and rises by no more than `steepest`. Each slope between two corners gives the whole rates around it; their
 * lines touch a corner on either side of it.
 */
function tangents(corners: readonly Corner[], steepest: number): readonly Line[] {
  const rates = new Set<number>();
  for (const [i, corner] of corners.entries()) {
    const { notional, marginMicros } = i === 0 ? ORIGIN : corners[i - 1];
    const up = slopeUp(corner, notional, marginMicros);
    const isWhole = up * (corner.notional - notional) === corner.marginMicros - marginMicros;
    if (!isWhole) rates.add(Math.min(up - 1, steepest));
    rates.add(Math.min(up, steepest));
  }
  return [...rates].map((ratePpm) => ({
    ratePpm,
    amountMicros: Math.max(0, ...corners.map((corner) => ratePpm * corner.notional - corner.marginMicros)),
  }));
}

/** Where two neighbours of `tangents` meet. Whole: they touch the same corner, or their rates differ by one. */
function crossing(a: Line, b: Line): number {
  return (b.amountMicros - a.amountMicros) / (b.ratePpm - a.ratePpm);
}

/** The table, with a rate of at least `ratePpm` beyond its last cap. */
function withLastRate(table: readonly Bracket[], ratePpm: number): readonly Bracket[] {
  if (lastRateOf(table) >= ratePpm) return table;
  return [...table, makeBracket(table.at(-1), 1, edgeAbove(largestNotionalOf(table)), ratePpm)];
}

function edgeAbove(notional: number): number {
  return EDGES.find((edge) => edge > notional) ?? notional + SMALLEST_NOTIONAL_CAP;
}

/** One bracket more, or the last one longer where the rate stays. */
function append(table: Bracket[], cap: number, ratePpm: number, leverage: number): void {
  if (table.at(-1)?.maintenanceMarginRatePpm === ratePpm) table.pop();
  table.push(makeBracket(table.at(-1), leverage, cap, ratePpm));
}

/** What the table asks for beyond its last cap, in ppm of what is beyond. */
export function lastRateOf(table: readonly Bracket[]): number {
  return table[table.length - 1].maintenanceMarginRatePpm;
}

function leverageAt(table: readonly Bracket[], notional: number): number {
  return Math.max(maxLeverageAt(table, notional), 1);
}

/** The caps of both, rising, each once. */
function capsOf(a: readonly Bracket[], b: readonly Bracket[]): readonly number[] {
  const caps: number[] = [];
  for (let i = 0, j = 0; i < a.length || j < b.length; ) {
    const cap = nextCap(a, i, b, j);
    caps.push(cap);
    if (i < a.length && a[i].notionalCap === cap) i++;
    if (j < b.length && b[j].notionalCap === cap) j++;
  }
  return caps;
}
