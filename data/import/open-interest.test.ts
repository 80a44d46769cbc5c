import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { literal } from '../duckdb.ts';
import { ROW_REASONS, type RowReason } from './stage.ts';
import {
  BARS_NAME,
  hour,
  ImportWorkspace,
  NOW,
  START,
  uniformCsv,
  uniformRows,
  zipOf,
} from './test-files.ts';

const UNIFORM = 'open_interest_time,quote_notional';
/** The header of the files that Binance publishes by day, as it is there. */
const METRICS =
  'create_time,symbol,sum_open_interest,sum_open_interest_value,count_toptrader_long_short_ratio,sum_toptrader_long_short_ratio,count_long_short_ratio,sum_taker_long_short_vol_ratio';
const FIVE_MINUTES = 300_000;

let workspace: ImportWorkspace;
let fresh = 0;

beforeAll(async () => {
  workspace = await ImportWorkspace.open();
});

afterAll(() => workspace.close());

/** A symbol that nothing is stored of. */
function freshSymbol(): string {
  fresh++;
  return `OI${fresh}USDT`;
}

function csv(header: string, rows: readonly string[], lineEnd = '\n'): string {
  return [header, ...rows].map((row) => row + lineEnd).join('');
}

function metricsRow(symbol: string, time: string, value: string | number): string {
  return `${time},${symbol},81230.5170000000000000,${value},1.8,1.2,,0.97`;
}

/** All that is stored of a market's open interest. */
async function stored(symbol: string): Promise<unknown[][]> {
  const manifest = (await workspace.store.files.manifests()).find(
    ({ id }) => id === `${symbol}-binance-perp-open-interest`,
  );
  if (manifest === undefined) return [];
  const paths = manifest.parts.map((part) => literal(workspace.store.files.path(part))).join(', ');
  const { connection } = workspace.store;
  const reader = await connection.runAndReadAll(`SELECT * FROM read_parquet([${paths}])`);
  return reader.getRows().map((row) => row.map(Number));
}

/** What both layouts say of three times that are five minutes apart, the last one a second late. */
const GOLDEN = [
  [START, 5_612_345_678.9],
  [START + FIVE_MINUTES, 5_700_000_000],
  [START + 2 * FIVE_MINUTES + 1000, 0.5],
];
const UNIFORM_ROWS = GOLDEN.map((row) => row.join(','));
const metricsRows = (symbol: string) => [
  metricsRow(symbol, '2024-10-28 00:00:00', '5612345678.9000000000000000'),
  metricsRow(symbol, '2024-10-28 00:05:00', '5700000000'),
  metricsRow(symbol, '2024-10-28 00:10:01', '5e-1'),
];

describe('every layout of open interest gives the same three values', () => {
  test.each<[string, string, (symbol: string) => string]>([
    ['the uniform layout', 'perp-open-interest', () => csv(UNIFORM, UNIFORM_ROWS)],
    [
      'its stamps in microseconds',
      'perp-open-interest',
      () =>
        csv(
          UNIFORM,
          GOLDEN.map(([t, v]) => `${t}000,${v}`),
        ),
    ],
    ["Binance's metrics", 'metrics-2024-10-28', (symbol) => csv(METRICS, metricsRows(symbol))],
    [
      'the same with Windows line ends',
      'metrics-2024-10-28',
      (symbol) => csv(METRICS, metricsRows(symbol), '\r\n'),
    ],
    [
      'the same with quoted fields',
      'perp-open-interest',
      (symbol) => csv(METRICS, metricsRows(symbol)).replaceAll(/[^,\n]+/g, '"$&"'),
    ],
  ])('%s', async (_, name, contentOf) => {
    const symbol = freshSymbol();
    const venue = name.startsWith('metrics') ? '' : 'binance-';
    const report = await workspace.importFile(`${symbol}-${venue}${name}.csv`, contentOf(symbol));
    expect(report).toMatchObject({
      error: null,
      series: `${symbol}-binance-perp-open-interest`,
      ...{ rows: 3, added: 3, refused: 0 },
    });
    expect(await stored(symbol)).toEqual(GOLDEN);
    await workspace.expectClean();
  });

  test('a zip as Binance publishes it, which imported again changes nothing', async () => {
    const symbol = freshSymbol();
    const content = csv(METRICS, metricsRows(symbol));
    const archive = zipOf([{ name: `${symbol}-metrics-2024-10-28.csv`, content, deflated: true }]);
    const path = workspace.put(`${symbol}-metrics-2024-10-28.zip`, archive);
    expect(await workspace.import(path)).toMatchObject({ added: 3, refusedRows: 0 });
    expect(await workspace.import(path)).toMatchObject({ added: 0, unchanged: 3 });
    expect(await stored(symbol)).toEqual(GOLDEN);
  });

  test('Parquet with the uniform names', async () => {
    const symbol = freshSymbol();
    const path = workspace.put(`${symbol}-binance-perp-open-interest.parquet`, '');
    const rows = GOLDEN.map(([time, value]) => `(make_timestamp(${time} * 1000), ${value}::DOUBLE)`).join(
      ', ',
    );
    await workspace.store.connection.run(
      `COPY (SELECT * FROM (VALUES ${rows}) AS t(open_interest_time, quote_notional)) TO ${literal(path)} (FORMAT parquet)`,
    );
    expect((await workspace.import(path)).files[0]).toMatchObject({ error: null, added: 3, refused: 0 });
    expect(await stored(symbol)).toEqual(GOLDEN);
  });
});

