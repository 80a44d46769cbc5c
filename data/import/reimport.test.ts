import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { emptyBars } from '../../src/risk/bars.ts';
import { HOUR_MILLISECONDS } from '../../src/units.ts';
import {
  BARS_NAME,
  closesOf,
  hour,
  ImportWorkspace,
  uniformCsv,
  uniformRow,
  uniformRows,
  zipOf,
} from './test-files.ts';

const SERIES = 'BTCUSDT-binance-perp-1h';
const CHANGED = `${hour(2)},100,109,98,108,1,1`;

let workspace: ImportWorkspace;

beforeEach(async () => {
  workspace = await ImportWorkspace.open();
});

afterEach(() => workspace.close());

test('a file that was imported before changes nothing, not even the bytes at rest', async () => {
  const path = workspace.put(BARS_NAME, uniformCsv(uniformRows(0, 50)));
  const first = await workspace.import(path);
  const fingerprint = await workspace.store.fingerprint();
  const files = readdirSync(workspace.store.files.directory);
  const again = await workspace.import([path, path], { replace: true });
  expect([first.added, first.unchanged]).toEqual([50, 0]);
  expect(again).toMatchObject({ rows: 100, added: 0, unchanged: 100, replaced: 0, refusedRows: 0 });
  expect(await workspace.store.fingerprint()).toBe(fingerprint);
  expect(readdirSync(workspace.store.files.directory)).toEqual(files);
});

test('rows from several files come together in time, whatever order they are imported in', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.shuffledSubarray([0, 1, 2, 3, 4], { minLength: 5 }),
      fc.integer({ min: 0, max: 6 }),
      async (order, overlap) => {
        const symbol = `M${order.join('')}${overlap}USDT`;
        for (const part of order) {
          const rows = uniformRows(Math.max(0, 10 * part - overlap), 10 * part + 10);
          await workspace.importFile(`${symbol}-binance-perp-1h-2024-0${part + 1}.csv`, uniformCsv(rows));
        }
        expect(await workspace.storedCloses(`${symbol}-binance-perp-1h`)).toEqual(closesOf(0, 50));
      },
    ),
    { numRuns: 3, seed: 3 },
  );
});

test('what is stored can be traced to the files that it came from, each named once, the newest last', async () => {
  const january = 'BTCUSDT-binance-perp-1h-2024-01.csv';
  const february = 'BTCUSDT-binance-perp-1h-2024-02.csv';
  await workspace.importFile(january, uniformCsv(uniformRows(0, 5)));
  await workspace.importFile(february, uniformCsv(uniformRows(5, 9)));
  await workspace.importFile(january, uniformCsv(uniformRows(-5, 0)));
  const [manifest] = await workspace.store.files.manifests();
  expect(manifest).toMatchObject({ rows: 14, from: hour(-5), to: hour(8), simulated: false });
  expect(manifest.sources).toEqual([february, january]);
});

describe('rows that differ from stored ones', () => {
  const corrected = uniformCsv([uniformRow(0), uniformRow(1), CHANGED, uniformRow(3)]);

  beforeEach(async () => {
    await workspace.importFile(BARS_NAME, uniformCsv(uniformRows(0, 3)));
  });

  test('are refused as conflicts by line, and the new ones beside them are taken', async () => {
    const report = await workspace.importFile(BARS_NAME, corrected);
    expect(report).toMatchObject({ added: 1, unchanged: 2, replaced: 0, refused: 1, error: null });
    expect(report.refusedRows).toEqual([{ line: 4, reason: 'CONFLICT' }]);
    expect(report.refusedByReason).toEqual({ CONFLICT: 1 });
    expect(await workspace.storedCloses(SERIES)).toEqual(closesOf(0, 4));
    await workspace.expectClean();
  });

  test('take their place with `replace`, and the old value comes back the same way', async () => {
    const fingerprint = await workspace.store.fingerprint();
    const report = await workspace.importFile(BARS_NAME, corrected, { replace: true });
    expect(report).toMatchObject({ added: 1, unchanged: 2, replaced: 1, refused: 0, refusedRows: [] });
    expect((await workspace.storedCloses(SERIES))[2]).toEqual([hour(2), 108]);
    expect(await workspace.store.fingerprint()).not.toBe(fingerprint);
    const back = await workspace.importFile(BARS_NAME, uniformCsv(uniformRows(0, 3)), { replace: true });
    expect(back).toMatchObject({ added: 0, unchanged: 2, replaced: 1 });
    expect(await workspace.storedCloses(SERIES)).toEqual(closesOf(0, 4));
    await workspace.expectClean();
  });

  test('a value that one side lacks is no conflict', async () => {
    const withoutVolume = uniformRows(0, 3).map((row) => row.replace(/,[^,]*,[^,]*$/, ',,'));
    const report = await workspace.importFile(BARS_NAME, uniformCsv(withoutVolume));
    expect(report).toMatchObject({ added: 0, unchanged: 3, refused: 0 });
  });
});

