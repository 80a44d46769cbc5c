import { createHash } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { DOUBLE, type DuckDBConnection, DuckDBDataChunk, type DuckDBInstance } from '@duckdb/node-api';
import { PlimsollError } from '../src/errors.ts';
import type { BarSeries, FundingSeries, MarketHistory, OpenInterestSeries } from '../src/risk/bars.ts';
import { HOUR_MILLISECONDS } from '../src/units.ts';
import { literal, numbersOf, openDuckDb } from './duckdb.ts';
import { waitForLock } from './lock.ts';
import { type MergeOptions, type MergeResult, mergeStaged } from './merge.ts';
import type { LoadOptions, MarketDataReader, SeriesSummary } from './ports.ts';
import { choosePrimary, isMarketSeries } from './primary-series.ts';
import { resampleToHours } from './resample.ts';
import { FUNDING, OPEN_INTEREST, rowFormOf } from './row-form.ts';
import { SERIES_KINDS, type SeriesKey, type SeriesKind } from './series.ts';
import { damagedSeries, SeriesFiles, type SeriesManifest } from './series-files.ts';

/** How long a writer waits for the writer before it: the hourly sample, for an import that reads a large file. */
const WRITER_PATIENCE_MILLISECONDS = 60_000;
/** How often a reader follows a writer to a newer file before it gives up. */
const READ_ATTEMPTS = 10;
const ROWS_PER_CHUNK = 2048;
/** Quote volume is taken at the typical price where the source gives only base volume. */
const BAR_EXPRESSIONS = [
  'open_time',
  'open',
  'high',
  'low',
  'close',
  'coalesce(volume, 0)',
  'coalesce(quote_volume, volume * (high + low + close) / 3, 0)',
];

/** What a process may write of a series. */
export type StoredRows = BarSeries | FundingSeries | OpenInterestSeries;

/**
 * Market history at rest: Parquet files by series and time, read and merged by DuckDB, handed out as typed arrays. Any number
 * of readers may work beside one writer, and writers take turns.
 */
export class BarStore implements MarketDataReader {
  readonly files: SeriesFiles;
  readonly connection: DuckDBConnection;
  readonly #instance: DuckDBInstance;
  readonly #lockPath: string;
  #turn: Promise<unknown> = Promise.resolve();

  private constructor(dataDir: string, instance: DuckDBInstance, connection: DuckDBConnection) {
    this.files = new SeriesFiles(dataDir);
    this.#instance = instance;
    this.connection = connection;
    this.#lockPath = join(dataDir, 'bars.lock');
  }

  static async open(dataDir: string): Promise<BarStore> {
    const temporary = join(dataDir, 'tmp');
    await mkdir(temporary, { recursive: true });
    const instance = await openDuckDb(temporary);
    return new BarStore(dataDir, instance, await instance.connect());
  }

  close(): void {
    this.connection.closeSync();
  }

  /** Another connection, whose temporary tables are its own; whoever asks for it closes it. */
  connect(): Promise<DuckDBConnection> {
    return this.#instance.connect();
  }

  async catalogue(): Promise<readonly SeriesSummary[]> {
    return this.files.manifests();
  }

  async fingerprint(): Promise<string> {
    const hash = createHash('sha256');
    for (const { id, contentHash } of await this.files.manifests()) hash.update(`${id} ${contentHash}\n`);
    return hash.digest('hex');
  }

