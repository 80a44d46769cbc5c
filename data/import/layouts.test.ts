import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { HOUR_MILLISECONDS } from '../../src/units.ts';
import { literal } from '../duckdb.ts';
import {
  BARS_NAME,
  closesOf,
  hour,
  ImportWorkspace,
  START,
  UNIFORM_HEADER,
  uniformCsv,
  uniformRows,
  zipOf,
} from './test-files.ts';

const SERIES = 'BTCUSDT-binance-perp-1h';
const BINANCE_HEADER =
  'open_time,open,high,low,close,volume,close_time,quote_volume,count,taker_buy_volume,taker_buy_quote_volume,ignore';

let workspace: ImportWorkspace;

beforeEach(async () => {
  workspace = await ImportWorkspace.open();
});

afterEach(() => workspace.close());

/** The rows of `uniformRows` in the layout of Binance's own dumps. */
function binanceRows(count: number, stampFactor: 1 | 1000): string[] {
  return uniformRows(0, count).map((row, i) => {
    const [, open, high, low, close, volume, quoteVolume] = row.split(',');
    const closeTime = (hour(i) + HOUR_MILLISECONDS) * stampFactor - 1;
    const stamp = hour(i) * stampFactor;
    return [stamp, open, high, low, close, volume, closeTime, quoteVolume, 7, '1.5', '150.25', 0].join(',');
  });
}

const uniform = uniformCsv(uniformRows(0, 6));
const withHeader = [BINANCE_HEADER, ...binanceRows(6, 1)].join('\n');
const withoutHeader = `${binanceRows(6, 1).join('\n')}\n`;
const microseconds = `${binanceRows(6, 1000).join('\n')}\n`;
const quoted = uniform.replaceAll(/[^,\n]+/g, '"$&"');

describe('every layout of the contract gives the same six bars', () => {
  const cases: readonly [string, string, string | Buffer][] = [
    ['the uniform layout', BARS_NAME, uniform],
    ['the uniform layout, packed', `${BARS_NAME}.gz`, gzipSync(uniform)],
    ['packed in two parts, one after the other', `${BARS_NAME}.gz`, twoPartGzip()],
    ['packed, but not named so', BARS_NAME, gzipSync(uniform)],
    ['packed, with a name in capitals', 'BTCUSDT-binance-perp-1h.CSV.GZ', gzipSync(uniform)],
    ["Binance's columns with their header", BARS_NAME, withHeader],
    ["Binance's columns without a header", BARS_NAME, withoutHeader],
    ["Binance's columns, packed", `${BARS_NAME}.gz`, gzipSync(withoutHeader)],
    ['stamps in microseconds', BARS_NAME, microseconds],
    ['stamps in microseconds under a header', BARS_NAME, `${BINANCE_HEADER}\n${microseconds}`],
    ['Windows line ends', BARS_NAME, uniformCsv(uniformRows(0, 6), '\r\n')],
    ['no line end at the end', BARS_NAME, uniform.trimEnd()],
    ['quoted fields', BARS_NAME, quoted],
    ['quoted fields and Windows line ends', BARS_NAME, quoted.replaceAll('\n', '\r\n')],
    ['a byte order mark before the header', BARS_NAME, `\uFEFF${uniform}`],
    ['a byte order mark before the first row', BARS_NAME, `\uFEFF${withoutHeader}`],
    ['a header in capitals with blanks', BARS_NAME, uniform.replace(UNIFORM_HEADER, spacedHeader())],
    ['empty lines between the rows', BARS_NAME, uniform.replaceAll('\n', '\n\n')],
  ];
  test.each(cases)('%s', async (_, name, content) => {
    const report = await workspace.importFile(name, content);
    expect(report).toMatchObject({ error: null, series: SERIES, rows: 6, added: 6, refused: 0 });
    expect(await workspace.storedCloses(SERIES)).toEqual(closesOf(0, 6));
    await workspace.expectClean();
  });
});

function twoPartGzip(): Buffer {
  const half = uniform.indexOf('\n', 200) + 1;
  return Buffer.concat([gzipSync(uniform.slice(0, half)), gzipSync(uniform.slice(half))]);
}