describe('a bad row of open interest is refused by line and reason, the good ones around it kept', () => {
  /** What each is refused for between the first and the second hour. */
  const BAD: readonly [string, RowReason][] = [
    [`${hour(1)},-1`, 'OPEN_INTEREST_NOT_POSITIVE'],
    [`${hour(1)},0`, 'OPEN_INTEREST_NOT_POSITIVE'],
    [`${hour(1)},NaN`, 'NOT_A_NUMBER'],
    [`${hour(1)},Infinity`, 'NOT_A_NUMBER'],
    [`${hour(1)},1e999`, 'NOT_A_NUMBER'],
    [`${hour(1)},`, 'NOT_A_NUMBER'],
    [`${hour(1)},much`, 'NOT_A_NUMBER'],
    ['2024-10-28 01:00:00,5', 'NOT_A_NUMBER'],
    [`${hour(1)}`, 'COLUMN_COUNT'],
    [`${hour(1)},5,5`, 'COLUMN_COUNT'],
    [`${NOW + 1},5`, 'FUTURE_STAMP'],
    [`${hour(0)},6`, 'DUPLICATE_STAMP'],
    [`${hour(-1)},6`, 'BACKWARD_STAMP'],
  ];

  test('in the uniform layout', async () => {
    const symbol = freshSymbol();
    const rows = [`${hour(0)},5`, ...BAD.map(([row]) => row), `${hour(2) + 7},8`];
    const report = await workspace.importFile(`${symbol}-binance-perp-open-interest.csv`, csv(UNIFORM, rows));
    expect(report).toMatchObject({ error: null, added: 2, refused: BAD.length });
    expect(report.refusedRows).toEqual(BAD.map(([, reason], i) => ({ line: 3 + i, reason })));
    expect(await stored(symbol)).toEqual([
      [hour(0), 5],
      [hour(2) + 7, 8],
    ]);
  });

  test("in Binance's metrics, rows of another market and times that are none among them", async () => {
    const symbol = freshSymbol();
    const bad: readonly [string, RowReason][] = [
      [metricsRow(symbol, '2024-10-28 01:00:00', '-1'), 'OPEN_INTEREST_NOT_POSITIVE'],
      [metricsRow(symbol, '2024-10-28 01:00:00', ''), 'NOT_A_NUMBER'],
      [metricsRow(symbol, '2024-10-28T01:00:00Z', 5), 'NOT_A_NUMBER'],
      [metricsRow(symbol, '2024-02-30 01:00:00', 5), 'NOT_A_NUMBER'],
      [metricsRow(symbol, `${hour(1)}`, 5), 'NOT_A_NUMBER'],
      [metricsRow('BTCUSDT', '2024-10-28 01:00:00', 5), 'OTHER_MARKET'],
      [`2024-10-28 01:00:00,${symbol},1`, 'COLUMN_COUNT'],
      [metricsRow(symbol, '2025-01-01 00:00:01', 5), 'FUTURE_STAMP'],
      [metricsRow(symbol, '2024-10-28 00:00:00', 6), 'DUPLICATE_STAMP'],
      [metricsRow(symbol, '2024-10-27 23:55:00', 6), 'BACKWARD_STAMP'],
    ];
    const rows = [
      metricsRow(symbol, '2024-10-28 00:00:00', 5),
      ...bad.map(([row]) => row),
      metricsRow(symbol, '2024-10-28 02:00:00', 8),
    ];
    const report = await workspace.importFile(`${symbol}-metrics-2024-10-28.csv`, csv(METRICS, rows));
    expect(report).toMatchObject({ error: null, added: 2, refused: bad.length });
    expect(report.refusedRows).toEqual(bad.map(([, reason], i) => ({ line: 3 + i, reason })));
    expect(await stored(symbol)).toEqual([
      [hour(0), 5],
      [hour(2), 8],
    ]);
  });

  test('another value for a stored time is a conflict, and takes its place only when told to', async () => {
    const symbol = freshSymbol();
    const file = `${symbol}-binance-perp-open-interest.csv`;
    await workspace.importFile(file, csv(UNIFORM, [`${hour(0)},5`]));
    const changed = csv(UNIFORM, [`${hour(0)},6`]);
    expect(await workspace.importFile(file, changed)).toMatchObject({
      refusedByReason: { CONFLICT: 1 },
      refusedRows: [{ line: 2, reason: 'CONFLICT' }],
    });
    expect(await stored(symbol)).toEqual([[hour(0), 5]]);
    await workspace.importFile(file, changed, { replace: true });
    expect(await stored(symbol)).toEqual([[hour(0), 6]]);
  });

  test('each reason has a remedy in words', () => {
    for (const reason of ['OPEN_INTEREST_NOT_POSITIVE', 'OTHER_MARKET'] as const)
      expect(ROW_REASONS[reason]).toMatch(/^[A-Z].* .*\.$/);
  });
});

