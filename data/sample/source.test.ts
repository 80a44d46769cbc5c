import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { emptyBars } from '../../src/risk/bars.ts';
import { HOUR_MILLISECONDS } from '../../src/units.ts';
import { BarStore } from '../bar-store.ts';
import { generateSample } from './generate.ts';
import { FIRST_GENERATION_HOURS, SAMPLE_MARKETS } from './markets.ts';
import { SAMPLE_SEED, SampleSource } from './source.ts';

const NOW = Date.UTC(2026, 10, 23, 9, 5);
const CLOSED = Date.UTC(2026, 10, 23, 9);
const ANCHOR = CLOSED - FIRST_GENERATION_HOURS * HOUR_MILLISECONDS;

let folder: string;
let store: BarStore;
let source: SampleSource;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'plimsoll-sample-'));
  store = await BarStore.open(folder);
  source = new SampleSource({ store, dataDir: folder });
});

afterEach(() => {
  store.close();
  rmSync(folder, { recursive: true });
});

/** Everything stored, against a generation that was never interrupted. */
async function expectStoredUntil(until: number): Promise<void> {
  const stored = await store.loadMarkets();
  const generated = generateSample({ seed: SAMPLE_SEED, anchor: ANCHOR, until });
  expect(stored.map((market) => market.symbol)).toEqual(generated.map((market) => market.symbol));
  for (const [i, market] of stored.entries()) {
    expect(market.simulated).toBe(true);
    expect(market.source).toBe(generated[i].source);
    expect(market.bars).toEqual(generated[i].bars);
    expect(market.funding).toEqual(generated[i].funding);
  }
}

test('a first start fills the store with two years of every market; later calls continue that very path', async () => {
  expect(await source.ensure(NOW)).toEqual({
    generated: true,
    hours: FIRST_GENERATION_HOURS,
    anchor: ANCHOR,
    until: CLOSED,
  });
  const catalogue = await store.catalogue();
  expect(catalogue).toHaveLength(2 * SAMPLE_MARKETS.length);
  expect(catalogue.every((series) => series.simulated && series.venue === 'sample')).toBe(true);

  const fingerprint = await store.fingerprint();
  expect(await source.ensure(NOW + 10 * 60_000)).toMatchObject({ generated: false, hours: 0 });
  // A clock that was set back asks for nothing either.
  expect(await source.ensure(NOW - 48 * HOUR_MILLISECONDS)).toMatchObject({ hours: 0, until: CLOSED });
  expect(await store.fingerprint()).toBe(fingerprint);

  expect(await source.ensure(NOW + HOUR_MILLISECONDS)).toMatchObject({ generated: false, hours: 1 });
  // The seed that the sample was made with stays, whatever a later start says.
  const restarted = new SampleSource({ store, dataDir: folder, seed: 99 });
  expect(await restarted.ensure(NOW + 10 * HOUR_MILLISECONDS)).toMatchObject({ generated: false, hours: 9 });
  await expectStoredUntil(CLOSED + 10 * HOUR_MILLISECONDS);
});

test('after a crash between data and progress, after lost progress and after lost data it is the same again', async () => {
  await source.ensure(NOW);
  const progressPath = join(folder, 'sample.json');
  const oldProgress = readFileSync(progressPath);
  await source.ensure(NOW + HOUR_MILLISECONDS);
  const fingerprint = await store.fingerprint();

  writeFileSync(progressPath, oldProgress);
  expect(await source.ensure(NOW + HOUR_MILLISECONDS)).toMatchObject({ generated: false, hours: 1 });
  expect(await store.fingerprint()).toBe(fingerprint);

  rmSync(progressPath);
  expect(await source.ensure(NOW + HOUR_MILLISECONDS)).toMatchObject({ generated: true, anchor: ANCHOR });
  expect(await store.fingerprint()).toBe(fingerprint);

  for (const name of readdirSync(store.files.directory)) {
    if (name.startsWith('MAREUSDT-sample-perp-1h')) rmSync(join(store.files.directory, name));
  }
  expect(await source.ensure(NOW + HOUR_MILLISECONDS)).toMatchObject({ generated: true });
  expect(await store.fingerprint()).toBe(fingerprint);
});

test('beside real data there is no sample', async () => {
  const bars = emptyBars(1, HOUR_MILLISECONDS);
  bars.openTime[0] = ANCHOR;
  for (const column of [bars.open, bars.high, bars.low, bars.close, bars.volume, bars.quoteVolume])
    column[0] = 1;
  const series = {
    symbol: 'BTCUSDT',
    venue: 'binance',
    kind: 'perp',
    intervalMilliseconds: HOUR_MILLISECONDS,
    simulated: false,
  } as const;
  await store.writeSeries(series, bars);
  expect(await source.ensure(NOW)).toBeNull();
  expect(await store.catalogue()).toHaveLength(1);
});
