import type { DuckDBConnection } from '@duckdb/node-api';
import { literal, numbersOf } from './duckdb.ts';
import {
  overlaps,
  type Partition,
  type PartitionUnit,
  partitionName,
  partitionsOf,
  partitionUnit,
  type Touched,
  touchedBy,
} from './partitions.ts';
import { rowFormOf } from './row-form.ts';
import { type SeriesKey, seriesId } from './series.ts';
import { damagedSeries, type SeriesFiles, type SeriesPart, type WrittenPart } from './series-files.ts';

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
  const unit = partitionUnit(key.intervalMilliseconds);
  const { time, values } = rowFormOf(key.kind);
  const merge: Merge = {
    connection,
    files,
    key,
    options,
    time,
    columns: values,
    unit,
  };
  const staged = await factsOf(merge, 'staged');
  if (staged.rows === 0) return { added: 0, ...NOTHING_ELSE };
  const before = await files.manifest(key);
  const touched = touchedBy(await startsOf(merge), before?.parts ?? [], unit);
  if (touched.parts.length === 0) {
    await writeNew(merge, touched.partitions);
    return { added: staged.rows, ...NOTHING_ELSE };
  }
  const stored = `read_parquet([${touched.parts.map((part) => literal(files.path(part))).join(', ')}])`;
  await connection.run(`CREATE OR REPLACE TEMP VIEW stored AS SELECT * FROM ${stored}`).catch((thrown) => {
    throw damagedSeries(seriesId(key), thrown);
  });
  if (options.isSorted && (await isStoredAlready(merge, staged)))
    return { added: 0, ...NOTHING_ELSE, unchanged: staged.rows };
  return mergeBoth(merge, touched);
}

interface Merge {
  readonly connection: DuckDBConnection;
  readonly files: SeriesFiles;
  readonly key: SeriesKey;
  readonly options: MergeOptions;
  readonly time: string;
  readonly columns: readonly string[];
  readonly unit: PartitionUnit;
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

/** Where the partitions begin that staged rows lie in. */
async function startsOf({ connection, time, unit }: Merge): Promise<number[]> {
  const found = await connection.runAndReadAll(
    `SELECT DISTINCT epoch_ms(date_trunc('${unit}', make_timestamp(${time} * 1000))) FROM staged`,
  );
  return found.getRows().map(([start]) => Number(start));
}

async function writeNew(merge: Merge, partitions: readonly Partition[]): Promise<void> {
  const { files, key, options, time, columns } = merge;
  // A copy keeps the order of a table; a sort of sorted rows would still cost a quarter of it.
  const order = options.isSorted ? '' : `ORDER BY ${time}`;
  const rows = `SELECT ${[time, ...columns].join(', ')} FROM staged`;
  const written: WrittenPart[] = [];
  for (const partition of partitions) written.push(await writePart(merge, partition, rows, order));
  await files.commit(key, written, [], options);
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

async function mergeBoth(merge: Merge, touched: Touched): Promise<MergeResult> {
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
  if (added + replaced > 0) await writeBoth(merge, touched);
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

/** Partitions in which nothing changes keep their file, unless it holds others too. */
async function writeBoth(merge: Merge, { partitions, parts }: Touched): Promise<void> {
  const { connection, files, key, options, time, columns, unit } = merge;
  const list = [time, ...columns].join(', ');
  const taken = options.replace ? 'is_new OR is_conflict' : 'is_new';
  const kept = options.replace ? `WHERE ${time} NOT IN (SELECT ${time} FROM compared WHERE is_conflict)` : '';
  const rows = `SELECT ${list} FROM (SELECT ${list} FROM stored ${kept} UNION ALL SELECT ${list} FROM compared WHERE ${taken})`;
  const written: WrittenPart[] = [];
  const replaced = new Set<SeriesPart>();
  for (const partition of partitions) {
    const own = parts.filter((part) => overlaps(partition, part));
    const isAlone = own.every((part) => partitionsOf(part, unit).length === 1);
    if (isAlone && !(await hasRows(connection, `compared WHERE (${taken}) AND ${within(partition, time)}`)))
      continue;
    if (!(await hasRows(connection, `(${rows}) WHERE ${within(partition, time)}`))) continue;
    written.push(await writePart(merge, partition, rows, `ORDER BY ${time}`));
    for (const part of own) replaced.add(part);
  }
  await files.commit(key, written, [...replaced], options);
}

async function hasRows(connection: DuckDBConnection, table: string): Promise<boolean> {
  const [count] = await numbersOf(connection, `SELECT count(*) FROM (SELECT 1 FROM ${table} LIMIT 1)`);
  return count > 0;
}

function within({ from, to }: Partition, time: string): string {
  return `${time} >= ${from} AND ${time} < ${to}`;
}

async function writePart(
  merge: Merge,
  partition: Partition,
  rows: string,
  order: string,
): Promise<WrittenPart> {
  const { connection, files, key, time, unit } = merge;
  const name = partitionName(partition, unit);
  const temporary = await files.temporaryPath(key, name);
  const own = `SELECT * FROM (${rows}) WHERE ${within(partition, time)} ${order}`;
  await connection.run(`COPY (${own}) TO ${literal(temporary)} (FORMAT parquet, COMPRESSION zstd)`);
  return { temporary, name, ...(await factsOf(merge, `read_parquet(${literal(temporary)})`)) };
}
