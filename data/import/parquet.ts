import type { DuckDBConnection } from '@duckdb/node-api';
import { PlimsollError } from '../../src/errors.ts';
import { literal } from '../duckdb.ts';
import { BARS, FUNDING, OPEN_INTEREST, ROW_FORMS, type RowForm, requiredOf } from '../row-form.ts';

/** Which of the uniform columns a Parquet file has. */
export interface ParquetLayout {
  readonly form: RowForm;
  /** The time as an SQL expression: whole numbers as they are, timestamps as epoch milliseconds. */
  readonly stamp: string;
  readonly has: (column: string) => boolean;
}

/**
 * Recognises a Parquet file by the names of its columns; volumes may be missing.
 *
 * @throws PlimsollError FILE_UNREADABLE for what is no whole Parquet file, LAYOUT_UNKNOWN for other columns.
 */
export async function detectParquetLayout(
  connection: DuckDBConnection,
  path: string,
  shownName: string,
): Promise<ParquetLayout> {
  const described = await connection
    .runAndReadAll(`DESCRIBE SELECT * FROM read_parquet(${literal(path)}, hive_partitioning = false)`)
    .catch((cause) => {
      throw new PlimsollError('FILE_UNREADABLE', `${shownName} is not a whole Parquet file`, {
        remedy: 'Fetch the file again; nothing of it was taken.',
        cause,
      });
    });
  const types = new Map(
    described.getRows().map(([name, type]) => [String(name).toLowerCase(), String(type)] as const),
  );
  const has = (column: string): boolean => types.has(column);
  const form = ROW_FORMS.find((one) => requiredOf(one).every(has));
  if (form === undefined) {
    throw new PlimsollError(
      'LAYOUT_UNKNOWN',
      `${shownName} has columns of no known layout: ${[...types.keys()].join(', ').slice(0, 80)}`,
      {
        remedy: `Bars need the columns ${columnsOf(BARS)}; funding needs ${columnsOf(FUNDING)}; open interest needs ${columnsOf(OPEN_INTEREST)}.`,
      },
    );
  }
  const { time } = form;
  const isTimestamp = /^(TIMESTAMP|DATE)/.test(types.get(time) ?? '');
  return { form, has, stamp: isTimestamp ? `epoch_ms(${time})` : `TRY_CAST(${time} AS BIGINT)` };
}

function columnsOf({ time, values }: RowForm): string {
  return [time, ...values].join(', ');
}