test('a file of open interest that is named as bars is refused, and the other way round', async () => {
  const symbol = freshSymbol();
  const named = { overrides: { kind: 'perp' } };
  const report = await workspace.importFile(
    `${symbol}-binance-perp-1h.csv`,
    csv(UNIFORM, UNIFORM_ROWS),
    named,
  );
  expect(report.error).toMatchObject({
    code: 'DATA_INVALID',
    message: expect.stringContaining('holds open interest, but is named as perp'),
  });
  const bars = await workspace.importFile(
    `${symbol}-binance-perp-open-interest.csv`,
    uniformCsv(uniformRows(0, 3)),
  );
  expect(bars.error).toMatchObject({ code: 'DATA_INVALID', message: expect.stringContaining('holds bars') });
});

test('of a market is loaded what was known last at each whole hour, and the newest; of its own venue alone', async () => {
  await workspace.importFile(BARS_NAME, uniformCsv(uniformRows(0, 6)));
  const times = [0, 5, 55, 60, 61, 119, 125, 130].map((minutes) => START + minutes * 60_000);
  const rows = times.map((time, i) => `${time},${100 + i}`);
  await workspace.importFile('BTCUSDT-binance-perp-open-interest.csv', csv(UNIFORM, rows));
  await workspace.importFile('BTCUSDT-okx-perp-open-interest.csv', csv(UNIFORM, [`${hour(5)},1`]));
  const [market] = await workspace.store.loadMarkets({ symbols: ['BTCUSDT'] });
  expect([...(market.openInterest?.time ?? [])]).toEqual([0, 3, 5, 7].map((i) => times[i]));
  expect([...(market.openInterest?.quoteNotional ?? [])]).toEqual([100, 103, 105, 107]);
  expect(market.openInterest?.length).toBe(4);
  const late = { symbols: ['BTCUSDT'], openInterestFrom: times[3] };
  const [recent] = await workspace.store.loadMarkets(late);
  expect([...(recent.openInterest?.quoteNotional ?? [])]).toEqual([103, 105, 107]);
  expect(recent.bars.length).toBe(6);
  const [early] = await workspace.store.loadMarkets({ symbols: ['BTCUSDT'], to: times[4] });
  expect([...(early.openInterest?.quoteNotional ?? [])]).toEqual([100, 103]);
});
