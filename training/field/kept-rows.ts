import { deserialize, serialize } from 'node:v8';
import { CELLS_PER_MARKET, HORIZON_COUNT, PATHS_PER_MARKET } from '../../src/forecast/predictor.ts';
import type { ForecastTable } from '../judge/tables.ts';

/** Columns of a forecast table with how many values a row has in each. */
const COLUMNS = [
  ['valueAtRisk', CELLS_PER_MARKET],
  ['expectedShortfall', CELLS_PER_MARKET],
  ['shockProbability', PATHS_PER_MARKET],
  ['variance', HORIZON_COUNT],
] as const;

type KeptTable = Readonly<Record<(typeof COLUMNS)[number][0], Float64Array | null>> & {
  readonly forecaster: string;
};

/** Some rows of some tables as bytes; every bit comes back. */
export function rowsAsBytes(tables: readonly ForecastTable[], rows: Uint32Array): Buffer {
  const kept = tables.map((table): KeptTable => {
    const of = (name: (typeof COLUMNS)[number][0], width: number): Float64Array | null => {
      const column = table[name];
      if (column === null) return null;
      const values = new Float64Array(rows.length * width);
      for (let i = 0; i < rows.length; i++)
        values.set(column.subarray(rows[i] * width, (rows[i] + 1) * width), i * width);
      return values;
    };
    const columns = Object.fromEntries(COLUMNS.map(([name, width]) => [name, of(name, width)]));
    return { forecaster: table.forecaster, ...columns } as KeptTable;
  });
  return serialize(kept);
}

/** Puts rows back where `rowsAsBytes` took them from. @returns false, with nothing put, where they are of other tables or other rows. */
export function putRows(tables: readonly ForecastTable[], rows: Uint32Array, bytes: Uint8Array): boolean {
  const kept = deserialize(bytes) as readonly KeptTable[];
  const isOurs =
    kept.length === tables.length &&
    tables.every(
      (table, i) =>
        kept[i].forecaster === table.forecaster &&
        COLUMNS.every(([name, width]) =>
          table[name] === null ? kept[i][name] === null : kept[i][name]?.length === rows.length * width,
        ),
    );
  if (!isOurs) return false;
  for (const [t, table] of tables.entries())
    for (const [name, width] of COLUMNS) {
      const [column, values] = [table[name], kept[t][name]];
      if (column === null || values === null) continue;
      for (let i = 0; i < rows.length; i++)
        column.set(values.subarray(i * width, (i + 1) * width), rows[i] * width);
    }
  return true;
}
