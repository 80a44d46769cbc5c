import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type BarSeries, sliceBars } from '../src/risk/bars.ts';
import { DAY_MILLISECONDS } from '../src/units.ts';
import { BarStore } from './bar-store.ts';
import { literal } from './duckdb.ts';
import { partitionName, partitionOf, partitionsOf, partitionUnit, touchedBy } from './partitions.ts';
import { BTC, barsOf, START } from './test-bars.ts';

/** A series in files by calendar: what is written again, and that nobody who reads sees a seam. */
const SERIES = 'BTCUSDT-binance-perp';
const DAILY = { ...BTC, intervalMilliseconds: DAY_MILLISECONDS };
const MINUTES = 15 * 60_000;
let folder: string;
let store: BarStore;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'plimsoll-partitions-'));
  store = await BarStore.open(folder);
});

afterEach(() => {
  store.close();
  rmSync(folder, { recursive: true });
});

const path = (file: string): string => join(folder, 'bars', file);
/** Names without their hashes, and what tells whether a file was written again. */
const files = (): Map<string, number> =>
  new Map(
    readdirSync(join(folder, 'bars'))
      .filter((file) => file.endsWith('.parquet'))
      .sort()
      .map((file) => [file.replace(/\.[0-9a-f]{16}\.parquet$/, ''), statSync(path(file)).ino]),
  );
async function stored(from?: number, to?: number): Promise<BarSeries> {
  const [manifest] = await store.files.manifests();
  return store.loadBars(manifest, {
    ...(from === undefined ? {} : { from }),
    ...(to === undefined ? {} : { to }),
  });
}

describe('partitions', () => {
  test('are years of hours and days, and months of finer bars; UTC', () => {
    expect([60_000, MINUTES, 3_600_000, DAY_MILLISECONDS].map(partitionUnit)).toEqual([
      'month',
      'month',
      'year',
      'year',
    ]);
    const leap = Date.UTC(2024, 1, 29, 23, 59);
    expect(partitionOf(leap, 'month')).toEqual({ from: Date.UTC(2024, 1), to: Date.UTC(2024, 2) });
    expect(partitionOf(Date.UTC(2023, 11, 31, 23), 'month')).toEqual({
      from: Date.UTC(2023, 11),
      to: Date.UTC(2024, 0),
    });
    expect(partitionName(partitionOf(leap, 'month'), 'month')).toBe('2024-02');
    expect(partitionName(partitionOf(leap, 'year'), 'year')).toBe('2024');
  });

  test('follow one another without a gap, whatever times they hold', () => {
    const times = fc.integer({ min: Date.UTC(1971, 0), max: Date.UTC(2100, 0) });
    fc.assert(
      fc.property(times, times, fc.constantFrom('year' as const, 'month' as const), (one, other, unit) => {
        const [from, to] = [Math.min(one, other), Math.max(one, other)];
        const found = partitionsOf({ from, to }, unit);
        expect(found[0].from <= from && to < found[found.length - 1].to).toBe(true);
        for (let i = 1; i < found.length; i++) expect(found[i].from).toBe(found[i - 1].to);
      }),
    );
  });

  test('a file of several is touched whole, and so is what it overlaps', () => {
    const part = (from: number, to: number) => ({ file: `${from}`, contentHash: '', rows: 1, from, to });
    const year = (n: number): number => Date.UTC(n, 0);
    const parts = [
      part(year(2020), year(2022)),
      part(year(2022) + 1, year(2022) + 2),
      part(year(2024), year(2024)),
    ];
    const { partitions, parts: touched } = touchedBy([year(2021)], parts, 'year');
    expect(partitions.map(({ from }) => new Date(from).getUTCFullYear())).toEqual([2020, 2021, 2022]);
    expect(touched).toEqual(parts.slice(0, 2));
  });
});

