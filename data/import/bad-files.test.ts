import { closeSync, openSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Random } from '../../src/random.ts';
import { HOUR_MILLISECONDS } from '../../src/units.ts';
import {
  BARS_NAME,
  closesOf,
  hour,
  ImportWorkspace,
  START,
  UNIFORM_HEADER,
  uniformCsv,
  uniformRow,
  uniformRows,
  zipOf,
} from './test-files.ts';

const SERIES = 'BTCUSDT-binance-perp-1h';
const GOOD = uniformCsv(uniformRows(0, 6));
const PACKED = gzipSync(noisyCsv());

let workspace: ImportWorkspace;

beforeEach(async () => {
  workspace = await ImportWorkspace.open();
});

afterEach(() => workspace.close());

/** Rows that do not pack well, so that a cut in the middle of the file is a cut in the middle of the rows. */
function noisyCsv(): string {
  const random = new Random(5);
  const rows = Array.from({ length: 400 }, (_, i) => {
    const price = 100 + random.uniform();
    return `${START - (400 - i) * HOUR_MILLISECONDS},${price},${price},${price},${price},${random.uniform()},`;
  });
  return uniformCsv(rows);
}

function damaged(bytes: Buffer, position: number): Buffer {
  const copy = Buffer.from(bytes);
  copy[position] ^= 0x5a;
  return copy;
}

function rowsApart(milliseconds: number, count: number): string {
  return uniformCsv(
    Array.from({ length: count }, (_, i) => uniformRow(i, START + i * milliseconds - count * milliseconds)),
  );
}

