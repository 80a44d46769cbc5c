import { PlimsollError } from '../../src/errors.ts';
import type { Bracket } from '../../src/limits/types.ts';
import type { BarSeries } from '../../src/risk/bars.ts';
import { HOUR_MILLISECONDS, leverageToMarginPpmUp, MICROS, PPM } from '../../src/units.ts';
import { PathRecorder, type SchedulePath } from './schedule-path.ts';

/** The tables of an exchange as somebody recorded them, by symbol, oldest first; null brackets where a market was delisted. */
export type RecordedTables = ReadonlyMap<string, readonly RecordedTable[]>;

export interface RecordedTable {
  /** When it was recorded, epoch milliseconds; the exchange had changed it some time before. */
  readonly recordedAt: number;
  readonly brackets: readonly Bracket[] | null;
}

/**
 * Reads NDJSON, `{"asOf","symbol","brackets":[[floor,cap,maxLeverage,maintenanceMarginRate,maintenanceAmount],…]}`.
 *
 * @throws PlimsollError DATA_INVALID that names the first line which is none.
 */
export function recordedTables(text: string): RecordedTables {
  const tables = new Map<string, RecordedTable[]>();
  for (const [i, line] of text.split('\n').entries()) {
    if (line.trim() === '') continue;
    const { symbol, table } = recordedTable(line, i + 1);
    const known = tables.get(symbol);
    if (known === undefined) tables.set(symbol, [table]);
    else known.push(table);
  }
  for (const versions of tables.values()) versions.sort((a, b) => a.recordedAt - b.recordedAt);
  return tables;
}

function recordedTable(
  line: string,
  number: number,
): { readonly symbol: string; readonly table: RecordedTable } {
  const fault = (what: string): PlimsollError =>
    new PlimsollError('DATA_INVALID', `line ${number} is no recorded table: ${what}`, {
      remedy:
        'Each line is {"asOf","symbol","brackets":[[floor,cap,maxLeverage,maintenanceMarginRate,maintenanceAmount],…]}.',
    });
  let row: { asOf?: unknown; symbol?: unknown; brackets?: unknown } | null = null;
  try {
    row = JSON.parse(line);
  } catch {
    throw fault('it is not JSON');
  }
  const recordedAt = typeof row?.asOf === 'string' ? Date.parse(row.asOf) : Number.NaN;
  if (typeof row?.symbol !== 'string' || !Number.isFinite(recordedAt))
    throw fault('it needs asOf, a time, and symbol');
  const { brackets } = row;
  if (brackets === null) return { symbol: row.symbol, table: { recordedAt, brackets: null } };
  if (!Array.isArray(brackets) || brackets.length === 0) throw fault('brackets is no list');
  const read = brackets.map((bracket, i) => recordedBracket(bracket, i));
  const bad = read.indexOf(null);
  if (bad >= 0) throw fault(`bracket ${bad + 1} does not hold five numbers`);
  return { symbol: row.symbol, table: { recordedAt, brackets: read as Bracket[] } };
}

function recordedBracket(given: unknown, i: number): Bracket | null {
  if (
    !Array.isArray(given) ||
    given.length < 5 ||
    !given.every((value) => Number.isFinite(value) && value >= 0)
  )
    return null;
  const [floor, cap, leverage, maintenanceRate, amount] = given as number[];
  if (!(cap > floor) || !(leverage >= 1)) return null;
  return {
    bracket: i + 1,
    notionalFloor: floor,
    notionalCap: cap,
    maxLeverage: leverage,
    initialMarginRatePpm: leverageToMarginPpmUp(leverage),
    maintenanceMarginRatePpm: Math.round(maintenanceRate * PPM),
    maintenanceAmountMicros: Math.round(amount * MICROS),
  };
}

/**
 * The recorded table at each hour of a market; open positions are held to it from the same hour on, as the exchange does it, and to the last one once
 * the market was delisted.
 */
export function recordedPath(
  symbol: string,
  versions: readonly RecordedTable[],
  bars: BarSeries,
): SchedulePath {
  const recorder = new PathRecorder(symbol, bars.length);
  let next = 0;
  let inForce: readonly Bracket[] | null = null;
  let last: readonly Bracket[] | null = null;
  for (let hour = 0; hour < bars.length; hour++) {
    const at = bars.openTime[hour] + HOUR_MILLISECONDS;
    while (next < versions.length && versions[next].recordedAt <= at) inForce = versions[next++].brackets;
    last = inForce ?? last;
    if (last !== null) recorder.record(hour, inForce, last);
  }
  return recorder.path();
}
