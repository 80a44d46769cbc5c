import type { DuckDBConnection } from '@duckdb/node-api';
import { PlimsollError } from '../../src/errors.ts';
import { literal, numbersOf } from '../duckdb.ts';
import { damagedGzip, MICROSECOND_STAMPS_FROM, OPTIONAL_VALUES, type TextLayout } from './layout.ts';
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
  OFF_GRID: "A stamp must be a multiple of the series' interval.",
  FUTURE_STAMP: 'The bar is not closed yet by the clock of this machine; import it later, or set the clock.',
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
  { path, shownName, intervalMilliseconds, now }: StageRequest,
): Promise<StagedFile> {
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
  const optional = values.filter(([name]) => OPTIONAL_VALUES.includes(name));
  const isBad = optional.map(
    ([name, place]) => `(trim(f[${place}], ' ' || chr(13)) <> '' AND ${name} IS NULL)`,
  );
  await connection.run(
    `CREATE OR REPLACE TEMP TABLE parsed AS
     SELECT line, columns, stamp, ${values.map(([name]) => name).join(', ')}, ${isBad.join(' OR ') || 'false'} AS bad_optional
     FROM (SELECT line, f, len(f) AS columns, TRY_CAST(f[${layout.time}] AS BIGINT) AS stamp,
         ${values.map(([name, place]) => `TRY_CAST(f[${place}] AS DOUBLE) AS ${name}`).join(', ')}
       FROM (SELECT line, ${FIELDS} AS f FROM lines
         WHERE line > ${layout.headerLines} AND text IS NOT NULL AND text NOT IN ('', chr(13))))`,
  );
  return judgeParsed(
    connection,
    layout.columns,
    values.map(([name]) => name),
    intervalMilliseconds,
    now,
  );
}

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
  { path, intervalMilliseconds, now }: StageRequest,
): Promise<StagedFile> {
  const { isFunding, stamp, has } = layout;
  const names = isFunding ? ['funding_rate'] : ['open', 'high', 'low', 'close', ...OPTIONAL_VALUES];
  const value = (name: string): string => (has(name) ? `TRY_CAST(${name} AS DOUBLE)` : 'NULL::DOUBLE');
  const isBad = isFunding
    ? []
    : OPTIONAL_VALUES.filter(has).map((name) => `(${name} IS NOT NULL AND ${value(name)} IS NULL)`);
  await connection.run(
    `CREATE OR REPLACE TEMP TABLE parsed AS
     SELECT file_row_number + 1 AS line, ${names.length + 1} AS columns, ${stamp} AS stamp,
       ${names.map((name) => `${value(name)} AS ${name}`).join(', ')},
       ${isBad.join(' OR ') || 'false'} AS bad_optional
     FROM read_parquet(${literal(path)}, file_row_number = true)`,
  );
  return judgeParsed(connection, names.length + 1, names, intervalMilliseconds, now);
}

/** Judges the rows of `parsed`; leaves the good ones in `staged`, under the names that are stored. */
async function judgeParsed(
  connection: DuckDBConnection,
  columns: number,
  names: readonly string[],
  intervalMilliseconds: number,
  now: number,
): Promise<StagedFile> {
  const isFunding = names.includes('funding_rate');
  const required = names.filter((name) => !OPTIONAL_VALUES.includes(name));
  const milliseconds = `CASE WHEN abs(stamp) >= ${MICROSECOND_STAMPS_FROM} THEN stamp // 1000 ELSE stamp END`;
  await connection.run(
    `CREATE OR REPLACE TEMP TABLE judged AS
     WITH stamped AS (SELECT * REPLACE (${milliseconds} AS stamp) FROM parsed),
     alone AS (SELECT *, CASE
       WHEN columns <> ${columns} THEN 'COLUMN_COUNT'
       WHEN stamp IS NULL OR ${required.map((name) => `${name} IS NULL OR NOT isfinite(${name})`).join(' OR ')}
         ${isFunding ? '' : 'OR bad_optional OR NOT isfinite(coalesce(volume, 0)) OR NOT isfinite(coalesce(quote_volume, 0))'}
         THEN 'NOT_A_NUMBER'
       ${isFunding ? '' : BAR_CASES}
       ${isFunding ? '' : `WHEN stamp % ${intervalMilliseconds} <> 0 THEN 'OFF_GRID'`}
       WHEN stamp + ${isFunding ? 0 : intervalMilliseconds} > ${now} THEN 'FUTURE_STAMP'
       END AS reason FROM stamped),
     ordered AS (SELECT *, max(stamp) FILTER (reason IS NULL)
       OVER (ORDER BY line ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS newest FROM alone)
     SELECT * REPLACE (CASE
       WHEN reason IS NOT NULL THEN reason
       WHEN stamp = newest THEN 'DUPLICATE_STAMP'
       WHEN stamp < newest THEN 'BACKWARD_STAMP' END AS reason) FROM ordered`,
  );
  const time = isFunding ? 'funding_time' : 'open_time';
  await connection.run(
    `CREATE OR REPLACE TEMP TABLE staged AS
     SELECT stamp AS ${time}, ${names.join(', ')}, line FROM judged WHERE reason IS NULL`,
  );
  return report(connection, time, intervalMilliseconds);
}

const BAR_CASES = `
  WHEN least(open, high, low, close) <= 0 THEN 'PRICE_NOT_POSITIVE'
  WHEN high < low THEN 'HIGH_BELOW_LOW'
  WHEN greatest(open, close) > high OR least(open, close) < low THEN 'OUTSIDE_RANGE'
  WHEN coalesce(volume, 0) < 0 OR coalesce(quote_volume, 0) < 0 THEN 'NEGATIVE_VOLUME'`;

async function report(
  connection: DuckDBConnection,
  time: string,
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
    contradictingInterval:
      time === 'funding_time'
        ? null
        : await contradiction(connection, intervalMilliseconds, 'OFF_GRID' in refusedByReason),
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
