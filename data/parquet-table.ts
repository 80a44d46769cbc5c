import { mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import {
  BOOLEAN,
  DOUBLE,
  type DuckDBConnection,
  DuckDBDataChunk,
  type DuckDBType,
  FLOAT,
  INTEGER,
  VARCHAR,
} from '@duckdb/node-api';
import { literal, openDuckDb } from './duckdb.ts';
import type { TableColumn, TableWriter } from './ports.ts';

const ROWS_PER_CHUNK = 2048;
/** A part becomes a row group of the file; of a hundred columns it takes a hundred megabytes until it is written. */
const ROWS_PER_PART = 60 * ROWS_PER_CHUNK;

const STAGED: Readonly<Record<TableColumn['type'], DuckDBType>> = {
  float64: DOUBLE,
  float32: FLOAT,
  boolean: BOOLEAN,
  integer: INTEGER,
  text: VARCHAR,
  time: DOUBLE,
};

/**
 * Writes a table as one Parquet file, zstd, in the order of its rows. Memory is bounded by a part of the rows: parts go
 * to a folder beside the file, are joined, and the whole takes its name last.
 */
export const writeParquet: TableWriter = async (file, rows, columns, metadata, onRows) => {
  const folder = `${file}.${process.pid}.tmp`;
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  try {
    const instance = await openDuckDb(join(folder, 'spill'));
    const connection = await instance.connect();
    try {
      const parts: string[] = [];
      for (let from = 0; from < rows || parts.length === 0; from += ROWS_PER_PART) {
        const to = Math.min(from + ROWS_PER_PART, rows);
        await stage(connection, columns, from, to);
        const part = join(folder, `${parts.length}.parquet`);
        await connection.run(`COPY staged TO ${literal(part)} (FORMAT parquet, COMPRESSION lz4_raw)`);
        parts.push(part);
        onRows(to);
        // The appender never waits; signals and messages get their turn here.
        await new Promise(setImmediate);
      }
      const whole = join(folder, 'whole.parquet');
      await joinParts(connection, parts, columns, metadata, whole);
      await syncFile(whole);
      await rename(whole, file);
      await syncFile(dirname(file));
    } finally {
      connection.closeSync();
      instance.closeSync();
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
};

async function stage(
  connection: DuckDBConnection,
  columns: readonly TableColumn[],
  from: number,
  to: number,
): Promise<void> {
  const types = columns.map(({ type }) => STAGED[type]);
  const fields = columns.map(({ name }, c) => `${identifier(name)} ${types[c]}`);
  await connection.run(`CREATE OR REPLACE TEMP TABLE staged (${fields.join(', ')})`);
  const appender = await connection.createAppender('staged');
  for (let first = from; first < to; first += ROWS_PER_CHUNK) {
    const last = Math.min(first + ROWS_PER_CHUNK, to);
    const chunk = DuckDBDataChunk.create(types, last - first);
    for (const [c, { type, at }] of columns.entries()) {
      const values = Array.from({ length: last - first }, (_, i) => at(first + i));
      chunk.setColumnValues(
        c,
        type === 'boolean' ? values.map((value) => value !== null && value !== 0) : values,
      );
    }
    appender.appendDataChunk(chunk);
  }
  appender.closeSync();
}

async function joinParts(
  connection: DuckDBConnection,
  parts: readonly string[],
  columns: readonly TableColumn[],
  metadata: Readonly<Record<string, string>>,
  file: string,
): Promise<void> {
  const fields = columns.map(({ name, type }) =>
    type === 'time' ? `to_timestamp(${identifier(name)} / 1000) AS ${identifier(name)}` : identifier(name),
  );
  const pairs = Object.entries(metadata).map(([key, value]) => `${identifier(key)}: ${literal(value)}`);
  const kept = pairs.length === 0 ? '' : `, KV_METADATA {${pairs.join(', ')}}`;
  await connection.run(
    `COPY (SELECT ${fields.join(', ')} FROM read_parquet([${parts.map(literal).join(', ')}]))
     TO ${literal(file)} (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE ${ROWS_PER_PART}${kept})`,
  );
}

function identifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

async function syncFile(path: string): Promise<void> {
  const handle = await open(path, 'r');
  await handle.sync();
  await handle.close();
}
