import type { DuckDBConnection } from '@duckdb/node-api';
import type { Clock } from '../../src/clock.ts';
import { PlimsollError } from '../../src/errors.ts';
import type { BarStore } from '../bar-store.ts';
import { type RowForm, rowFormOf } from '../row-form.ts';
import { formatInterval, type SeriesKey, type SeriesOverrides, seriesOfFile } from '../series.ts';
import { detectTextLayout, readWhole } from './layout.ts';
import { detectParquetLayout } from './parquet.ts';
import { type StagedFile, stageParquet, stageText } from './stage.ts';
import type { StageRequest } from './stage-plain.ts';

/** A file whose rows are in the temporary table `staged` of a connection. */
export interface PreparedFile {
  readonly connection: DuckDBConnection;
  readonly key: SeriesKey;
  readonly staged: StagedFile;
}

interface ReadOptions {
  readonly overrides: SeriesOverrides;
  readonly clock: Clock;
}

/**
 * Stages files, one of them ahead: while the rows of a file are merged on one connection, the next file is read and
 * staged on the other, so that reading, which is ours, and merging, which is DuckDB's, each have a core.
 */
export class ReadAhead {
  readonly #options: ReadOptions;
  readonly #connections: readonly DuckDBConnection[];
  readonly #closing = new AbortController();
  #begun: { readonly path: string; readonly file: Promise<PreparedFile> } | null = null;
  #turn = 0;

  private constructor(options: ReadOptions, connections: readonly DuckDBConnection[]) {
    this.#options = options;
    this.#connections = connections;
  }

  static async open(store: BarStore, options: ReadOptions): Promise<ReadAhead> {
    return new ReadAhead(options, [await store.connect(), await store.connect()]);
  }

  /** Begins with a file that is going to be taken next. */
  begin(path: string, name: string): void {
    const connection = this.#connections[this.#turn++ % this.#connections.length];
    const file = prepare(connection, path, name, this.#options, this.#closing.signal);
    // What is wrong with the file is said when it is taken, and never if it is not.
    file.catch(() => null);
    this.#begun = { path, file };
  }

  /** The staged file. Its rows stay until the file after the next one is begun. */
  async take(path: string, name: string): Promise<PreparedFile> {
    if (this.#begun?.path !== path) {
      await this.#drop();
      this.begin(path, name);
    }
    const begun = this.#begun;
    this.#begun = null;
    return (begun as NonNullable<typeof begun>).file;
  }

  /** Gives up what has been begun and was not taken, as after an interrupt. */
  async close(): Promise<void> {
    this.#closing.abort();
    if (this.#begun !== null) for (const connection of this.#connections) connection.interrupt();
    await this.#drop();
    for (const connection of this.#connections) connection.closeSync();
  }

  async #drop(): Promise<void> {
    await this.#begun?.file.catch(() => null);
    this.#begun = null;
  }
}

/** @throws PlimsollError with the reason and a remedy for a file that cannot be taken. */
async function prepare(
  connection: DuckDBConnection,
  path: string,
  name: string,
  { overrides, clock }: ReadOptions,
  interrupted: AbortSignal,
): Promise<PreparedFile> {
  const source = /\.parquet$/i.test(name)
    ? await openParquet(connection, path, name)
    : await openText(connection, path, name);
  const key = await keyOf(name, source, overrides);
  const { symbol, intervalMilliseconds } = key;
  const request = { path, shownName: name, symbol, intervalMilliseconds, now: clock.now(), interrupted };
  const staged = await source.stage(request);
  requireRows(name, key, staged);
  return { connection, key, staged };
}

/** A file whose layout is known and whose rows can be staged. */
interface OpenedFile {
  readonly form: RowForm;
  /** Throws where the file is damaged; staging finds that out as well. */
  requireWhole(): Promise<void>;
  stage(request: StageRequest): Promise<StagedFile>;
}

async function openText(connection: DuckDBConnection, path: string, name: string): Promise<OpenedFile> {
  const layout = await detectTextLayout(path, name);
  return {
    form: layout.form,
    requireWhole: async () => {
      if (layout.compression === 'gzip') await readWhole(path, name, layout.compression, () => {});
    },
    stage: (request) => stageText(connection, layout, request),
  };
}

async function openParquet(connection: DuckDBConnection, path: string, name: string): Promise<OpenedFile> {
  const layout = await detectParquetLayout(connection, path, name);
  return {
    form: layout.form,
    requireWhole: async () => {},
    stage: (request) => stageParquet(connection, layout, request),
  };
}

async function keyOf(name: string, source: OpenedFile, overrides: SeriesOverrides): Promise<SeriesKey> {
  try {
    const key = seriesOfFile(name, overrides, source.form);
    requireKind(name, key, source.form);
    return key;
  } catch (thrown) {
    // Of a damaged file it is said that it is damaged, before its name is found wanting.
    await source.requireWhole();
    throw thrown;
  }
}

function requireKind(name: string, { kind }: SeriesKey, form: RowForm): void {
  if (rowFormOf(kind) === form) return;
  throw new PlimsollError('DATA_INVALID', `${name} holds ${form.holds}, but is named as ${kind}`, {
    remedy: 'Rename the file, or give the true kind by --kind.',
  });
}

function requireRows(name: string, { intervalMilliseconds }: SeriesKey, staged: StagedFile): void {
  if (staged.rows === 0)
    throw new PlimsollError('DATA_INSUFFICIENT', `${name} has no rows`, { remedy: 'Fetch the file again.' });
  if (staged.contradictingInterval === null) return;
  const shown = formatInterval(staged.contradictingInterval);
  const expected = formatInterval(intervalMilliseconds);
  throw new PlimsollError(
    'DATA_INVALID',
    `${name} has the wrong interval: its rows are ${shown} apart, but it is named as ${expected}`,
    { remedy: 'Rename the file, or give the true interval by --interval.' },
  );
}
