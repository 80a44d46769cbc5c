import type { DuckDBConnection } from '@duckdb/node-api';
import { PlimsollError } from '../../src/errors.ts';
import { literal, numbersOf } from '../duckdb.ts';
import type { RowForm } from '../row-form.ts';
import { damagedGzip, MICROSECOND_STAMPS_FROM, type TextLayout } from './layout.ts';
import type { ParquetLayout } from './parquet.ts';
import { type StageRequest, stagePlain } from './stage-plain.ts';

/** Why a row is refused. The remedy is said once for each reason that occurs. */
export const ROW_REASONS = {
  COLUMN_COUNT: 'Give every row the number of columns that the layout has.',
  NOT_A_NUMBER: 'Give plain finite numbers; an unknown volume is left empty.',
  PRICE_NOT_POSITIVE: 'Prices must be above zero; leave out bars without a trade.',
  HIGH_BELOW_LOW: 'The high must not be below the low.',
  OUTSIDE_RANGE: 'Open and close must lie between low and high.',
  NEGATIVE_VOLUME: 'Volumes must not be negative.',
  OPEN_INTEREST_NOT_POSITIVE: 'Open interest must be above zero; leave out times at which none is known.',
  OTHER_MARKET: 'The row is of another market than the file; give a file for each market.',
  OFF_GRID: "A stamp must be a multiple of the series' interval.",
  FUTURE_STAMP: 'It is not over yet by the clock of this machine; import it later, or set the clock.',
  BACKWARD_STAMP: 'Sort the file by time.',
  DUPLICATE_STAMP: 'Keep one row for each time.',
  CONFLICT: 'The stored row has other values and was kept; import with --replace to overwrite it.',
} as const;
export type RowReason = keyof typeof ROW_REASONS;

export interface RefusedRow {
  readonly line: number;
  readonly reason: RowReason;
}

export interface StagedFile {
  readonly rows: number;
  readonly refusedByReason: Readonly<Partial<Record<RowReason, number>>>;
  /** The first refused rows, by line. */
  readonly refused: readonly RefusedRow[];
  /** The interval that the stamps show where it contradicts the one expected, milliseconds; null where it does not. */
  readonly contradictingInterval: number | null;
  /** The staged rows are in the order of their times. */
  readonly isSorted: boolean;
}

export const SHOWN_ROWS = 20;
const LONGEST_LINE_BYTES = 1_000_000;

/**
 * Reads a text file into the temporary table `staged` (good rows) and reports the others.
 *
 * @throws PlimsollError FILE_UNREADABLE for a damaged gzip file and for what is no text of lines.
 */
export async function stageText(
  connection: DuckDBConnection,
  layout: TextLayout,
  request: StageRequest,
): Promise<StagedFile> {
  const rows = await stagePlain(connection, layout, request);
  request.interrupted.throwIfAborted();
  if (rows === null) return stageLines(connection, layout, request);
  return {
    rows,
    refusedByReason: {},
    refused: [],
    contradictingInterval: null,
    isSorted: true,
  };
}

/**
 * The careful way: a line is one value to the reader, so that line numbers are those of the file, whatever is wrong
 * inside a line.
 */
export async function stageLines(
  connection: DuckDBConnection,
  layout: TextLayout,
  request: StageRequest,
): Promise<StagedFile> {
  const { path, shownName, symbol } = request;
  // Read and parsed in two steps: only what does not have to number the lines runs on both threads. The reader that is
  // told of two-character line ends takes a single line feed as well; without it, mixed ends are counted twice.
  const readLines = `CREATE OR REPLACE TEMP TABLE lines AS
     SELECT row_number() OVER () AS line, text FROM read_csv(${literal(path)},
       columns = {'text': 'VARCHAR'}, header = false, delim = chr(31), quote = '', escape = '',
       new_line = '\\r\\n', compression = '${layout.compression}', auto_detect = false, parallel = false,
       strict_mode = false, max_line_size = ${LONGEST_LINE_BYTES})`;
  await connection.run(readLines).catch((thrown) => {
    throw unreadableText(shownName, thrown);
  });
  const values = Object.entries(layout.values);
  const optional = values.filter(([name]) => layout.form.optional.includes(name));
  const isBad = optional.map(
    ([name, place]) => `(trim(f[${place}], ' ' || chr(13)) <> '' AND ${name} IS NULL)`,
  );
  await connection.run(
    `CREATE OR REPLACE TEMP TABLE parsed AS
     SELECT line, columns, stamp, ${values.map(([name]) => name).join(', ')}, ${isBad.join(' OR ') || 'false'} AS bad_optional,
       ${layout.symbol === null ? 'false' : `f[${layout.symbol}] <> ${literal(symbol)}`} AS is_other
     FROM (SELECT line, f, len(f) AS columns, ${STAMPS[layout.stamps](`f[${layout.time}]`)} AS stamp,
         ${values.map(([name, place]) => `TRY_CAST(f[${place}] AS DOUBLE) AS ${name}`).join(', ')}
       FROM (SELECT line, ${FIELDS} AS f FROM lines
         WHERE line > ${layout.headerLines} AND text IS NOT NULL AND text NOT IN ('', chr(13))))`,
  );
  return judgeParsed(connection, layout.form, layout.columns, request);
}

