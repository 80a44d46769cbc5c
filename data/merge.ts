import type { DuckDBConnection } from '@duckdb/node-api';
import { literal, numbersOf } from './duckdb.ts';
import { type SeriesKey, seriesId } from './series.ts';
import { damagedSeries, type SeriesFiles, type SeriesManifest } from './series-files.ts';

export interface MergeOptions {
  /** Staged rows that differ from stored ones take their place instead of being refused. */
  readonly replace: boolean;
  readonly simulated: boolean;
  /** Name of the file that the rows come from; null where a process made them. */
  readonly source: string | null;
}

export interface MergeResult {
  readonly added: number;
  readonly unchanged: number;
  readonly replaced: number;
  readonly conflicts: number;
  /** Lines of the first conflicting rows. */
  readonly conflictLines: readonly number[];
}

const SHOWN_CONFLICTS = 20;
const BAR_COLUMNS = ['open', 'high', 'low', 'close', 'volume', 'quote_volume'];
const FUNDING_COLUMNS = ['funding_rate'];

/**
 * Merges the temporary table `staged` (the columns of the kind, and `line`) into what is stored of a series. Stored
 * rows stay unless `replace`; when nothing is new, nothing is written. A value that one side lacks is no conflict.
 */
export async function mergeStaged(
  connection: DuckDBConnection,
  files: SeriesFiles,
  key: SeriesKey,
  options: MergeOptions,
): Promise<MergeResult> {
  const isFunding = key.kind === 'perp-funding';
  const time = isFunding ? 'funding_time' : 'open_time';
  const columns = isFunding ? FUNDING_COLUMNS : BAR_COLUMNS;
  const before = await files.manifest(key);
  const stored = `CREATE OR REPLACE TEMP VIEW stored AS ${storedRows(files, before, time, columns)}`;
  await connection.run(stored).catch((thrown) => {
    throw damagedSeries(seriesId(key), thrown);
  });
  const differs = columns.map((column) => `coalesce(s.${column} <> e.${column}, false)`).join(' OR ');
  await connection.run(
    `CREATE OR REPLACE TEMP TABLE compared AS
     SELECT s.*, e.${time} IS NULL AS is_new, e.${time} IS NOT NULL AND (${differs}) AS is_conflict
     FROM staged s LEFT JOIN stored e ON s.${time} = e.${time}`,
  );
  const [added, conflicts, total] = await numbersOf(
    connection,
    'SELECT count(*) FILTER (is_new), count(*) FILTER (is_conflict), count(*) FROM compared',
  );
  const lines = await connection.runAndReadAll(
    `SELECT line FROM compared WHERE is_conflict ORDER BY line LIMIT ${SHOWN_CONFLICTS}`,
  );
  const replaced = options.replace ? conflicts : 0;
  if (added + replaced > 0) await write(connection, files, key, options, time, columns);
  return {
    added,
    unchanged: total - added - conflicts,
    replaced,
    conflicts: conflicts - replaced,
    conflictLines: options.replace ? [] : lines.getRows().map(([line]) => Number(line)),
  };
}

function storedRows(
  files: SeriesFiles,
  before: SeriesManifest | null,
  time: string,
  columns: readonly string[],
): string {
  if (before !== null) return `SELECT * FROM read_parquet(${literal(files.path(before))})`;
  const nothing = columns.map((column) => `NULL::DOUBLE AS ${column}`).join(', ');
  return `SELECT NULL::BIGINT AS ${time}, ${nothing} WHERE false`;
}

async function write(
  connection: DuckDBConnection,
  files: SeriesFiles,
  key: SeriesKey,
  { replace, simulated, source }: MergeOptions,
  time: string,
  columns: readonly string[],
): Promise<void> {
  const list = [time, ...columns].join(', ');
  const taken = replace ? 'is_new OR is_conflict' : 'is_new';
  const kept = replace ? `WHERE ${time} NOT IN (SELECT ${time} FROM compared WHERE is_conflict)` : '';
  const temporary = await files.temporaryPath(key);
  await connection.run(
    `COPY (SELECT ${list} FROM (SELECT ${list} FROM stored ${kept} UNION ALL SELECT ${list} FROM compared WHERE ${taken})
     ORDER BY ${time}) TO ${literal(temporary)} (FORMAT parquet, COMPRESSION zstd)`,
  );
  const [rows, from, to] = await numbersOf(
    connection,
    `SELECT count(*), min(${time}), max(${time}) FROM read_parquet(${literal(temporary)})`,
  );
  await files.commit(key, temporary, { rows, from, to, simulated }, source);
}
