import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { PlimsollError } from '../../src/errors.ts';
import { HOUR_MILLISECONDS } from '../../src/units.ts';
import type { SeriesKey } from '../series.ts';
import { detectTextLayout } from './layout.ts';
import { type StagedFile, stageLines } from './stage.ts';
import { stagePlain } from './stage-plain.ts';
import {
  BARS_NAME,
  hour,
  ImportWorkspace,
  NOW,
  UNIFORM_HEADER,
  uniformCsv,
  uniformRow,
  uniformRows,
} from './test-files.ts';

const RUNS = 16;
const FUNDING_HEADER = 'funding_time,funding_rate';
const OPEN_INTEREST_HEADER = 'open_interest_time,quote_notional';

let workspace: ImportWorkspace;

beforeAll(async () => {
  workspace = await ImportWorkspace.open();
});

afterAll(() => workspace.close());

async function requestOf(content: string | Uint8Array) {
  const path = workspace.put(BARS_NAME, content);
  const layout = await detectTextLayout(path, BARS_NAME);
  const interrupted = new AbortController().signal;
  const request = {
    path,
    shownName: BARS_NAME,
    symbol: 'BTCUSDT',
    intervalMilliseconds: HOUR_MILLISECONDS,
    now: NOW,
    interrupted,
  };
  return { layout, request };
}

async function stagedRows(): Promise<unknown[][]> {
  const reader = await workspace.store.connection.runAndReadAll('SELECT * FROM staged ORDER BY line');
  // Minus zero is another value than zero at rest.
  return reader
    .getRows()
    .map((row) => row.map((value) => (Object.is(value, -0) ? '-0' : Number(value ?? Number.NaN))));
}

/** Stages both ways, demands that they agree where the quick one takes the file, and tells whether it did. */
async function expectSame(content: string | Uint8Array): Promise<boolean> {
  const { connection } = workspace.store;
  const { layout, request } = await requestOf(content);
  const count = await stagePlain(connection, layout, request);
  const rows = count === null ? [] : await stagedRows();
  let careful: StagedFile | PlimsollError;
  try {
    careful = await stageLines(connection, layout, request);
  } catch (thrown) {
    if (!(thrown instanceof PlimsollError)) throw thrown;
    careful = thrown;
  }
  if (count === null) return false;
  expect(careful).toMatchObject({
    rows: count,
    refused: [],
    refusedByReason: {},
    contradictingInterval: null,
  });
  expect(rows).toEqual(await stagedRows());
  expect(rows).toHaveLength(count);
  return true;
}

const ODD_NUMBERS = [
  '', '0', '-0', '0.0', '007', '1.', '.5', '+1', ' 1', '1 ', '1e2', '1E+02', '1e-5', '25e-1', '1e400', '1e-400', '4e-324',
  '1_000', '0x10', '1e', 'e1', '-', '--1', '1.2.3', 'nan', 'inf', 'Infinity', 'true', '"1"', '""', '"1', '1"', '"1"2',
  '9007199254740993', '123456789012345678901234567890', '0.1234567890123456789', '0.00000000000000000000001', '1\t', '１',
]; // biome-ignore format: a list

const digits = fc.stringMatching(/^(0|[1-9]\d{0,17})(\.\d{1,24})?$/);
const number = fc.oneof(
  { weight: 6, arbitrary: digits },
  { weight: 2, arbitrary: fc.double({ min: 1e-12, max: 1e12, noNaN: true }).map(String) },
  { weight: 1, arbitrary: fc.constantFrom(...ODD_NUMBERS) },
);