  async loadMarkets(options: LoadOptions = {}): Promise<readonly MarketHistory[]> {
    const manifests = withoutSample(await this.files.manifests());
    const wanted = options.symbols === undefined ? null : new Set(options.symbols);
    const symbols = [...new Set(manifests.filter(isMarketSeries).map(({ symbol }) => symbol))].sort();
    const histories: MarketHistory[] = [];
    for (const symbol of symbols) {
      if (wanted !== null && !wanted.has(symbol)) continue;
      const own = manifests.filter((manifest) => manifest.symbol === symbol);
      histories.push(await this.#loadMarket(symbol, own, options));
    }
    return histories;
  }

  /** Bars of one stored series; empty where there is none. */
  async loadBars(manifest: SeriesManifest, options: LoadOptions = {}): Promise<BarSeries> {
    const columns = await this.#readColumns(manifest, BAR_EXPRESSIONS, 'open_time', options);
    const [openTime, open, high, low, close, volume, quoteVolume] = columns;
    const { intervalMilliseconds } = manifest;
    return {
      intervalMilliseconds,
      length: openTime.length,
      openTime,
      open,
      high,
      low,
      close,
      volume,
      quoteVolume,
    };
  }

  /**
   * Adds rows made in the process (the sample market) to a series. Rows that are stored already change nothing; rows
   * that differ from stored ones are left out and counted, or take their place with `replace`.
   */
  async writeSeries(
    series: {
      readonly symbol: string;
      readonly venue: string;
      readonly kind: string;
      readonly intervalMilliseconds: number;
      readonly simulated: boolean;
    },
    rows: StoredRows,
    options: { readonly replace?: boolean } = {},
  ): Promise<MergeResult> {
    const kind = SERIES_KINDS.find((known) => known === series.kind);
    if (kind === undefined) {
      throw new PlimsollError('INPUT_INVALID', `${series.kind} is no kind of series`, {
        remedy: `Use one of ${SERIES_KINDS.join(', ')}.`,
      });
    }
    const { symbol, venue, intervalMilliseconds, simulated } = series;
    const key: SeriesKey = { symbol, venue, kind, intervalMilliseconds };
    return this.asOnlyWriter(async () => {
      await this.#stage(key, rows);
      return this.merge(key, {
        replace: options.replace ?? false,
        simulated,
        source: null,
        isSorted: false,
      });
    });
  }

  /**
   * Does work that merges rows while nobody else does: the rows staged on one connection are one table, and what a
   * writer has not committed yet looks to others like a leftover.
   *
   * @throws PlimsollError LOCKED when another process writes for longer than a writer waits.
   */
  async asOnlyWriter<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(async () => {
      const lock = await waitForLock(
        this.#lockPath,
        'a write to the bar store',
        WRITER_PATIENCE_MILLISECONDS,
      );
      try {
        return await work();
      } finally {
        lock.release();
      }
    });
    this.#turn = result.catch(() => null);
    return result;
  }

  /**
   * Merges the rows of the temporary table `staged` of a connection into a series. Only for work inside `asOnlyWriter`.
   */
  async merge(key: SeriesKey, options: MergeOptions, connection = this.connection): Promise<MergeResult> {
    return mergeStaged(connection, this.files, key, options);
  }

  /** Removes what crashed writers left. */
  async removeLeftovers(): Promise<void> {
    await this.asOnlyWriter(() => this.files.removeLeftovers());
  }