/** A time in text as epoch milliseconds, or microseconds; null for what is none. */
const STAMPS: Readonly<Record<TextLayout['stamps'], (field: string) => string>> = {
  epoch: (field) => `TRY_CAST(${field} AS BIGINT)`,
  text: (field) => `epoch_ms(try_strptime(trim(${field}), '%Y-%m-%d %H:%M:%S'))`,
};

/** A quoted field is its content; a quote anywhere else stays and is no number. */
const FIELDS = `CASE WHEN contains(text, '"')
  THEN list_transform(string_split(text, ','), lambda field: regexp_replace(trim(field), '^"([^"]*)"$', '\\1'))
  ELSE string_split(text, ',') END`;

/** The reader names the line and quotes it whole; the reason comes after it. */
function unreadableText(shownName: string, thrown: unknown): PlimsollError {
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  if (/GZIP stream/.test(message)) return damagedGzip(shownName, 'something else follows the packed data');
  const line = /CSV Error on Line: (\d+)/.exec(message)?.[1];
  const where = line === undefined ? '' : ` line ${line}`;
  const why = /Maximum line size/.test(message)
    ? `is longer than ${LONGEST_LINE_BYTES} bytes`
    : /Invalid unicode/.test(message)
      ? 'is not UTF-8 text'
      : `could not be read: ${message.split('\n', 1)[0]}`;
  return new PlimsollError('FILE_UNREADABLE', `${shownName}${where} ${why}`, {
    remedy: 'Check that it is a text file with one row a line; nothing of it was taken.',
    details: line === undefined ? { file: shownName } : { file: shownName, line: Number(line) },
    cause: thrown,
  });
}

/** The same for a Parquet file with the uniform names; a row's number stands for its line. */
export async function stageParquet(
  connection: DuckDBConnection,
  layout: ParquetLayout,
  request: StageRequest,
): Promise<StagedFile> {
  const { form, stamp, has } = layout;
  const { values: names, optional } = form;
  const value = (name: string): string => (has(name) ? `TRY_CAST(${name} AS DOUBLE)` : 'NULL::DOUBLE');
  const isBad = optional.filter(has).map((name) => `(${name} IS NOT NULL AND ${value(name)} IS NULL)`);
  await connection.run(
    `CREATE OR REPLACE TEMP TABLE parsed AS
     SELECT file_row_number + 1 AS line, ${names.length + 1} AS columns, ${stamp} AS stamp,
       ${names.map((name) => `${value(name)} AS ${name}`).join(', ')},
       ${isBad.join(' OR ') || 'false'} AS bad_optional, false AS is_other
     FROM read_parquet(${literal(request.path)}, file_row_number = true)`,
  );
  return judgeParsed(connection, form, names.length + 1, request);
}

