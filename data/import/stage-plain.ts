import {
  BIGINT,
  DOUBLE,
  type DuckDBAppender,
  type DuckDBConnection,
  DuckDBDataChunk,
  INTEGER,
} from '@duckdb/node-api';
import { readWhole, type TextLayout } from './layout.ts';
import { BATCH_ROWS, PlainRows, type RowBatch } from './plain-rows.ts';

/** What is staged, and by which expectations its rows are judged. */
export interface StageRequest {
  readonly path: string;
  readonly shownName: string;
  /** The market that its rows are to be of. */
  readonly symbol: string;
  readonly intervalMilliseconds: number;
  readonly now: number;
  /** Nobody wants the rows any more; what is thrown then does not matter. */
  readonly interrupted: AbortSignal;
}

/**
 * Reads a text file once to its end: unpacks it, holds it to its checksum and puts its rows into the temporary table
 * `staged` by the way. Returns how many they are, or null where the file is not plain (see `PlainRows`) and the careful
 * reader has to take it; then `staged` means nothing.
 *
 * @throws PlimsollError FILE_UNREADABLE for a gzip file that is cut off or damaged.
 */
export async function stagePlain(
  connection: DuckDBConnection,
  layout: TextLayout,
  { path, shownName, intervalMilliseconds, now, interrupted }: StageRequest,
): Promise<number | null> {
  const { time } = layout.form;
  const names = Object.keys(layout.values);
  await connection.run(
    `CREATE OR REPLACE TEMP TABLE staged (${time} BIGINT, ${names.map((name) => `${name} DOUBLE, `).join('')}line INTEGER)`,
  );
  const appender = await connection.createAppender('staged');
  try {
    const writer = new BatchWriter(appender, names.length);
    const rows = new PlainRows(layout, intervalMilliseconds, now, (batch) => writer.append(batch));
    await readWhole(path, shownName, layout.compression, (piece) => rows.write(piece), interrupted);
    if (!rows.end()) return null;
    appender.flushSync();
    return rows.rows;
  } finally {
    // Closing would write what is left.
    appender.clear();
    appender.closeSync();
  }
}

/** Hands batches to DuckDB. */
class BatchWriter {
  readonly #appender: DuckDBAppender;
  readonly #types;
  readonly #full: DuckDBDataChunk;
  /** Where the column of the full chunk is absent already: to say it again of each item costs more than the value. */
  readonly #absent: readonly Uint8Array[];
  readonly #noLines = new Uint8Array(BATCH_ROWS);

  constructor(appender: DuckDBAppender, values: number) {
    this.#appender = appender;
    this.#types = [BIGINT, ...Array.from({ length: values }, () => DOUBLE), INTEGER];
    this.#full = DuckDBDataChunk.create(this.#types, BATCH_ROWS);
    this.#absent = Array.from({ length: values }, () => new Uint8Array(BATCH_ROWS));
  }

  append({ length, times, values, lines }: RowBatch): void {
    const isFull = length === BATCH_ROWS;
    const chunk = isFull ? this.#full : DuckDBDataChunk.create(this.#types, length);
    setTimes(chunk, times);
    for (const [i, column] of values.entries())
      setNumbers(chunk, i + 1, column, isFull ? this.#absent[i] : new Uint8Array(length));
    setNumbers(chunk, values.length + 1, lines, this.#noLines);
    this.#appender.appendDataChunk(chunk);
  }
}

function setTimes(chunk: DuckDBDataChunk, times: Float64Array): void {
  const vector = chunk.getColumnVector(0);
  for (let i = 0; i < vector.itemCount; i++) vector.setItem(i, BigInt(times[i]));
  vector.flush();
}

function setNumbers(chunk: DuckDBDataChunk, column: number, values: Float64Array, absent: Uint8Array): void {
  const vector = chunk.getColumnVector(column);
  for (let i = 0; i < vector.itemCount; i++) {
    const value = values[i];
    if (!Number.isNaN(value)) {
      vector.setItem(i, value);
      absent[i] = 0;
    } else if (absent[i] === 0) {
      vector.setItem(i, null);
      absent[i] = 1;
    }
  }
  vector.flush();
}
