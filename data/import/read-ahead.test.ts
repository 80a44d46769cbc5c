import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, expect, test } from 'vitest';
import {
  BARS_NAME,
  closesOf,
  hour,
  ImportWorkspace,
  uniformCsv,
  uniformRow,
  uniformRows,
} from './test-files.ts';

const SERIES = 'BTCUSDT-binance-perp-1h';

let workspace: ImportWorkspace;

beforeEach(async () => {
  workspace = await ImportWorkspace.open();
});

afterEach(() => workspace.close());

test('files of one series are merged in their order, though each is read before the one before it is stored', async () => {
  const changed = `${hour(2)},100,109,98,108,1,1`;
  const paths = [uniformRows(0, 4), [uniformRow(1), changed, uniformRow(4)], [changed, uniformRow(5)]].map(
    (rows, i) => workspace.put(`${i}/${BARS_NAME}`, uniformCsv(rows)),
  );
  const { files } = await workspace.import(paths);
  expect(files.map(({ added, unchanged, refusedRows }) => [added, unchanged, refusedRows])).toEqual([
    [4, 0, []],
    [1, 1, [{ line: 3, reason: 'CONFLICT' }]],
    [1, 0, [{ line: 2, reason: 'CONFLICT' }]],
  ]);
  expect(await workspace.storedCloses(SERIES)).toEqual(closesOf(0, 6));
  await workspace.expectClean();
});

test('a plain file, one with bad rows, one that is damaged and one of another kind do not get in each other’s way', async () => {
  const bad = uniformCsv([uniformRow(0), 'x', uniformRow(1)]);
  const funding = `funding_time,funding_rate\n${hour(0)},0.1\n`;
  const damaged = gzipSync(uniformCsv(uniformRows(0, 99))).subarray(0, -9);
  const contents: [string, string | Uint8Array][] = [
    ['perp-1h.csv', uniformCsv(uniformRows(0, 3))],
    ['spot-1h.csv', bad],
    ['perp-mark-1h.csv.gz', damaged],
    ['perp-funding.csv', funding],
    ['perp-mark-1h.csv', bad],
    ['index-1h.csv', uniformCsv(uniformRows(0, 3))],
  ];
  const paths = [...contents, ...contents].map(([name, content], i) =>
    workspace.put(`${i}/M${i}USDT-binance-${name}`, content),
  );
  const { files } = await workspace.import(paths);
  const expected = [
    [3, 0, undefined],
    [2, 1, undefined],
    [0, 0, 'FILE_UNREADABLE'],
    [1, 0, undefined],
    [2, 1, undefined],
    [3, 0, undefined],
  ];
  const found = files.map(({ added, refused, error }) => [added, refused, error?.code]);
  expect(found).toEqual([...expected, ...expected]);
  await workspace.expectClean();
});

test('a file that is being read when the import is interrupted is given up and not in the report', async () => {
  const interrupt = new AbortController();
  const rows = Array.from({ length: 40_000 }, (_, i) => uniformRow(i, hour(i - 40_000)));
  const many = gzipSync(uniformCsv(rows));
  const paths = [
    workspace.put(BARS_NAME, uniformCsv(uniformRows(0, 3))),
    workspace.put('ETHUSDT-binance-perp-1h.csv.gz', many),
  ];
  const report = await workspace.import(paths, {
    interrupted: interrupt.signal,
    onProgress: () => interrupt.abort(),
  });
  expect(report.files.map(({ file }) => file)).toEqual([BARS_NAME]);
  await workspace.expectClean();
  expect(await workspace.import(paths)).toMatchObject({ added: 40_000, unchanged: 3, refusedFiles: 0 });
});

test('of a damaged file with an unusable name it is said that it is damaged', async () => {
  const damaged = gzipSync(uniformCsv(uniformRows(0, 99))).subarray(0, -9);
  const report = await workspace.importFile('data.csv.gz', damaged);
  expect(report.error).toMatchObject({ code: 'FILE_UNREADABLE' });
});
