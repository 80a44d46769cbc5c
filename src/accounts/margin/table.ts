import type { Bracket } from '../../limits/types.ts';
import { MICROS, ppmToRate } from '../../units.ts';

/** One bracket in float64. Amounts and caps are in the quote asset, rates are shares of the notional. */
export interface MarginRow {
  /** A notional n is in the row with the smallest cap ≥ n, so floor < n ≤ cap; above the last cap the last row counts on. */
  readonly notionalCap: number;
  readonly initialRate: number;
  readonly maintenanceRate: number;
  /** Maintenance margin is n · rate − amount: what makes it continuous from row to row (Binance calls it `cum`). */
  readonly maintenanceAmount: number;
}

/** Rows from the smallest notional up; at least one. */
export type MarginTable = readonly MarginRow[];

/** A published schedule in float64. */
export function marginTableOf(brackets: readonly Bracket[]): MarginTable {
  return brackets.map((bracket) => ({
    notionalCap: bracket.notionalCap,
    initialRate: ppmToRate(bracket.initialMarginRatePpm),
    maintenanceRate: ppmToRate(bracket.maintenanceMarginRatePpm),
    maintenanceAmount: bracket.maintenanceAmountMicros / MICROS,
  }));
}

/** Index of the row that holds a notional. */
export function rowIndexAt(table: MarginTable, notional: number): number {
  const last = table.length - 1;
  for (let row = 0; row < last; row++) if (notional <= table[row].notionalCap) return row;
  return last;
}

/** In the quote asset. */
export function maintenanceMargin(table: MarginTable, notional: number): number {
  const { maintenanceRate, maintenanceAmount } = table[rowIndexAt(table, notional)];
  return notional * maintenanceRate - maintenanceAmount;
}

/**
 * Initial margin of the whole position at the rate of its row, in the quote asset, as exchanges ask for it: there is no
 * amount that makes it continuous.
 *
 * @param ownRate what the account is held to beside the table, 1 / its leverage; it counts where it is higher.
 */
export function initialMargin(table: MarginTable, notional: number, ownRate = 0): number {
  return notional * Math.max(table[rowIndexAt(table, notional)].initialRate, ownRate);
}

/** Tables of venues are rounded: their maintenance margin may jump by a millionth of the notional, or a cent. */
const JUMP_RATE = 1e-6;
const JUMP_AMOUNT = 0.01;

/** A row of a table that somebody brought, with its own floor. */
export interface VenueRow extends MarginRow {
  readonly notionalFloor: number;
}

/**
 * Everything that is wrong with a table of somebody's own, in words; empty for one that margins can be computed from. It
 * need not keep what this house's schedules keep: leverages may repeat and the last one need not be 1.
 */
export function venueTableFaults(rows: readonly VenueRow[]): string[] {
  if (rows.length === 0) return ['it has no bracket'];
  const faults: string[] = [];
  for (const [i, row] of rows.entries()) {
    const name = `bracket ${i + 1}`;
    const before = i === 0 ? null : rows[i - 1];
    const numbers = [
      row.notionalFloor,
      row.notionalCap,
      row.initialRate,
      row.maintenanceRate,
      row.maintenanceAmount,
    ];
    if (!numbers.every(Number.isFinite)) {
      faults.push(`${name} holds something that is no number`);
      continue;
    }
    if (row.notionalFloor !== (before?.notionalCap ?? 0))
      faults.push(
        before === null
          ? `${name} must start at 0`
          : `${name} starts at ${row.notionalFloor}, but the one before ends at ${before.notionalCap}`,
      );
    if (!(row.notionalCap > row.notionalFloor)) faults.push(`${name} must end above its floor`);
    if (!(row.maintenanceRate > 0 && row.maintenanceRate <= 1))
      faults.push(`the maintenance rate of ${name} must be above 0 and at most 1`);
    if (!(row.initialRate >= row.maintenanceRate && row.initialRate <= 1))
      faults.push(`the initial rate of ${name} must be at least its maintenance rate and at most 1`);
    if (before !== null && row.maintenanceRate < before.maintenanceRate)
      faults.push(`the maintenance rate falls in ${name}`);
    const edge = row.notionalFloor;
    const jump =
      edge * row.maintenanceRate -
      row.maintenanceAmount -
      (before === null ? 0 : edge * before.maintenanceRate - before.maintenanceAmount);
    if (Math.abs(jump) > Math.max(edge * JUMP_RATE, JUMP_AMOUNT))
      faults.push(
        before === null
          ? `the maintenance amount of ${name} must be 0`
          : `maintenance margin jumps by ${Number(jump.toPrecision(12))} at the floor of ${name}`,
      );
  }
  return faults;
}
