import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { afterAll, describe, expect, test } from 'vitest';
import { FEATURE_COUNT, FEATURE_NAMES, featureSpecHash } from '../src/features/spec.ts';
import { HORIZONS_HOURS, PATHS_PER_MARKET, SIDES } from '../src/forecast/predictor.ts';
import { randomMarket } from '../test/random-market.ts';
import { buildDataset } from '../training/dataset.ts';
import { datasetColumns, datasetMetadata } from '../training/dataset-columns.ts';
import { literal } from './duckdb.ts';
import { writeParquet } from './parquet-table.ts';
import type { TableColumn } from './ports.ts';

const folder = mkdtempSync(join(tmpdir(), 'plimsoll-parquet-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function query(sql: string): Promise<Record<string, unknown>[]> {
  const connection = await (await DuckDBInstance.create(':memory:')).connect();
  const reader = await connection.runAndReadAll(sql);
  const rows = reader.getRowObjects();
  connection.closeSync();
  return rows;
}

describe('the training set as Parquet', () => {
  const markets = [1, 2, 3].map((seed) => randomMarket({ seed, hours: 1500, gapProbability: 0.002 }));
  const data = buildDataset(markets, 1, Number.MAX_SAFE_INTEGER);
  const file = join(folder, 'set.parquet');

  test('is the dataset to the bit, in its order, with nothing left beside it', async () => {
    const told: number[] = [];
    const { rows, symbols, market, asOf, values } = data.features;
    await writeParquet(file, rows, datasetColumns(data), datasetMetadata('abc', 1), (n) => told.push(n));
    expect(readdirSync(folder)).toEqual(['set.parquet']);
    expect(told.at(-1)).toBe(rows);
    const read = await query(
      `SELECT * REPLACE (epoch_ms(as_of) AS as_of) FROM read_parquet(${literal(file)})`,
    );
    expect(read).toHaveLength(rows);
    for (const [row, record] of read.entries()) {
      expect([record.symbol, Number(record.as_of)]).toEqual([symbols[market[row]], asOf[row]]);
      const own = FEATURE_NAMES.map((name) => record[name]);
      expect(own).toEqual([...values.subarray(row * FEATURE_COUNT, (row + 1) * FEATURE_COUNT)]);
      for (const [s, side] of SIDES.entries()) {
        for (const [h, hours] of HORIZONS_HOURS.entries()) {
          const path = row * PATHS_PER_MARKET + s * HORIZONS_HOURS.length + h;
          expect(record[`excursion_${side}_${hours}h`]).toBe(data.excursions[path]);
          expect(record[`shock_${side}_${hours}h`]).toBe(data.shocks[path] === 1);
          const threshold = data.shockThreshold[path];
          expect(record[`shock_threshold_${side}_${hours}h`]).toBe(
            Number.isNaN(threshold) ? null : threshold,
          );
          expect(record[`realised_variance_${hours}h`]).toBe(
            data.realisedVariance[row * HORIZONS_HOURS.length + h],
          );
          expect(record[`log_volatility_${hours}h`]).toBe(
            data.logVolatility[row * HORIZONS_HOURS.length + h],
          );
        }
      }
    }
  });

  test('says which features and which data it was made of', async () => {
    const pairs = await query(
      `SELECT decode(key) AS key, decode(value) AS value FROM parquet_kv_metadata(${literal(file)})`,
    );
    const metadata = Object.fromEntries(pairs.map(({ key, value }) => [key, value]));
    expect(metadata).toMatchObject({
      feature_spec_hash: featureSpecHash(),
      data_fingerprint: 'abc',
      every_hours: '1',
    });
  });

  test('has its slices in order of time, with a gap between the two that are fitted on', async () => {
    const spans = await query(
      `SELECT evaluation_slice AS slice, min(epoch_ms(as_of)) AS first, max(epoch_ms(as_of)) AS last
       FROM read_parquet(${literal(file)}) WHERE evaluation_slice <> 'purged' GROUP BY ALL ORDER BY first`,
    );
    expect(spans.map(({ slice }) => slice)).toEqual(['train', 'validation', 'test']);
    const [train, validation, held] = spans.map(({ first, last }) => [Number(first), Number(last)]);
    expect(validation[0] - train[1]).toBeGreaterThanOrEqual(48 * 3_600_000);
    expect(held[0] - validation[1]).toBeGreaterThanOrEqual(48 * 3_600_000);
  });
});

describe('a table that is written', () => {
  const numbers: TableColumn[] = [
    { name: 'n', type: 'integer', at: (row) => (row % 3 === 0 ? null : row) },
    { name: 'odd "name"', type: 'text', at: (row) => `it's ${row}` },
  ];

  test('keeps the order of its rows over many parts, and nulls', async () => {
    const rows = 300_000;
    const file = join(folder, 'long.parquet');
    await writeParquet(file, rows, numbers, { "a'b": 'c"d' }, () => {});
    const [check] = await query(
      `SELECT count(*)::INTEGER AS rows, count(n)::INTEGER AS known,
              count(*) FILTER (n IS NOT NULL AND n <> file_row_number)::INTEGER AS moved
       FROM read_parquet(${literal(file)}, file_row_number = true)`,
    );
    expect(check).toEqual({ rows, known: (2 * rows) / 3, moved: 0 });
  });

  test('without a row still has its columns', async () => {
    const file = join(folder, 'empty.parquet');
    await writeParquet(file, 0, numbers, {}, () => {});
    expect(await query(`SELECT * FROM read_parquet(${literal(file)})`)).toEqual([]);
  });

  test('leaves no file and no folder when it is interrupted', async () => {
    const file = join(folder, 'never.parquet');
    const stop = (): void => {
      throw new Error('enough');
    };
    await expect(writeParquet(file, 10, numbers, {}, stop)).rejects.toThrow('enough');
    expect(readdirSync(folder).filter((name) => name.startsWith('never'))).toEqual([]);
  });
});
