import { createHash } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { DOUBLE, type DuckDBConnection, DuckDBDataChunk } from '@duckdb/node-api';
import { HOUR_MILLISECONDS } from '../src/clock.ts';
import type { BarSeries, FundingSeries, MarketHistory } from '../src/risk/bars.ts';
import { literal, numbersOf, openDuckDb } from './duckdb.ts';
import { type MergeOptions, type MergeResult, mergeStaged } from './merge.ts';
import type { LoadOptions, MarketDataReader, SeriesSummary } from './ports.ts';
import { choosePrimary, isMarketSeries } from './primary-series.ts';
import { resampleToHours } from './resample.ts';
import { SERIES_KINDS, type SeriesKey } from './series.ts';
import { SeriesFiles, type SeriesManifest } from './series-files.ts';

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

/**
 * Market history at rest: one Parquet file a series, read and merged by DuckDB, handed out as typed arrays. Any number
 * of readers may work beside one writer.
 */
export class BarStore implements MarketDataReader {
  readonly files: SeriesFiles;
  readonly connection: DuckDBConnection;

  private constructor(files: SeriesFiles, connection: DuckDBConnection) {
    this.files = files;
    this.connection = connection;
  }

  static async open(dataDir: string): Promise<BarStore> {
    const temporary = join(dataDir, 'tmp');
    await mkdir(temporary, { recursive: true });
    return new BarStore(new SeriesFiles(dataDir), await openDuckDb(temporary));
  }

  close(): void {
    this.connection.closeSync();
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
    rows: BarSeries | FundingSeries,
    options: { readonly replace?: boolean } = {},
  ): Promise<MergeResult> {
    const kind = SERIES_KINDS.find((known) => known === series.kind) ?? 'perp';
    const key: SeriesKey = {
      symbol: series.symbol,
      venue: series.venue,
      kind,
      intervalMilliseconds: series.intervalMilliseconds,
    };
    await this.#stage(rows);
    return this.merge(key, { replace: options.replace ?? false, simulated: series.simulated, source: null });
  }

  /** Merges the rows of the temporary table `staged` into a series. */
  async merge(key: SeriesKey, options: MergeOptions): Promise<MergeResult> {
    return mergeStaged(this.connection, this.files, key, options);
  }

  async #stage(rows: BarSeries | FundingSeries): Promise<void> {
    const columns =
      'openTime' in rows
        ? {
            open_time: rows.openTime,
            open: rows.open,
            high: rows.high,
            low: rows.low,
            close: rows.close,
            volume: rows.volume,
            quote_volume: rows.quoteVolume,
          }
        : { funding_time: rows.time, funding_rate: rows.rate };
    const names = Object.keys(columns);
    await this.connection.run(
      `CREATE OR REPLACE TEMP TABLE incoming (${names.map((name) => `${name} DOUBLE`).join(', ')})`,
    );
    const appender = await this.connection.createAppender('incoming');
    const values = Object.values(columns);
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
    const time = names[0];
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
    const funding = own.find(({ kind, venue }) => kind === 'perp-funding' && venue === primary.venue);
    return {
      symbol,
      source: primary.id,
      simulated: primary.simulated,
      bars: isHourly ? bars : resampleToHours(bars),
      funding: funding === undefined ? null : await this.#loadFunding(funding, options),
      mark: mark === undefined ? null : await this.loadBars(mark, options),
    };
  }

  async #loadFunding(manifest: SeriesManifest, options: LoadOptions): Promise<FundingSeries> {
    const [time, rate] = await this.#readColumns(
      manifest,
      ['funding_time', 'funding_rate'],
      'funding_time',
      options,
    );
    return { length: time.length, time, rate };
  }

  /**
   * The selected columns as float64 arrays. A writer may replace the file between the manifest and the read; then the
   * newer manifest is read and tried once more.
   */
  async #readColumns(
    manifest: SeriesManifest,
    expressions: readonly string[],
    time: string,
    options: LoadOptions,
    isRetry = false,
  ): Promise<Float64Array[]> {
    const from = options.from ?? Number.MIN_SAFE_INTEGER;
    const to = options.to ?? Number.MAX_SAFE_INTEGER;
    const table = `read_parquet(${literal(this.files.path(manifest))}) WHERE ${time} >= ${from} AND ${time} < ${to}`;
    try {
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
    } catch (thrown) {
      const newer = (await this.files.manifests()).find(({ id }) => id === manifest.id);
      if (isRetry || newer === undefined || newer.file === manifest.file) throw thrown;
      return this.#readColumns(newer, expressions, time, options, true);
    }
  }
}

/** Who has imported real markets is not shown invented ones beside them. */
function withoutSample(manifests: readonly SeriesManifest[]): readonly SeriesManifest[] {
  const isReal = (manifest: SeriesManifest): boolean => isMarketSeries(manifest) && !manifest.simulated;
  return manifests.some(isReal) ? manifests.filter(({ simulated }) => !simulated) : manifests;
}