describe('what is staged quickly is what the careful reader stages, to the bit and the line', () => {
  test('any notation of a number, in the place of a price, a volume and a rate', async () => {
    let plain = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(number, { minLength: 1, maxLength: 12 }), async (numbers) => {
        const bars = numbers.map((text, i) => `${hour(i)},${text},${text},${text},${text},${text},${text}`);
        const volumes = numbers.map((text, i) => `${hour(i)},1,1,1,1,${text},${numbers.at(-i) ?? ''}`);
        const rates = numbers.map((text, i) => `${hour(i)},${text}`);
        if (await expectSame(uniformCsv(bars))) plain++;
        if (await expectSame(uniformCsv(volumes))) plain++;
        if (await expectSame(`${FUNDING_HEADER}\n${rates.join('\n')}`)) plain++;
        if (await expectSame(`${OPEN_INTEREST_HEADER}\n${rates.join('\n')}`)) plain++;
        for (const text of numbers)
          if (await expectSame(uniformCsv([`${hour(0)},1,1,1,1,,${text}`]))) plain++;
      }),
      { numRuns: RUNS, seed: 21, examples: [[ODD_NUMBERS]] },
    );
    expect(plain).toBeGreaterThan(RUNS);
  });

  test('any notation of a stamp', async () => {
    const stamps = [
      ...ODD_NUMBERS,
      `${hour(1)}`,
      `-${hour(1)}`,
      `${hour(1)}000`,
      `${hour(1)}999`,
      `-${hour(1)}000`,
      `"${hour(1)}"`,
      `${hour(1)}.0`,
      `${hour(1)}e0`,
      `${NOW}`,
      `${NOW - HOUR_MILLISECONDS}`,
      `${NOW + 1}`,
      '-3600000',
      '99999999999999',
      '100000000000000',
      '9007199254740991',
      '9007199254740992',
      '9223372036854775807',
      '92233720368547758080',
      'x',
    ];
    let plain = 0;
    for (const stamp of stamps) {
      for (const rest of ['1,1,1,1,,', '']) {
        const content = rest === '' ? `${FUNDING_HEADER}\n${stamp},0.1\n` : uniformCsv([`${stamp},${rest}`]);
        if (await expectSame(content).catch(sameTrouble)) plain++;
      }
    }
    expect(plain).toBeGreaterThan(10);
  });

  test('any damage to a sound file', async () => {
    const contents = [
      uniformCsv(uniformRows(0, 8)),
      uniformCsv(uniformRows(0, 8), '\r\n'),
      uniformCsv(uniformRows(0, 8)).replaceAll(/[^,\n]+/g, '"$&"'),
      `${FUNDING_HEADER}\n${hour(0)},0.1\n${hour(8)},-0.1\n`,
      `${OPEN_INTEREST_HEADER}\n${hour(0)},0.1\n${hour(8) + 7},5e9\n`,
      Array.from({ length: 6 }, (_, i) => `${hour(i)},1,1,1,1,5,${hour(i + 1) - 1},5,7,1.5,2.5,0\n`).join(''),
    ];
    const byte = fc.oneof(
      fc.constantFrom(...'0123456789'),
      fc.constantFrom(...'\n\r,". -e\t\u001f\0é'),
      fc.constantFrom('\n\n', '\r\n', ',,', '""', ',\n', '"\n', '\n\r'),
    );
    let plain = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...contents),
        fc.nat(),
        fc.constantFrom(0, 1, 2),
        byte,
        async (content, place, removed, put) => {
          const at = content.indexOf('\n') + 1 + (place % (content.length - content.indexOf('\n')));
          const changed = content.slice(0, at) + put + content.slice(at + removed);
          if (await expectSame(changed).catch(sameTrouble)) plain++;
        },
      ),
      { numRuns: 6 * RUNS, seed: 22 },
    );
    expect(plain).toBeGreaterThan(RUNS / 2);
  });
});

/** A file of no known layout after the damage is nothing to either reader. */
function sameTrouble(thrown: unknown): boolean {
  if (thrown instanceof PlimsollError && thrown.code === 'LAYOUT_UNKNOWN') return false;
  throw thrown;
}

describe('plain are', () => {
  const rows = uniformRows(0, 5);
  const cases: readonly [string, string | Uint8Array][] = [
    ['the uniform layout', uniformCsv(rows)],
    ['the same packed', gzipSync(uniformCsv(rows))],
    ['Windows line ends', uniformCsv(rows, '\r\n')],
    ['no line end at the end', uniformCsv(rows).trimEnd()],
    ['quoted fields', uniformCsv(rows).replaceAll(/[^,\n]+/g, '"$&"')],
    ['empty lines', uniformCsv(rows).replaceAll('\n', '\n\n')],
    ['absent volumes', uniformCsv(rows.map((row) => row.replace(/,[^,]*,[^,]*$/, ',,')))],
    ['stamps in microseconds', uniformCsv(rows.map((row) => row.replace(',', '000,')))],
    [
      'years before 1970',
      uniformCsv([uniformRow(0, -7_200_000), uniformRow(1, -3_600_000), uniformRow(2, 0)]),
    ],
    ['small numbers with an exponent', uniformCsv([`${hour(0)},1e-05,2.5e-05,1e-05,1.5E-5,1e3,0`])],
  ];
  test.each(cases)('%s', async (_, content) => {
    expect(await expectSame(content)).toBe(true);
  });
});