describe('a bad file is refused whole, by name, with the reason and a remedy, and the store is as before', () => {
  const cases: readonly [string, string, string | Buffer, string, RegExp][] = [
    ['no gzip at all', `${BARS_NAME}.gz`, GOOD, 'FILE_UNREADABLE', /not a whole gzip file/],
    ['a gzip cut after some rows', `${BARS_NAME}.gz`, PACKED.subarray(0, 4000), 'FILE_UNREADABLE', /gzip/],
    ['a gzip cut in its head', `${BARS_NAME}.gz`, PACKED.subarray(0, 8), 'FILE_UNREADABLE', /gzip/],
    ['a gzip cut in its checksum', `${BARS_NAME}.gz`, PACKED.subarray(0, -3), 'FILE_UNREADABLE', /gzip/],
    ['a gzip with a flipped bit', `${BARS_NAME}.gz`, damaged(PACKED, 5000), 'FILE_UNREADABLE', /gzip/],
    [
      'a gzip whose checksum is wrong',
      `${BARS_NAME}.gz`,
      damaged(PACKED, PACKED.length - 6),
      'FILE_UNREADABLE',
      /gzip/,
    ],
    [
      'a gzip with something behind it',
      `${BARS_NAME}.gz`,
      Buffer.concat([PACKED, Buffer.from('<html>')]),
      'FILE_UNREADABLE',
      /gzip/,
    ],
    ['an empty file', BARS_NAME, '', 'DATA_INSUFFICIENT', /is empty/],
    ['an empty packed file', `${BARS_NAME}.gz`, gzipSync(''), 'DATA_INSUFFICIENT', /is empty/],
    ['a file of empty lines', BARS_NAME, '\n\r\n\n', 'DATA_INSUFFICIENT', /is empty/],
    ['a header and nothing else', BARS_NAME, `${UNIFORM_HEADER}\n`, 'DATA_INSUFFICIENT', /no rows/],
    ['an unknown header', BARS_NAME, GOOD.replace('open_time', 'date'), 'LAYOUT_UNKNOWN', /date,open/],
    ['a header after an empty line', BARS_NAME, `\n${GOOD}`, 'LAYOUT_UNKNOWN', /empty line/],
    ['a page of the web', BARS_NAME, '<!doctype html><html></html>', 'LAYOUT_UNKNOWN', /doctype/],
    ['a first line without an end', BARS_NAME, 'x'.repeat(100_000), 'LAYOUT_UNKNOWN', /xxx/],
    ['old line ends of one carriage return', BARS_NAME, GOOD.replaceAll('\n', '\r'), 'LAYOUT_UNKNOWN', /./],
    ['bytes of no text', BARS_NAME, Buffer.alloc(5000, 0xff), 'LAYOUT_UNKNOWN', /./],
    [
      'a line that is not UTF-8',
      BARS_NAME,
      Buffer.concat([Buffer.from(GOOD), Buffer.from([0xe9, 0x2c, 0x0a])]),
      'FILE_UNREADABLE',
      /line 8 is not UTF-8/,
    ],
    [
      'a line of more than a megabyte',
      BARS_NAME,
      `${GOOD}${'7'.repeat(1_100_000)}\n${uniformRow(7)}\n`,
      'FILE_UNREADABLE',
      /line 8 is longer than 1000000 bytes/,
    ],
    [
      'half-hour rows named as hours',
      BARS_NAME,
      rowsApart(1_800_000, 40),
      'DATA_INVALID',
      /30m apart.*as 1h/,
    ],
    ['minute rows named as hours', BARS_NAME, rowsApart(60_000, 400), 'DATA_INVALID', /1m apart.*as 1h/],
    ['daily rows named as hours', BARS_NAME, rowsApart(86_400_000, 4), 'DATA_INVALID', /1d apart.*as 1h/],
    ['stamps in seconds', BARS_NAME, secondStamps(3000), 'DATA_INVALID', /wrong interval/],
    ['a file of no name', 'data.csv', GOOD, 'LAYOUT_UNKNOWN', /the market.*--symbol/],
    ['a name without a kind', 'BTCUSDT-binance-1h.csv', GOOD, 'LAYOUT_UNKNOWN', /the kind.*--kind/],
    [
      'a name without an interval',
      'BTCUSDT-binance-perp.csv',
      GOOD,
      'LAYOUT_UNKNOWN',
      /the interval.*--interval/,
    ],
    ['bars named as funding', 'BTCUSDT-binance-perp-funding.csv', GOOD, 'DATA_INVALID', /holds bars/],
    ['no Parquet at all', 'BTCUSDT-binance-perp-1h.parquet', GOOD, 'FILE_UNREADABLE', /not a whole Parquet/],
    [
      'an empty Parquet file',
      'BTCUSDT-binance-perp-1h.parquet',
      '',
      'FILE_UNREADABLE',
      /not a whole Parquet/,
    ],
    ['no zip at all', 'a.zip', GOOD, 'FILE_UNREADABLE', /not a whole zip/],
    ['a zip cut off', 'a.zip', goodZip().subarray(0, -30), 'FILE_UNREADABLE', /not a whole zip/],
    ['a zip whose checksum is wrong', 'a.zip', goodZip(true), 'FILE_UNREADABLE', /checksum of BTCUSDT/],
    ['a zip with a flipped bit', 'a.zip', damaged(goodZip(), 120), 'FILE_UNREADABLE', /not a whole zip/],
    ['a zip without data', 'a.zip', zipOf([{ name: 'a.txt', content: 'a' }]), 'LAYOUT_UNKNOWN', /no CSV/],
    ['an empty zip', 'a.zip', zipOf([]), 'LAYOUT_UNKNOWN', /no CSV/],
    [
      'a zip that would write elsewhere',
      'a.zip',
      zipOf([{ name: '../../out.csv', content: GOOD }]),
      'FILE_UNREADABLE',
      /not a whole zip/,
    ],
  ];

  test('for each of the ways in which a file can be bad', async () => {
    await workspace.importFile(BARS_NAME, uniformCsv(uniformRows(-3, 0)));
    const fingerprint = await workspace.store.fingerprint();
    for (const [what, name, content, code, message] of cases) {
      const report = await workspace.importFile(name, content);
      expect(report.error, what).toMatchObject({ code, message: expect.stringMatching(message) });
      expect(report.error?.message, what).toContain(name);
      expect(report.error?.message, what).not.toMatch(/read_csv|read_parquet|SELECT|tmp/);
      expect(report.error?.message.length, what).toBeLessThan(300);
      expect(report.error?.remedy, what).toMatch(/\w+.*\.$/);
      expect(report, what).toMatchObject({ file: name, series: null, rows: 0, added: 0, refusedRows: [] });
      expect(await workspace.store.fingerprint(), what).toBe(fingerprint);
      await workspace.expectClean();
    }
  });
});

function secondStamps(count: number): string {
  return uniformCsv(
    Array.from({ length: count }, (_, i) => uniformRow(i, (START - i * 3_600_000) / 1000)).reverse(),
  );
}

function goodZip(wrongChecksum = false): Buffer {
  return zipOf([{ name: BARS_NAME, content: noisyCsv(), wrongChecksum }]);
}

test('gaps alone do not make a wrong interval', async () => {
  const rows = [0, 2, 5, 9, 12].map((index) => uniformRow(index));
  expect(await workspace.importFile(BARS_NAME, uniformCsv(rows))).toMatchObject({ error: null, added: 5 });
});