/** Judges the rows of `parsed`; leaves the good ones in `staged`, under the names that are stored. */
async function judgeParsed(
  connection: DuckDBConnection,
  form: RowForm,
  columns: number,
  { intervalMilliseconds, now }: StageRequest,
): Promise<StagedFile> {
  const { time, values, optional, isOnGrid, checks } = form;
  const noNumber = values.map((name) =>
    optional.includes(name)
      ? `NOT isfinite(coalesce(${name}, 0))`
      : `${name} IS NULL OR NOT isfinite(${name})`,
  );
  const milliseconds = `CASE WHEN abs(stamp) >= ${MICROSECOND_STAMPS_FROM} THEN stamp // 1000 ELSE stamp END`;
  await connection.run(
    `CREATE OR REPLACE TEMP TABLE judged AS
     WITH stamped AS (SELECT * REPLACE (${milliseconds} AS stamp) FROM parsed),
     alone AS (SELECT *, CASE
       WHEN columns <> ${columns} THEN 'COLUMN_COUNT'
       WHEN is_other THEN 'OTHER_MARKET'
       WHEN stamp IS NULL OR bad_optional OR ${noNumber.join(' OR ')} THEN 'NOT_A_NUMBER'
       ${checks.map(({ reason, condition }) => `WHEN ${condition} THEN '${reason}'`).join('\n       ')}
       ${isOnGrid ? `WHEN stamp % ${intervalMilliseconds} <> 0 THEN 'OFF_GRID'` : ''}
       WHEN stamp + ${isOnGrid ? intervalMilliseconds : 0} > ${now} THEN 'FUTURE_STAMP'
       END AS reason FROM stamped),
     ordered AS (SELECT *, max(stamp) FILTER (reason IS NULL)
       OVER (ORDER BY line ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS newest FROM alone)
     SELECT * REPLACE (CASE
       WHEN reason IS NOT NULL THEN reason
       WHEN stamp = newest THEN 'DUPLICATE_STAMP'
       WHEN stamp < newest THEN 'BACKWARD_STAMP' END AS reason) FROM ordered`,
  );
  await connection.run(
    `CREATE OR REPLACE TEMP TABLE staged AS
     SELECT stamp AS ${time}, ${values.join(', ')}, line FROM judged WHERE reason IS NULL`,
  );
  return report(connection, form, intervalMilliseconds);
}

async function report(
  connection: DuckDBConnection,
  { isOnGrid }: RowForm,
  intervalMilliseconds: number,
): Promise<StagedFile> {
  const [rows] = await numbersOf(connection, 'SELECT count(*) FROM judged');
  const byReason = await connection.runAndReadAll(
    'SELECT reason, count(*) FROM judged WHERE reason IS NOT NULL GROUP BY reason ORDER BY reason',
  );
  const first = await connection.runAndReadAll(
    `SELECT line, reason FROM judged WHERE reason IS NOT NULL ORDER BY line LIMIT ${SHOWN_ROWS}`,
  );
  const refusedByReason = Object.fromEntries(byReason.getRows().map(([reason, n]) => [reason, Number(n)]));
  return {
    rows,
    refusedByReason,
    isSorted: false,
    refused: first.getRows().map(([line, reason]) => ({ line: Number(line), reason: reason as RowReason })),
    contradictingInterval: isOnGrid
      ? await contradiction(connection, intervalMilliseconds, 'OFF_GRID' in refusedByReason)
      : null,
  };
}

const LEAST_DISTANCES = 2;

/**
 * Rows of a finer series are mostly off the grid, and the few on it would pass for bars that they are not. Rows of a
 * coarser series are all on it, and all a multiple of something larger apart: a gap alone is no contradiction. Rows
 * that are refused for their values still show when they were.
 */
async function contradiction(
  connection: DuckDBConnection,
  intervalMilliseconds: number,
  hasOffGrid: boolean,
): Promise<number | null> {
  if (hasOffGrid) {
    const distances = distancesWhere(`reason IS NULL OR reason = 'OFF_GRID'`);
    const [count, median] = await numbersOf(
      connection,
      `SELECT count(*), coalesce(quantile_disc(distance, 0.5), 0) FROM (${distances})`,
    );
    if (count >= LEAST_DISTANCES && median < intervalMilliseconds) return median;
  }
  const distances = distancesWhere(`stamp % ${intervalMilliseconds} = 0`);
  const [count, least] = await numbersOf(
    connection,
    `SELECT count(*), coalesce(min(distance), 0) FROM (${distances})`,
  );
  if (count < LEAST_DISTANCES || least <= intervalMilliseconds) return null;
  const [uneven] = await numbersOf(
    connection,
    `SELECT count(*) FROM (${distances}) WHERE distance % ${least} <> 0`,
  );
  return uneven === 0 ? least : null;
}

/** How far apart neighbouring times are, among the rows that a condition selects. */
function distancesWhere(condition: string): string {
  return `SELECT distance FROM (
    SELECT stamp - lag(stamp) OVER (ORDER BY stamp) AS distance FROM judged WHERE ${condition}) WHERE distance > 0`;
}