  async #stage({ kind }: SeriesKey, rows: StoredRows): Promise<void> {
    const form = rowFormOf(kind);
    const names = [form.time, ...form.values];
    const values = columnsOf(rows);
    if (values.length !== names.length) {
      throw new PlimsollError('INPUT_INVALID', `${kind} is not made of such rows`, {
        remedy: `Give rows of ${form.holds}.`,
      });
    }
    await this.connection.run(
      `CREATE OR REPLACE TEMP TABLE incoming (${names.map((name) => `${name} DOUBLE`).join(', ')})`,
    );
    const appender = await this.connection.createAppender('incoming');
    for (let from = 0; from < rows.length; from += ROWS_PER_CHUNK) {
      const to = Math.min(from + ROWS_PER_CHUNK, rows.length);
      const chunk = DuckDBDataChunk.create(
        names.map(() => DOUBLE),
        to - from,
      );
      chunk.setColumns(values.map((column) => Array.from(column.subarray(from, to))));
      appender.appendDataChunk(chunk);
    }
    appender.closeSync();
    const { time } = form;
    await this.connection.run(
      `CREATE OR REPLACE TEMP TABLE staged AS
       SELECT * REPLACE (CAST(${time} AS BIGINT) AS ${time}), row_number() OVER () AS line FROM incoming`,
    );
    await this.connection.run('DROP TABLE incoming');
  }

  async #loadMarket(
    symbol: string,
    own: readonly SeriesManifest[],
    options: LoadOptions,
  ): Promise<MarketHistory> {
    const primary = choosePrimary(own);
    const bars = await this.loadBars(primary, options);
    const isHourly = primary.intervalMilliseconds === HOUR_MILLISECONDS;
    const mark = own.find(
      ({ kind, venue, intervalMilliseconds }) =>
        kind === 'perp-mark' && venue === primary.venue && intervalMilliseconds === HOUR_MILLISECONDS,
    );
    const ofVenue = (wanted: SeriesKind): SeriesManifest | undefined =>
      own.find(({ kind, venue }) => kind === wanted && venue === primary.venue);
    const funding = ofVenue('perp-funding');
    const openInterest = ofVenue('perp-open-interest');
    return {
      symbol,
      source: primary.id,
      simulated: primary.simulated,
      bars: isHourly ? bars : resampleToHours(bars),
      funding: funding === undefined ? null : await this.#loadFunding(funding, options),
      openInterest: openInterest === undefined ? null : await this.#loadOpenInterest(openInterest, options),
      mark: mark === undefined ? null : await this.loadBars(mark, options),
    };
  }

  async #loadFunding(manifest: SeriesManifest, options: LoadOptions): Promise<FundingSeries> {
    const [time, rate] = await this.#readColumns(
      manifest,
      [FUNDING.time, ...FUNDING.values],
      FUNDING.time,
      options,
    );
    return { length: time.length, time, rate };
  }

  /**
   * The newest observation at or before each whole hour, and the newest of all: decisions are made by the hour, and venues
   * publish twelve times as many.
   */
  async #loadOpenInterest(
    manifest: SeriesManifest,
    { openInterestFrom = Number.MIN_SAFE_INTEGER, ...options }: LoadOptions,
  ): Promise<OpenInterestSeries> {
    const from = Math.max(options.from ?? Number.MIN_SAFE_INTEGER, openInterestFrom);
    const [time, quoteNotional] = await this.#readColumns(
      manifest,
      [OPEN_INTEREST.time, ...OPEN_INTEREST.values],
      OPEN_INTEREST.time,
      { ...options, from },
      newestOfHours,
    );
    return { length: time.length, time, quoteNotional };
  }

  /**
   * The selected columns as float64 arrays, of all rows or of those that are left of them. A writer may replace the file
   * between the manifest and the read; then the newer manifest is followed.
   */
  async #readColumns(
    manifest: SeriesManifest,
    expressions: readonly string[],
    time: string,
    options: LoadOptions,
    narrowed: Narrowing = (rows) => rows,
  ): Promise<Float64Array[]> {
    let current = manifest;
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#readFile(current, expressions, time, options, narrowed);
      } catch (thrown) {
        const newer = (await this.files.manifests()).find(({ id }) => id === manifest.id);
        if (attempt === READ_ATTEMPTS || newer === undefined || newer.contentHash === current.contentHash)
          throw damagedSeries(manifest.id, thrown);
        current = newer;
      }
    }
  }

  async #readFile(
    manifest: SeriesManifest,
    expressions: readonly string[],
    time: string,
    options: LoadOptions,
    narrowed: Narrowing,
  ): Promise<Float64Array[]> {
    const from = options.from ?? Number.MIN_SAFE_INTEGER;
    const to = options.to ?? Number.MAX_SAFE_INTEGER;
    const parts = manifest.parts.filter((part) => part.to >= from && part.from < to);
    if (parts.length === 0) return expressions.map(() => new Float64Array(0));
    const paths = parts.map((part) => literal(this.files.path(part)));
    const table = narrowed(
      `read_parquet([${paths.join(', ')}]) WHERE ${time} >= ${from} AND ${time} < ${to}`,
    );
    const [count] = await numbersOf(this.connection, `SELECT count(*) FROM ${table}`);
    const casts = expressions.map((expression) => `CAST(${expression} AS DOUBLE)`).join(', ');
    const result = await this.connection.stream(`SELECT ${casts} FROM ${table} ORDER BY ${time}`);
    const columns = Array.from({ length: result.columnCount }, () => new Float64Array(count));
    let offset = 0;
    for (
      let chunk = await result.fetchChunk();
      chunk !== null && chunk.rowCount > 0;
      chunk = await result.fetchChunk()
    ) {
      for (let c = 0; c < columns.length; c++) columns[c].set(chunk.getColumnValues(c) as number[], offset);
      offset += chunk.rowCount;
    }
    return columns;
  }
}

/** Rows of a file, as SQL to select from, and what is left of them. */
type Narrowing = (rows: string) => string;

/** One row for each hour: the newest at or before its end. */
const newestOfHours: Narrowing = (rows) => {
  const { time, values } = OPEN_INTEREST;
  const newest = values.map((name) => `arg_max(${name}, ${time}) AS ${name}`);
  const hour = `(${time} + ${HOUR_MILLISECONDS - 1}) // ${HOUR_MILLISECONDS}`;
  return `(SELECT max(${time}) AS ${time}, ${newest.join(', ')} FROM ${rows} GROUP BY ${hour})`;
};

/** Time first, then the values in the order of the form. */
function columnsOf(rows: StoredRows): readonly Float64Array[] {
  if ('rate' in rows) return [rows.time, rows.rate];
  if ('quoteNotional' in rows) return [rows.time, rows.quoteNotional];
  return [rows.openTime, rows.open, rows.high, rows.low, rows.close, rows.volume, rows.quoteVolume];
}

/** Who has imported real markets is not shown invented ones beside them. */
function withoutSample(manifests: readonly SeriesManifest[]): readonly SeriesManifest[] {
  const isReal = (manifest: SeriesManifest): boolean => isMarketSeries(manifest) && !manifest.simulated;
  return manifests.some(isReal) ? manifests.filter(({ simulated }) => !simulated) : manifests;
}
