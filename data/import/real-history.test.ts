import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { describeWithMarketData } from '../../test/market-data.ts';
import type { ImportReport } from './import.ts';
import { ImportWorkspace } from './test-files.ts';

const FILES: readonly [string, string][] = [
  ['BTCUSDT-binance-perp-1h.csv.gz', 'BTCUSDT-binance-perp-1h'],
  ['BTCUSDT-binance-perp-funding.csv.gz', 'BTCUSDT-binance-perp-funding'],
  ['BTCUSDT-binance-perp-mark-1h.csv.gz', 'BTCUSDT-binance-perp-mark-1h'],
  ['GBPUSD-fxcm-fx-1m.csv.gz', 'GBPUSD-fxcm-fx-1m'],
  ['SPX-index-1d.csv.gz', 'SPX-index-index-1d'],
];
const RAW = 'raw-binance-layout';
const RAW_FUTURES = join(RAW, 'BTCUSDT-futures-um-1h-2024-10-28.csv');

/** The lines of a file, read without any of the code under test. */
function linesOf(path: string): string[] {
  const bytes = readFileSync(path);
  return (path.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString().split('\n');
}

function countRows(path: string): { rows: number; first: number; last: number } {
  const times = linesOf(path)
    .filter((line) => /^-?\d/.test(line))
    .map((line) => Number.parseInt(line, 10));
  return { rows: times.length, first: times[0], last: times[times.length - 1] };
}

/** Time, prices and base volume of a row of either layout. */
function valuesOf(line: string): number[] {
  return line.split(',').slice(0, 6).map(Number);
}

describeWithMarketData('recorded market history', (folder) => {
  let workspace: ImportWorkspace;
  let report: ImportReport;
  const paths = FILES.map(([name]) => join(folder, name));

  beforeAll(async () => {
    workspace = await ImportWorkspace.open();
    report = await workspace.import(paths);
  });

  afterAll(() => workspace.close());

  test('is imported to the last row, nothing refused', async () => {
    const stored = new Map((await workspace.store.catalogue()).map((series) => [series.id, series]));
    for (const [i, [, id]] of FILES.entries()) {
      const { rows, first, last } = countRows(paths[i]);
      expect(report.files[i]).toMatchObject({ error: null, series: id, rows, added: rows, refused: 0 });
      expect(stored.get(id)).toMatchObject({ rows, from: first, to: last, simulated: false });
    }
    expect(stored.size).toBe(FILES.length);
  });

  test('imported again adds nothing', async () => {
    const fingerprint = await workspace.store.fingerprint();
    const again = await workspace.import([paths[0], paths[1]]);
    expect(again).toMatchObject({ added: 0, replaced: 0, refusedRows: 0, refusedFiles: 0 });
    expect(again.unchanged).toBe(again.rows);
    expect(await workspace.store.fingerprint()).toBe(fingerprint);
  });

  test("Binance's own dump of a day: the rows that the recorded series has otherwise are named, the others agree", async () => {
    const recorded = new Map(
      linesOf(paths[0]).map((line) => [Number.parseInt(line, 10), String(valuesOf(line))]),
    );
    const dump = linesOf(join(folder, RAW_FUTURES)).map((line, i) => ({
      line: i + 1,
      values: valuesOf(line),
    }));
    const rows = dump.filter(({ values }) => values[0] > 0);
    const differing = rows.filter(({ values }) => recorded.get(values[0]) !== String(values));
    const { files } = await workspace.import(join(folder, RAW_FUTURES));
    expect(files[0]).toMatchObject({
      error: null,
      series: 'BTCUSDT-binance-perp-1h',
      rows: rows.length,
      added: 0,
    });
    expect(files[0].refusedRows).toEqual(differing.map(({ line }) => ({ line, reason: 'CONFLICT' })));
    expect(files[0].unchanged).toBe(rows.length - differing.length);
  });

  test('gives one market whose bars are the numbers of the file', async () => {
    const markets = await workspace.store.loadMarkets();
    expect(markets.map(({ symbol, source }) => [symbol, source])).toEqual([
      ['BTCUSDT', 'BTCUSDT-binance-perp-1h'],
    ]);
    const [{ bars, funding, mark }] = markets;
    const line = linesOf(paths[0])[1000];
    const row = [bars.openTime, bars.open, bars.high, bars.low, bars.close, bars.volume].map((c) => c[999]);
    expect(row).toEqual(valuesOf(line));
    expect(funding?.length).toBe(countRows(paths[1]).rows);
    expect(mark?.length).toBe(countRows(paths[2]).rows);
  });
});