describe('one import at a time', () => {
  test('a second one is told so at once and harms nothing; afterwards it may run', async () => {
    const path = workspace.put(BARS_NAME, uniformCsv(uniformRows(0, 3)));
    let second: Promise<unknown> = Promise.resolve();
    const first = await workspace.import(path, {
      onProgress: (_done, _total, file) => {
        if (file !== '') second = workspace.import(path).catch((thrown) => thrown);
      },
    });
    expect(await second).toMatchObject({
      code: 'LOCKED',
      message: `an import is running already in process ${process.pid}`,
      remedy: expect.stringContaining('Wait'),
    });
    expect(first.added).toBe(3);
    expect(await workspace.import(path)).toMatchObject({ unchanged: 3 });
  });

  test('the lock is let go when an import fails', async () => {
    const failing = workspace.import(workspace.put(BARS_NAME, uniformCsv(uniformRows(0, 3))), {
      onProgress: () => {
        throw new Error('the terminal went away');
      },
    });
    await expect(failing).rejects.toThrow('the terminal went away');
    expect(await workspace.importFile(BARS_NAME, uniformCsv(uniformRows(0, 3)))).toMatchObject({ added: 3 });
  });

  test('the sample that is written by the same process meanwhile gets its own rows, not those of the file', async () => {
    const bars = emptyBars(1, HOUR_MILLISECONDS);
    for (const column of [bars.open, bars.high, bars.low, bars.close]) column[0] = 7;
    bars.openTime[0] = hour(0);
    const sample = {
      venue: 'sample',
      kind: 'perp',
      intervalMilliseconds: HOUR_MILLISECONDS,
      simulated: true,
    };
    const path = workspace.put(BARS_NAME, uniformCsv(uniformRows(0, 300)));
    const writes: Promise<unknown>[] = [];
    await workspace.import([path, path, path], {
      onProgress: () => {
        const symbol = `S${writes.length}USDT`;
        writes.push(workspace.store.writeSeries({ ...sample, symbol }, bars));
      },
    });
    await Promise.all(writes);
    expect(await workspace.storedCloses(SERIES)).toEqual(closesOf(0, 300));
    for (let i = 0; i < 4; i++)
      expect(await workspace.storedCloses(`S${i}USDT-sample-perp-1h`)).toEqual([[hour(0), 7]]);
    await workspace.expectClean();
  });
});

describe('an interrupt', () => {
  test('ends the import after the file at hand and leaves whole files', async () => {
    const interrupt = new AbortController();
    const paths = ['A', 'B', 'C'].map((letter) =>
      workspace.put(`${letter}USDT-binance-perp-1h.csv`, uniformCsv(uniformRows(0, 30))),
    );
    const report = await workspace.import(paths, {
      interrupted: interrupt.signal,
      onProgress: (_done, _total, file) => file.startsWith('B') && interrupt.abort(),
    });
    expect(report.files.map(({ file, added }) => [file[0], added])).toEqual([
      ['A', 30],
      ['B', 30],
    ]);
    expect((await workspace.store.catalogue()).map(({ rows }) => rows)).toEqual([30, 30]);
    await workspace.expectClean();
    expect(await workspace.import(paths)).toMatchObject({ added: 30, unchanged: 60 });
  });

  test('is heard between the files of an archive too', async () => {
    const content = uniformCsv(uniformRows(0, 30));
    const names = ['A', 'B', 'C'].map((letter) => `${letter}USDT-binance-perp-1h.csv`);
    const interrupt = new AbortController();
    const report = await workspace.import(
      workspace.put('three.zip', zipOf(names.map((name) => ({ name, content })))),
      { interrupted: interrupt.signal, onProgress: () => interrupt.abort() },
    );
    expect(report.files).toEqual([]);
    await workspace.expectClean();
  });
});

test('what a killed import had unpacked or half written is removed by the next one', async () => {
  await workspace.importFile(BARS_NAME, uniformCsv(uniformRows(0, 3)));
  const { directory } = workspace.store.files;
  mkdirSync(join(workspace.dataDir, 'tmp', 'zip-a1b2c3'));
  writeFileSync(join(workspace.dataDir, 'tmp', 'zip-a1b2c3', '7-0.csv'), 'half');
  writeFileSync(join(directory, `${SERIES}.4711.tmp`), 'half');
  writeFileSync(join(directory, `${SERIES}.4711.tmp.json.tmp`), '{');
  writeFileSync(join(directory, `${SERIES}.0123456789abcdef.parquet`), 'whole, but never named');
  await workspace.importFile('ETHUSDT-binance-perp-1h.csv', uniformCsv(uniformRows(0, 3)));
  await workspace.expectClean();
  expect(await workspace.storedCloses(SERIES)).toEqual(closesOf(0, 3));
});

test('progress goes from nothing to everything, in bytes, and names each file', async () => {
  const paths = ['A', 'B'].map((letter) =>
    workspace.put(`${letter}USDT-binance-perp-1h.csv`, uniformCsv(uniformRows(0, 5))),
  );
  const calls: [number, number, string][] = [];
  await workspace.import(paths, { onProgress: (...call) => calls.push(call) });
  const total = calls[0][1];
  expect(calls).toEqual([
    [0, total, 'AUSDT-binance-perp-1h.csv'],
    [total / 2, total, 'BUSDT-binance-perp-1h.csv'],
    [total, total, ''],
  ]);
  expect(total).toBe(2 * Buffer.byteLength(uniformCsv(uniformRows(0, 5))));
});