test('a bad file between two good ones leaves both, and the report tells them apart', async () => {
  const paths = [
    workspace.put(`1/${BARS_NAME}`, GOOD),
    workspace.put('2/ETHUSDT-binance-perp-1h.csv.gz', PACKED.subarray(0, 4000)),
    workspace.put('3/SOLUSDT-binance-perp-1h.csv', GOOD),
  ];
  const report = await workspace.import(paths);
  expect(report).toMatchObject({ added: 12, refusedFiles: 1 });
  expect(report.files.map(({ error }) => error?.code)).toEqual([undefined, 'FILE_UNREADABLE', undefined]);
  expect((await workspace.store.catalogue()).map(({ id }) => id)).toEqual([
    SERIES,
    'SOLUSDT-binance-perp-1h',
  ]);
});

describe('flags', () => {
  test('give what the name lacks and overrule what it says', async () => {
    const overrides = { symbol: 'ETHUSDT', venue: 'kucoin', kind: 'spot', interval: '1h' };
    const named = await workspace.importFile('data.csv', GOOD, { overrides });
    const misnamed = await workspace.importFile('BTCUSDT-binance-perp-1d.csv', GOOD, { overrides });
    expect([named.series, misnamed.series]).toEqual(Array(2).fill('ETHUSDT-kucoin-spot-1h'));
    expect([named.added, misnamed.unchanged]).toEqual([6, 6]);
  });

  test.each([
    ['bars as funding', GOOD, { kind: 'perp-funding' }, /holds bars/],
    [
      'funding as bars',
      `funding_time,funding_rate\n${hour(0)},0.1\n`,
      { kind: 'perp' },
      /holds funding rates/,
    ],
  ])('cannot make %s', async (_, content, overrides, message) => {
    const report = await workspace.importFile(BARS_NAME, content, { overrides });
    expect(report.error).toMatchObject({ code: 'DATA_INVALID', message: expect.stringMatching(message) });
    expect(await workspace.store.catalogue()).toEqual([]);
  });
});

describe('paths', () => {
  test('one that does not exist fails the command before anything is read', async () => {
    const paths = [workspace.put(BARS_NAME, GOOD), join(workspace.folder, 'nowhere.csv')];
    await expect(workspace.import(paths)).rejects.toMatchObject({
      code: 'NOT_FOUND',
      message: expect.stringContaining('nowhere.csv'),
      remedy: 'Check the path.',
    });
    expect(await workspace.store.catalogue()).toEqual([]);
    await workspace.expectClean();
  });

  test('links: to nothing they are skipped, back upwards they are not walked for ever', async () => {
    const path = workspace.put(BARS_NAME, GOOD);
    symlinkSync(`${path}.gone`, `${path}.dangling.csv`);
    symlinkSync(join(workspace.folder, 'files'), join(workspace.folder, 'files', 'loop'));
    const report = await workspace.import(join(workspace.folder, 'files'));
    expect(report).toMatchObject({ rows: 6, added: 6, refusedFiles: 0 });
    expect(report.skipped).toEqual([`${path}.dangling.csv`]);
  });

  test('a file that goes away while the import runs is refused, and the next one is imported', async () => {
    const gone = workspace.put('AUSDT-binance-perp-1h.csv', GOOD);
    const report = await workspace.import([gone, workspace.put(BARS_NAME, GOOD)], {
      onProgress: (_done, _total, file) => file.startsWith('AUSDT') && rmSync(gone),
    });
    expect(report.files.map(({ error, added }) => [error?.code, added])).toEqual([
      ['FILE_UNREADABLE', 0],
      [undefined, 6],
    ]);
    expect(report.files[0].error?.remedy).toBe('Check that the file is there and may be read.');
  });
});

test('files are closed again, the large packed ones too', async () => {
  const random = new Random(8);
  const noise = Array.from({ length: 40_000 }, () => random.uint32().toString(36)).join(',');
  const path = workspace.put(`${BARS_NAME}.gz`, gzipSync(`${GOOD}${noise}\n`));
  await workspace.import(path);
  const before = descriptorsInUse(path);
  for (let i = 0; i < 5; i++) await workspace.import(path);
  expect(descriptorsInUse(path)).toBeLessThan(before + 5);
  expect(await workspace.storedCloses(SERIES)).toEqual(closesOf(0, 6));
});

/** The highest of many descriptors opened at once: they fill the free places from below, so that it counts those in use. */
function descriptorsInUse(path: string): number {
  const opened = Array.from({ length: 30 }, () => openSync(path, 'r'));
  for (const descriptor of opened) closeSync(descriptor);
  return Math.max(...opened);
}
