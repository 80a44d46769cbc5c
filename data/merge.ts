import type { DuckDBConnection } from '@duckdb/node-api';
import { literal, numbersOf } from './duckdb.ts';
import { rowFormOf } from './row-form.ts';
import { type SeriesKey, seriesId } from './series.ts';
import { damagedSeries, type SeriesFiles } from './series-files.ts';

export interface MergeOptions {
  /** Staged rows that differ from stored ones take their place instead of being refused. */
  readonly replace: boolean;
  readonly simulated: boolean;
  /** Name of the file that the rows come from; null where a process made them. */
  readonly source: string | null;
  /** The staged rows are in the order of their times, each time once. */
  readonly isSorted: boolean;
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
  const { time, values } = rowFormOf(key.kind);
  const merge: Merge = {
    connection,
    files,
    key,
    options,
    time,
    columns: values,
  };
  const staged = await factsOf(merge, 'staged');
  const before = await files.manifest(key);
  if (before === null) {
    if (staged.rows > 0) await writeNew(merge, staged);
    return { added: staged.rows, ...NOTHING_ELSE };
  }
  const stored = `read_parquet(${literal(files.path(before))})`;
  await connection.run(`CREATE OR REPLACE TEMP VIEW stored AS SELECT * FROM ${stored}`).catch((thrown) => {
    throw damagedSeries(seriesId(key), thrown);
  });
  if (options.isSorted && (await isStoredAlready(merge, staged)))
    return { added: 0, ...NOTHING_ELSE, unchanged: staged.rows };
  return mergeBoth(merge);
}

interface Merge {
  readonly connection: DuckDBConnection;
  readonly files: SeriesFiles;
  readonly key: SeriesKey;
  readonly options: MergeOptions;
  readonly time: string;
  readonly columns: readonly string[];
}

interface Facts {
  readonly rows: number;
  readonly from: number;
  readonly to: number;
}

const NOTHING_ELSE = { unchanged: 0, replaced: 0, conflicts: 0, conflictLines: [] };

async function factsOf({ connection, time }: Merge, table: string): Promise<Facts> {
  const [rows, from, to] = await numbersOf(
    connection,
    `SELECT count(*), min(${time}), max(${time}) FROM ${table}`,
  );
  return { rows, from, to };
}

/** Whether a staged row `s` has another value than the stored row `e`. */
function differs(columns: readonly string[]): string {
  return columns.map((column) => `coalesce(s.${column} <> e.${column}, false)`).join(' OR ');
}

async function writeNew(
  { connection, files, key, options, time, columns }: Merge,
  facts: Facts,
): Promise<void> {
  const temporary = await files.temporaryPath(key);
  // A copy keeps the order of a table; a sort of sorted rows would still cost a quarter of it.
  const order = options.isSorted ? '' : `ORDER BY ${time}`;
  await copy(connection, `SELECT ${[time, ...columns].join(', ')} FROM staged ${order}`, temporary);
  await files.commit(key, temporary, { ...facts, simulated: options.simulated }, options.source);
}

/**
 * Whether just the staged rows are stored in their time, the usual outcome of importing a file again. Rows of the same
 * times in the same order stand side by side; wherever they do not, the answer is no, and a join finds out the rest.
 */
async function isStoredAlready({ connection, time, columns }: Merge, staged: Facts): Promise<boolean> {
  if (staged.rows === 0) return false;
  const [equal] = await numbersOf(
    connection,
    `SELECT count(*) FROM staged s
     POSITIONAL JOIN (SELECT * FROM stored WHERE ${time} BETWEEN ${staged.from} AND ${staged.to}) e
     WHERE s.${time} = e.${time} AND NOT (${differs(columns)})`,
  );
  return equal === staged.rows;
}

async function mergeBoth(merge: Merge): Promise<MergeResult> {
  const { connection, options, time, columns } = merge;
  await connection.run(
    `CREATE OR REPLACE TEMP TABLE compared AS
     SELECT s.*, e.${time} IS NULL AS is_new, e.${time} IS NOT NULL AND (${differs(columns)}) AS is_conflict
     FROM staged s LEFT JOIN stored e ON s.${time} = e.${time}`,
  );
  const [added, conflicts, total] = await numbersOf(
    connection,
    'SELECT count(*) FILTER (is_new), count(*) FILTER (is_conflict), count(*) FROM compared',
  );
  const replaced = options.replace ? conflicts : 0;
  const lines = conflicts > replaced ? await linesOfConflicts(connection) : [];
  if (added + replaced > 0) await writeBoth(merge);
  return {
    added,
    unchanged: total - added - conflicts,
    replaced,
    conflicts: conflicts - replaced,
    conflictLines: lines,
  };
}

async function linesOfConflicts(connection: DuckDBConnection): Promise<number[]> {
  const lines = await connection.runAndReadAll(
    `SELECT line FROM compared WHERE is_conflict ORDER BY line LIMIT ${SHOWN_CONFLICTS}`,
  );
  return lines.getRows().map(([line]) => Number(line));
}

async function writeBoth(merge: Merge): Promise<void> {
  const { connection, files, key, time, columns } = merge;
  const { replace, simulated, source } = merge.options;
  const list = [time, ...columns].join(', ');
  const taken = replace ? 'is_new OR is_conflict' : 'is_new';
  const kept = replace ? `WHERE ${time} NOT IN (SELECT ${time} FROM compared WHERE is_conflict)` : '';
  const temporary = await files.temporaryPath(key);
  await copy(
    connection,
    `SELECT ${list} FROM (SELECT ${list} FROM stored ${kept} UNION ALL SELECT ${list} FROM compared WHERE ${taken})
     ORDER BY ${time}`,
    temporary,
  );
  const facts = await factsOf(merge, `read_parquet(${literal(temporary)})`);
  await files.commit(key, temporary, { ...facts, simulated }, source);
}

async function copy(connection: DuckDBConnection, rows: string, path: string): Promise<void> {
  await connection.run(`COPY (${rows}) TO ${literal(path)} (FORMAT parquet, COMPRESSION zstd)`);
}
