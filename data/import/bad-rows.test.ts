import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ManualClock } from '../../src/clock.ts';
import { HOUR_MILLISECONDS } from '../../src/units.ts';
import { ROW_REASONS, type RowReason, SHOWN_ROWS } from './stage.ts';
import { closesOf, hour, ImportWorkspace, NOW, uniformCsv, uniformRow, uniformRows } from './test-files.ts';

let workspace: ImportWorkspace;
let fresh = 0;

beforeAll(async () => {
  workspace = await ImportWorkspace.open();
});

afterAll(() => workspace.close());

/** A symbol that nothing is stored of. */
function freshSymbol(): string {
  fresh++;
  return `M${fresh}USDT`;
}

function fileOf(symbol: string): string {
  return `${symbol}-binance-perp-1h.csv`;
}

/** What each is refused for where it stands after the rows of the hours 0, 1 and 2. */
const BAD_ROWS: readonly [string, string, RowReason][] = [
  ['a NaN for a price', `${hour(3)},100,102,NaN,101,1,1`, 'NOT_A_NUMBER'],
  ['an infinite price', `${hour(3)},100,Infinity,98,101,1,1`, 'NOT_A_NUMBER'],
  ['a price beyond double precision', `${hour(3)},100,1e999,98,101,1,1`, 'NOT_A_NUMBER'],
  ['words for a price', `${hour(3)},100,dear,98,101,1,1`, 'NOT_A_NUMBER'],
  ['a price left out', `${hour(3)},100,,98,101,1,1`, 'NOT_A_NUMBER'],
  ['a date for a stamp', '2024-10-28T03:00:00Z,100,102,98,101,1,1', 'NOT_A_NUMBER'],
  ['no stamp', ',100,102,98,101,1,1', 'NOT_A_NUMBER'],
  ['words for a volume', `${hour(3)},100,102,98,101,much,1`, 'NOT_A_NUMBER'],
  ['a NaN for a quote volume', `${hour(3)},100,102,98,101,1,nan`, 'NOT_A_NUMBER'],
  ['a quote inside a number', `${hour(3)},1"00,102,98,101,1,1`, 'NOT_A_NUMBER'],
  ['a quote that is not closed', `${hour(3)},"100,102,98,101,1,1`, 'NOT_A_NUMBER'],
  ['a zero byte', `${hour(3)},100\0,102,98,101,1,1`, 'NOT_A_NUMBER'],
  ['a column too few', `${hour(3)},100,102,98,101,1`, 'COLUMN_COUNT'],
  ['a column too many', `${hour(3)},100,102,98,101,1,1,9`, 'COLUMN_COUNT'],
  ['thousands set apart by a quoted comma', `${hour(3)},"1,00",102,98,101,1,1`, 'COLUMN_COUNT'],
  ['a remark', '# exported by hand', 'COLUMN_COUNT'],
  ['the header once more', 'open_time,open,high,low,close,volume,quote_volume', 'NOT_A_NUMBER'],
  ['blanks only', '   ', 'COLUMN_COUNT'],
  ['a long line', 'x'.repeat(500_000), 'COLUMN_COUNT'],
  ['a price of zero', `${hour(3)},100,102,0,101,1,1`, 'PRICE_NOT_POSITIVE'],
  ['a price below zero', `${hour(3)},100,102,-98,101,1,1`, 'PRICE_NOT_POSITIVE'],
  ['a high below the low', `${hour(3)},100,98,102,101,1,1`, 'HIGH_BELOW_LOW'],
  ['a close above the high', `${hour(3)},100,102,98,103,1,1`, 'OUTSIDE_RANGE'],
  ['an open below the low', `${hour(3)},97,102,98,101,1,1`, 'OUTSIDE_RANGE'],
  ['a volume below zero', `${hour(3)},100,102,98,101,-1,1`, 'NEGATIVE_VOLUME'],
  ['a quote volume below zero', `${hour(3)},100,102,98,101,1,-1`, 'NEGATIVE_VOLUME'],
  ['a stamp between two hours', uniformRow(3, hour(3) + 1), 'OFF_GRID'],
  ['the stamp of the row before', uniformRow(3, hour(2)), 'DUPLICATE_STAMP'],
  ['a stamp from before', uniformRow(3, hour(1)), 'BACKWARD_STAMP'],
  ['a stamp of next year', uniformRow(3, NOW + 8760 * HOUR_MILLISECONDS), 'FUTURE_STAMP'],
  ['a stamp in nanoseconds', uniformRow(3, `${hour(3)}000000`), 'FUTURE_STAMP'],
];

test.each([
  ['\n', 'Unix'],
  ['\r\n', 'Windows'],
])(
  'bad rows are refused by line and reason, the good ones around them kept; line ends %j (%s)',
  async (lineEnd) => {
    for (let from = 0; from < BAD_ROWS.length; from += SHOWN_ROWS) {
      const bad = BAD_ROWS.slice(from, from + SHOWN_ROWS);
      const symbol = freshSymbol();
      const rows = [...uniformRows(0, 3), ...bad.map(([, row]) => row), ...uniformRows(4, 8)];
      const report = await workspace.importFile(fileOf(symbol), uniformCsv(rows, lineEnd));
      expect(report).toMatchObject({ error: null, rows: rows.length, added: 7, refused: bad.length });
      const refused = report.refusedRows.map(({ line, reason }, i) => [bad[i]?.[0], line, reason]);
      expect(refused).toEqual(bad.map(([what, , reason], i) => [what, 5 + i, reason]));
      expect(await workspace.storedCloses(`${symbol}-binance-perp-1h`)).toEqual([
        ...closesOf(0, 3),
        ...closesOf(4, 8),
      ]);
    }
    await workspace.expectClean();
  },
);