describe('not plain are', () => {
  const cases: readonly [string, string][] = [
    ['a row too many columns', uniformCsv([uniformRow(0), `${uniformRow(1)},`])],
    ['a row too few', uniformCsv([uniformRow(0), `${hour(1)},1,1,1,1,1`])],
    ['a time twice', uniformCsv([uniformRow(0), uniformRow(0)])],
    ['a time that goes back', uniformCsv([uniformRow(1), uniformRow(0)])],
    ['a time off the grid', uniformCsv([uniformRow(0), uniformRow(1, hour(1) + 1)])],
    ['a bar that is not closed', uniformCsv([uniformRow(0, NOW)])],
    ['a price of nothing', uniformCsv([`${hour(0)},1,1,0,1,1,1`])],
    ['a close above the high', uniformCsv([`${hour(0)},1,2,1,3,1,1`])],
    ['a negative volume', uniformCsv([`${hour(0)},1,1,1,1,-1,1`])],
    ['a negative quote volume', uniformCsv([`${hour(0)},1,1,1,1,1,-1`])],
    ['an absent price', uniformCsv([`${hour(0)},1,1,1,,1,1`])],
    ['a coarser interval', uniformCsv([0, 24, 48].map((i) => uniformRow(i)))],
    ['a byte order mark', `\uFEFF${uniformCsv(uniformRows(0, 5))}`],
    ['no rows', `${UNIFORM_HEADER}\n`],
    ['a line that does not end', `${uniformCsv(uniformRows(0, 5))}${'1'.repeat(600_000)}`],
  ];
  test.each(cases)('%s', async (_, content) => {
    expect(await expectSame(content)).toBe(false);
  });
});

describe('files of many pieces, batches and row groups', () => {
  const ROWS = 260_000;
  const key: SeriesKey = { symbol: 'X', venue: 'a', kind: 'perp', intervalMilliseconds: 60_000 };
  const content = uniformCsv(
    Array.from({ length: ROWS }, (_, i) =>
      uniformRow(i % 1000, NOW - (ROWS - i) * 60_000).replace(/,[^,]*$/, i % 3 ? ',' : '$&'),
    ),
  );

  test('keep each row in its place, and are stored as if they had been sorted', async () => {
    const { connection } = workspace.store;
    const { layout, request } = await requestOf(gzipSync(content));
    const minutes = { ...request, intervalMilliseconds: 60_000 };
    expect(await stagePlain(connection, layout, minutes)).toBe(ROWS);
    const wrong = await connection.runAndReadAll(
      `SELECT count(*) FROM staged WHERE line <> rowid + 2 OR open_time <> ${NOW} - (${ROWS} - rowid) * 60000
         OR open <> 100 + rowid % 1000 OR (quote_volume IS NULL) <> (rowid % 3 > 0)`,
    );
    expect(wrong.getRows()).toEqual([[0n]]);
    const options = { replace: false, simulated: false, source: null };
    await workspace.store.merge({ ...key, symbol: 'ASIS' }, { ...options, isSorted: true });
    await workspace.store.merge({ ...key, symbol: 'SORTED' }, { ...options, isSorted: false });
    const [asis, sorted] = await workspace.store.catalogue();
    expect(asis.contentHash).toBe(sorted.contentHash);
    expect(asis).toMatchObject({ rows: ROWS, from: NOW - ROWS * 60_000, to: NOW - 60_000 });
    const again = await workspace.store.merge({ ...key, symbol: 'ASIS' }, { ...options, isSorted: true });
    expect(again).toMatchObject({ added: 0, unchanged: ROWS, conflicts: 0 });
  });
});