function spacedHeader(): string {
  return UNIFORM_HEADER.toUpperCase().replaceAll(',', ' , ');
}

test('all values of a row reach the column that they belong to, whatever the layout', async () => {
  await workspace.importFile('AUSDT-binance-perp-1h.csv', uniform);
  await workspace.importFile('BUSDT-binance-perp-1h.csv', microseconds);
  const [a, b] = await workspace.store.loadMarkets();
  expect(a.bars).toEqual(b.bars);
  expect([a.bars.openTime[3], a.bars.open[3], a.bars.high[3], a.bars.low[3]]).toEqual([
    hour(3),
    103,
    105,
    101,
  ]);
  expect([a.bars.close[3], a.bars.volume[3], a.bars.quoteVolume[3]]).toEqual([104, 13, 1339]);
});

test('an absent volume is kept as absent: zero to readers, and quote volume is taken at the typical price', async () => {
  const rows = [
    `${hour(0)},100,102,98,101,,`,
    `${hour(1)},100,102,98,100,5,`,
    `${hour(2)},100,102,98,101,,7`,
  ];
  await workspace.importFile(BARS_NAME, uniformCsv(rows, '\r\n'));
  const [{ bars }] = await workspace.store.loadMarkets();
  expect([...bars.volume]).toEqual([0, 5, 0]);
  expect([...bars.quoteVolume]).toEqual([0, 500, 7]);
});

describe('zip', () => {
  test.each([true, false])('the CSV files inside are imported, deflated: %s', async (deflated) => {
    const archive = zipOf([
      { name: 'readme.txt', content: 'not data', deflated },
      { name: `some/folder/${BARS_NAME}`, content: uniform, deflated },
      { name: 'ETHUSDT-1h-2024-10.csv', content: withoutHeader, deflated },
    ]);
    const { files } = await workspace.import(workspace.put('two.zip', archive));
    expect(files.map(({ file, series, added, error }) => [file, series, added, error])).toEqual([
      [BARS_NAME, SERIES, 6, null],
      ['ETHUSDT-1h-2024-10.csv', 'ETHUSDT-binance-spot-1h', 6, null],
    ]);
    expect(await workspace.storedCloses(SERIES)).toEqual(closesOf(0, 6));
    await workspace.expectClean();
  });

  test('a bad file inside leaves the good one beside it', async () => {
    const archive = zipOf([
      { name: 'ETHUSDT-binance-perp-1h.csv', content: 'nonsense\n' },
      { name: BARS_NAME, content: uniform },
    ]);
    const { files, refusedFiles } = await workspace.import(workspace.put('two.zip', archive));
    expect(refusedFiles).toBe(1);
    expect(files.map(({ error }) => error?.code)).toEqual(['LAYOUT_UNKNOWN', undefined]);
    expect(await workspace.storedCloses(SERIES)).toEqual(closesOf(0, 6));
  });
});