describe('a series', () => {
  test('of years is in a file each, and a new bar writes the newest one alone', async () => {
    await store.writeSeries(DAILY, barsOf(800, DAY_MILLISECONDS));
    const before = files();
    expect([...before.keys()]).toEqual([`${SERIES}-1d.2024`, `${SERIES}-1d.2025`, `${SERIES}-1d.2026`]);
    expect(await stored()).toEqual(barsOf(800, DAY_MILLISECONDS));
    await store.writeSeries(DAILY, barsOf(801, DAY_MILLISECONDS));
    const after = files();
    expect([...after].filter(([name, inode]) => before.get(name) !== inode).map(([name]) => name)).toEqual([
      `${SERIES}-1d.2026`,
    ]);
    expect(await stored()).toEqual(barsOf(801, DAY_MILLISECONDS));
    const [{ rows, from, to, parts }] = await store.files.manifests();
    expect([rows, from, to]).toEqual([801, START, START + 800 * DAY_MILLISECONDS]);
    expect(parts.map((part) => part.rows)).toEqual([366, 365, 70]);
  });

  test('is read across files as if it were one', async () => {
    const whole = barsOf(800, DAY_MILLISECONDS);
    await store.writeSeries(DAILY, whole);
    for (const [from, to] of [
      [0, 3],
      [360, 370],
      [366, 731],
      [730, 800],
      [900, 1000],
    ])
      expect(await stored(START + from * DAY_MILLISECONDS, START + to * DAY_MILLISECONDS)).toEqual(
        sliceBars(whole, Math.min(from, 800), Math.min(to, 800)),
      );
  });

  test('of quarters of an hour is in months', async () => {
    await store.writeSeries({ ...BTC, intervalMilliseconds: MINUTES }, barsOf(96 * 40, MINUTES));
    expect([...files().keys()]).toEqual([`${SERIES}-15m.2024-01`, `${SERIES}-15m.2024-02`]);
  });

  test('that an older version kept in one file is read, and split when something new comes', async () => {
    await store.writeSeries(DAILY, barsOf(500, DAY_MILLISECONDS));
    const id = `${SERIES}-1d`;
    const { parts, ...rest } = JSON.parse(readFileSync(path(`${id}.json`), 'utf8'));
    const file = `${id}.0123456789abcdef.parquet`;
    const both = parts.map((part: { file: string }) => literal(path(part.file))).join(', ');
    await store.connection.run(
      `COPY (SELECT * FROM read_parquet([${both}])) TO ${literal(path(file))} (FORMAT parquet)`,
    );
    for (const part of parts) rmSync(path(part.file));
    writeFileSync(path(`${id}.json`), JSON.stringify({ ...rest, file }));
    expect(await stored()).toEqual(barsOf(500, DAY_MILLISECONDS));
    // The same again writes nothing.
    await store.writeSeries(DAILY, barsOf(500, DAY_MILLISECONDS));
    expect([...files().keys()]).toEqual([id]);
    await store.writeSeries(DAILY, barsOf(501, DAY_MILLISECONDS));
    expect([...files().keys()]).toEqual([`${id}.2024`, `${id}.2025`]);
    expect(await stored()).toEqual(barsOf(501, DAY_MILLISECONDS));
  });

  test('comes out the same whatever the order in which its pieces come', async () => {
    const whole = barsOf(900, DAY_MILLISECONDS);
    const cuts = fc.uniqueArray(fc.integer({ min: 1, max: 899 }), { minLength: 1, maxLength: 5 });
    await fc.assert(
      fc.asyncProperty(cuts, fc.infiniteStream(fc.nat()), async (places, order) => {
        const edges = [0, ...places.sort((a, b) => a - b), 900];
        const pieces = edges
          .slice(1)
          .map((edge, i) => sliceBars(whole, edges[i], edge))
          .map((piece) => ({ piece, rank: order.next().value as number }))
          .sort((a, b) => a.rank - b.rank);
        for (const { piece } of pieces) await store.writeSeries(DAILY, piece);
        expect(await stored()).toEqual(whole);
        for (const file of readdirSync(join(folder, 'bars'))) rmSync(path(file));
      }),
      { numRuns: 12 },
    );
  });
});