test('each reason has a remedy in words', () => {
  const reasons = [...new Set(BAD_ROWS.map(([, , reason]) => reason))];
  for (const reason of [...reasons, 'CONFLICT' as const])
    expect(ROW_REASONS[reason]).toMatch(/^[A-Z].* .*\.$/);
});

test('the bar of this hour is not closed yet and is refused; the one before it is taken', async () => {
  const symbol = freshSymbol();
  const clock = new ManualClock(hour(6) - 1);
  const report = await workspace.importFile(fileOf(symbol), uniformCsv(uniformRows(0, 6)), { clock });
  expect(report).toMatchObject({ added: 5, refusedRows: [{ line: 7, reason: 'FUTURE_STAMP' }] });
  clock.advance(1);
  const later = await workspace.importFile(fileOf(symbol), uniformCsv(uniformRows(0, 6)), { clock });
  expect(later).toMatchObject({ added: 1, unchanged: 5, refused: 0 });
});

test('a stamp that is refused for another reason does not put the rows after it out of order', async () => {
  const rows = [
    uniformRow(0),
    `${hour(5)},100,90,98,101,1,1`,
    uniformRow(1),
    uniformRow(2, hour(9) + 1),
    uniformRow(3),
  ];
  const report = await workspace.importFile(fileOf(freshSymbol()), uniformCsv(rows));
  expect(report.refusedRows.map(({ reason }) => reason)).toEqual(['HIGH_BELOW_LOW', 'OFF_GRID']);
  expect(report.added).toBe(3);
});

test('funding: bad rates are refused by line, a settlement of the future too', async () => {
  const rows = [
    `${hour(0)},0.0001`,
    `${hour(8)},x`,
    `${hour(8)},-0.002`,
    `${hour(8)},0.1`,
    `${NOW + 1},0.1`,
    `${NOW}`,
  ];
  const content = `funding_time,funding_rate\n${rows.join('\n')}\n`;
  const report = await workspace.importFile(`${freshSymbol()}-binance-perp-funding.csv`, content);
  expect(report).toMatchObject({ error: null, added: 2, refused: 4 });
  expect(report.refusedRows).toEqual([
    { line: 3, reason: 'NOT_A_NUMBER' },
    { line: 5, reason: 'DUPLICATE_STAMP' },
    { line: 6, reason: 'FUTURE_STAMP' },
    { line: 7, reason: 'COLUMN_COUNT' },
  ]);
});

test('of many bad rows the first are named and all are counted', async () => {
  const rows = uniformRows(0, 40).map((row, i) => (i % 4 === 0 ? row : `${row},9`));
  const report = await workspace.importFile(fileOf(freshSymbol()), uniformCsv(rows));
  expect(report).toMatchObject({ rows: 40, added: 10, refused: 30, refusedByReason: { COLUMN_COUNT: 30 } });
  expect(report.refusedRows).toHaveLength(SHOWN_ROWS);
  expect(report.refusedRows.slice(0, 4).map(({ line }) => line)).toEqual([3, 4, 5, 7]);
});

test('a file of which every row is bad is read, says so, and stores nothing', async () => {
  const symbol = freshSymbol();
  const report = await workspace.importFile(fileOf(symbol), uniformCsv(['a,b', 'c,d']));
  expect(report).toMatchObject({ error: null, rows: 2, added: 0, refused: 2 });
  expect((await workspace.store.catalogue()).map((series) => series.symbol)).not.toContain(symbol);
});

test('whatever lines a file holds: each is stored or refused at its own line, never lost or counted twice', async () => {
  const line = fc.oneof(
    { weight: 4, arbitrary: fc.constant('good') },
    { weight: 1, arbitrary: fc.constantFrom('', ',,,,,,', 'a,b', 'nan', '"', '1,2,3,4,5,6,7', '\t') },
    { weight: 1, arbitrary: fc.stringMatching(/^[ -~]{1,20}$/) },
  );
  const lineEnd = fc.constantFrom('\n', '\r\n');
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(line, lineEnd), { minLength: 1, maxLength: 40 }), async (lines) => {
      const symbol = freshSymbol();
      const text = lines.map(([content, end], i) => (content === 'good' ? uniformRow(i) : content) + end);
      const report = await workspace.importFile(fileOf(symbol), `${uniformCsv([])}${text.join('')}`);
      const good = lines.flatMap(([content], i) => (content === 'good' ? closesOf(i, i + 1) : []));
      const bad = lines.flatMap(([content], i) => (content === 'good' || content === '' ? [] : [i + 2]));
      if (good.length + bad.length === 0) expect(report.error?.code).toBe('DATA_INSUFFICIENT');
      else if (report.error === null)
        expect(report.refusedRows.map((row) => row.line)).toEqual(bad.slice(0, 20));
      // Few rows, evenly far apart, are rightly taken for another interval; then nothing is stored.
      else expect(report.error).toMatchObject({ message: expect.stringContaining('wrong interval') });
      const stored = await workspace.storedCloses(`${symbol}-binance-perp-1h`);
      expect(stored).toEqual(report.error === null ? good : []);
    }),
    { numRuns: 20, seed: 11 },
  );
});