describe('Parquet with the uniform names', () => {
  async function importParquet(name: string, select: string, options = {}) {
    const path = workspace.put(name, '');
    await workspace.store.connection.run(`COPY (${select}) TO ${literal(path)} (FORMAT parquet)`);
    return (await workspace.import(path, options)).files[0];
  }
  const bars = (time: string) =>
    `SELECT ${time} AS open_time, 100.0 + i AS open, 102.0 + i AS high, 98.0 + i AS low, 101 + i AS close,
       1.5 AS volume, 150 AS quote_volume FROM range(6) t(i)`;
  const stamp = `${START} + i * ${HOUR_MILLISECONDS}`;

  test.each([
    ['milliseconds', bars(stamp)],
    ['microseconds', bars(`(${stamp}) * 1000`)],
    ['timestamps', bars(`make_timestamp((${stamp}) * 1000)`)],
    ['other columns between them', `SELECT 'x' AS note, * FROM (${bars(stamp)})`],
    ['no volumes', `SELECT * EXCLUDE (volume, quote_volume) FROM (${bars(stamp)})`],
  ])('bars with %s', async (_, select) => {
    const report = await importParquet('BTCUSDT-binance-perp-1h.parquet', select);
    expect(report).toMatchObject({ error: null, series: SERIES, added: 6, refused: 0 });
    expect(await workspace.storedCloses(SERIES)).toEqual(closesOf(0, 6));
    await workspace.expectClean();
  });

  test('funding is told by its columns, whatever the file is called', async () => {
    const select = `SELECT ${stamp} AS funding_time, 0.0001 AS funding_rate FROM range(3) t(i)`;
    const overrides = { symbol: 'BTCUSDT', venue: 'binance' };
    const report = await importParquet('rates.parquet', select, { overrides });
    expect(report).toMatchObject({ error: null, series: 'BTCUSDT-binance-perp-funding', added: 3 });
  });

  test('bad rows are refused by their number, text that is no number among them', async () => {
    const select = `SELECT open_time, CASE i WHEN 2 THEN 'dear' ELSE '100' END AS open, 102 AS high, 98 AS low,
      CASE i WHEN 4 THEN 'NaN'::DOUBLE ELSE 100 END AS close, CASE i WHEN 1 THEN 'much' END AS volume
      FROM (SELECT ${stamp} AS open_time, i FROM range(6) t(i))`;
    const report = await importParquet('BTCUSDT-binance-perp-1h.parquet', select);
    expect(report).toMatchObject({ error: null, added: 3 });
    expect(report.refusedRows).toEqual([2, 3, 5].map((line) => ({ line, reason: 'NOT_A_NUMBER' })));
  });

  test('other columns are refused with the names of the right ones', async () => {
    const report = await importParquet('BTCUSDT-binance-perp-1h.parquet', 'SELECT 1 AS date, 2 AS price');
    expect(report.error).toMatchObject({ code: 'LAYOUT_UNKNOWN' });
    expect(report.error?.message).toContain('date, price');
    expect(report.error?.remedy).toContain('open_time, open, high, low, close');
    await workspace.expectClean();
  });
});

test('funding rates are imported at their own times, negative ones among them', async () => {
  const rates = [0.0001, -0.003, 0];
  const rows = rates.map((rate, i) => `${START + 8 * i * HOUR_MILLISECONDS + 3},${rate}`);
  const content = `funding_time,funding_rate\n${rows.join('\n')}\n`;
  const report = await workspace.importFile('BTCUSDT-binance-perp-funding.csv', content);
  expect(report).toMatchObject({ error: null, series: 'BTCUSDT-binance-perp-funding', added: 3, refused: 0 });
  await workspace.importFile(BARS_NAME, uniform);
  const [{ funding }] = await workspace.store.loadMarkets();
  expect([...(funding?.rate ?? [])]).toEqual(rates);
  expect(funding?.time[1]).toBe(START + 8 * HOUR_MILLISECONDS + 3);
});

test('a folder is walked: data files are imported, others named as skipped, hidden ones left out', async () => {
  workspace.put(`deep/er/${BARS_NAME}`, uniform);
  workspace.put('README.md', 'about the data');
  workspace.put('.hidden/ETHUSDT-binance-perp-1h.csv', uniform);
  const report = await workspace.import(join(workspace.folder, 'files'));
  expect(report.files.map(({ file }) => file)).toEqual([BARS_NAME]);
  expect(report.skipped.map((path) => path.slice(workspace.folder.length))).toEqual(['/files/README.md']);
  expect(report).toMatchObject({ rows: 6, added: 6, refusedFiles: 0, refusedRows: 0 });
});

test('characters that mean something to a reader of patterns or to SQL mean nothing in a path', async () => {
  for (const folder of ["it's", '[a]', 'x*y', 'open_time=5', 'gzip parquet'])
    workspace.put(`${folder}/${BARS_NAME}`, uniform);
  const report = await workspace.import(join(workspace.folder, 'files'));
  expect(report.files.map(({ error }) => error)).toEqual([null, null, null, null, null]);
  expect(report).toMatchObject({ added: 6, unchanged: 24 });
});
