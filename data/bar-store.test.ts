import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { emptyBars, type FundingSeries, sliceBars } from '../src/risk/bars.ts';
import { DAY_MILLISECONDS, HOUR_MILLISECONDS } from '../src/units.ts';
import { BarStore } from './bar-store.ts';
import { resampleToHours } from './resample.ts';
import { BTC, barsOf, START } from './test-bars.ts';

const MINUTE = 60_000;

let folder: string;
let store: BarStore;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "plimsoll-it's-[bars]-"));
  store = await BarStore.open(folder);
});

afterEach(() => {
  store.close();
  rmSync(folder, { recursive: true });
});

describe('what is written is read back equal to the bit', () => {
  test('prices and volumes of any size, bar after bar', async () => {
    const price = fc.double({ min: Number.MIN_VALUE, max: Number.MAX_VALUE, noNaN: true });
    const volume = fc.double({ min: 0, max: Number.MAX_VALUE, noNaN: true });
    const row = fc.tuple(fc.integer({ min: 1, max: 50 }), price, price, price, price, volume, volume);
    let series = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(row, { minLength: 1, maxLength: 60 }), async (rows) => {
        const bars = emptyBars(rows.length, HOUR_MILLISECONDS);
        const { openTime, open, high, low, close, volume: volumes, quoteVolume } = bars;
        let time = START;
        rows.forEach(([step, ...values], i) => {
          time += step * HOUR_MILLISECONDS;
          openTime[i] = time;
          [open, high, low, close, volumes, quoteVolume].forEach((column, c) => {
            column[i] = values[c];
          });
        });
        series++;
        const symbol = `M${series}USDT`;
        const written = await store.writeSeries({ ...BTC, symbol }, bars);
        expect(written).toMatchObject({ added: rows.length, unchanged: 0, conflicts: 0 });
        const [market] = await store.loadMarkets({ symbols: [symbol] });
        expect(market.bars).toEqual(bars);
        expect(await store.writeSeries({ ...BTC, symbol }, bars)).toMatchObject({ added: 0, conflicts: 0 });
      }),
      { numRuns: 12, seed: 6 },
    );
  });

  test('a series longer than the pieces that it is written and read in, written part by part', async () => {
    const bars = barsOf(10_000);
    for (const [from, to] of [
      [6000, 10_000],
      [0, 2500],
      [2000, 7000],
    ]) {
      await store.writeSeries(BTC, sliceBars(bars, from, to));
    }
    const [market] = await store.loadMarkets();
    expect(market).toEqual({
      symbol: 'BTCUSDT',
      source: 'BTCUSDT-binance-perp-1h',
      simulated: false,
      bars,
      funding: null,
      openInterest: null,
      mark: null,
    });
    expect(await store.catalogue()).toMatchObject([
      { ...BTC, id: 'BTCUSDT-binance-perp-1h', rows: 10_000, from: START, to: bars.openTime[9999] },
    ]);
  });

  test('by another store on the same folder too, with its funding and its marks', async () => {
    const funding: FundingSeries = {
      length: 3,
      time: Float64Array.of(START + 1, START + 28_800_000, START + 57_600_003),
      rate: Float64Array.of(0.0001, -0.003, 1e-17),
    };
    await store.writeSeries(BTC, barsOf(30));
    await store.writeSeries({ ...BTC, kind: 'perp-mark' }, barsOf(30, HOUR_MILLISECONDS, 101));
    await store.writeSeries(
      { ...BTC, kind: 'perp-funding', intervalMilliseconds: 8 * HOUR_MILLISECONDS },
      funding,
    );
    const other = await BarStore.open(folder);
    const [market] = await other.loadMarkets();
    expect(market.bars).toEqual(barsOf(30));
    expect(market.mark).toEqual(barsOf(30, HOUR_MILLISECONDS, 101));
    expect(market.funding).toEqual(funding);
    expect(await other.fingerprint()).toBe(await store.fingerprint());
    other.close();
  });

  test('no rows make no series', async () => {
    expect(await store.writeSeries(BTC, barsOf(0))).toMatchObject({ added: 0 });
    expect(await store.catalogue()).toEqual([]);
    expect(await store.loadMarkets()).toEqual([]);
  });
});

test('rows that differ are left out and counted, or take their place with `replace`', async () => {
  await store.writeSeries(BTC, barsOf(20));
  const changed = barsOf(22);
  changed.close[5] += 1;
  changed.volume[7] += 1;
  expect(await store.writeSeries(BTC, changed)).toEqual({
    added: 2,
    unchanged: 18,
    replaced: 0,
    conflicts: 2,
    conflictLines: [6, 8],
  });
  expect((await store.loadMarkets())[0].bars).toEqual(barsOf(22));
  const replaced = await store.writeSeries(BTC, changed, { replace: true });
  expect(replaced).toMatchObject({ added: 0, unchanged: 20, replaced: 2, conflicts: 0 });
  expect((await store.loadMarkets())[0].bars).toEqual(changed);
});

test('a kind that does not exist is refused, not stored as another', async () => {
  await expect(store.writeSeries({ ...BTC, kind: 'future' }, barsOf(3))).rejects.toMatchObject({
    code: 'INPUT_INVALID',
    remedy: expect.stringContaining('perp-funding'),
  });
  expect(await store.catalogue()).toEqual([]);
});

describe('the fingerprint', () => {
  test('changes with each change and with nothing else, and comes back with the content', async () => {
    const empty = await store.fingerprint();
    await store.writeSeries(BTC, barsOf(20));
    const first = await store.fingerprint();
    const changed = barsOf(20);
    changed.low[3] -= 1e-9;
    await store.writeSeries(BTC, changed, { replace: true });
    const second = await store.fingerprint();
    await store.writeSeries({ ...BTC, symbol: 'ETHUSDT' }, barsOf(20));
    const third = await store.fingerprint();
    expect(new Set([empty, first, second, third]).size).toBe(4);
    await store.writeSeries(BTC, changed);
    await store.loadMarkets();
    expect(await store.fingerprint()).toBe(third);
    rmSync(join(store.files.directory, 'ETHUSDT-binance-perp-1h.json'));
    await store.writeSeries(BTC, barsOf(20), { replace: true });
    expect(await store.fingerprint()).toBe(first);
  });
});

describe('which series a market is read from', () => {
  const spans: readonly [string, string, number, number][] = [
    ['okx', 'spot', HOUR_MILLISECONDS, 300],
    ['okx', 'spot', HOUR_MILLISECONDS, 400],
    ['binance', 'spot', HOUR_MILLISECONDS, 100],
    ['okx', 'perp', 15 * MINUTE, 100],
    ['binance', 'perp', 30 * MINUTE, 100],
    ['kucoin', 'perp', HOUR_MILLISECONDS, 60],
    ['okx', 'perp', HOUR_MILLISECONDS, 90],
    ['binance', 'perp', HOUR_MILLISECONDS, 50],
  ];

  test('a perpetual before spot, hours before finer bars, Binance before others, then the longest', async () => {
    const chosen: string[] = [];
    for (const [venue, kind, intervalMilliseconds, length] of spans) {
      await store.writeSeries(
        { ...BTC, venue, kind, intervalMilliseconds },
        barsOf(length, intervalMilliseconds),
      );
      const [market, ...others] = await store.loadMarkets();
      expect(others).toEqual([]);
      chosen.push(`${market.source} ${market.bars.length}`);
    }
    expect(chosen).toEqual([
      'BTCUSDT-okx-spot-1h 300',
      'BTCUSDT-okx-spot-1h 400',
      'BTCUSDT-binance-spot-1h 100',
      'BTCUSDT-okx-perp-15m 25',
      'BTCUSDT-binance-perp-30m 50',
      'BTCUSDT-kucoin-perp-1h 60',
      'BTCUSDT-okx-perp-1h 90',
      'BTCUSDT-binance-perp-1h 50',
    ]);
  });

  test('finer bars are handed out as hours', async () => {
    const halves = barsOf(101, 30 * MINUTE);
    await store.writeSeries({ ...BTC, intervalMilliseconds: 30 * MINUTE }, halves);
    const [{ bars }] = await store.loadMarkets();
    expect(bars).toEqual(resampleToHours(halves));
    expect([bars.length, bars.intervalMilliseconds]).toEqual([50, HOUR_MILLISECONDS]);
  });

  test('what no hour can be made of is no market: days, seven minutes, marks, indices, currencies', async () => {
    await store.writeSeries({ ...BTC, intervalMilliseconds: DAY_MILLISECONDS }, barsOf(5, DAY_MILLISECONDS));
    await store.writeSeries({ ...BTC, intervalMilliseconds: 7 * MINUTE }, barsOf(5, 7 * MINUTE));
    for (const kind of ['perp-mark', 'index', 'fx']) await store.writeSeries({ ...BTC, kind }, barsOf(5));
    expect(await store.catalogue()).toHaveLength(5);
    expect(await store.loadMarkets()).toEqual([]);
  });

  test('funding and marks are those of the venue, and only hourly marks', async () => {
    const eightHours = 8 * HOUR_MILLISECONDS;
    const rates = (rate: number): FundingSeries => ({
      length: 1,
      time: Float64Array.of(START),
      rate: Float64Array.of(rate),
    });
    await store.writeSeries(BTC, barsOf(5));
    await store.writeSeries({ ...BTC, kind: 'perp-mark', venue: 'okx' }, barsOf(5));
    await store.writeSeries({ ...BTC, kind: 'perp-mark', intervalMilliseconds: MINUTE }, barsOf(5, MINUTE));
    await store.writeSeries(
      { ...BTC, kind: 'perp-funding', venue: 'okx', intervalMilliseconds: eightHours },
      rates(0.5),
    );
    expect((await store.loadMarkets())[0]).toMatchObject({ funding: null, mark: null });
    await store.writeSeries({ ...BTC, kind: 'perp-funding', intervalMilliseconds: eightHours }, rates(0.25));
    expect((await store.loadMarkets())[0].funding).toEqual(rates(0.25));
  });
});

test('the sample is hidden as soon as one real market is stored, and only then', async () => {
  const sample = { ...BTC, symbol: 'MAREUSDT', venue: 'sample', simulated: true };
  await store.writeSeries(sample, barsOf(5));
  await store.writeSeries({ ...BTC, kind: 'fx', symbol: 'GBPUSD' }, barsOf(5));
  expect(await store.loadMarkets()).toMatchObject([{ symbol: 'MAREUSDT', simulated: true }]);
  await store.writeSeries(BTC, barsOf(5));
  expect(await store.loadMarkets()).toMatchObject([{ symbol: 'BTCUSDT', simulated: false }]);
  expect(await store.loadMarkets({ symbols: ['MAREUSDT'] })).toEqual([]);
  expect(await store.catalogue()).toHaveLength(3);
});

describe('loading a part', () => {
  beforeEach(async () => {
    for (const symbol of ['SOLUSDT', 'ADAUSDT', 'BTCUSDT'])
      await store.writeSeries({ ...BTC, symbol }, barsOf(48));
  });

  test('markets come sorted, all or those asked for; unknown ones are not there', async () => {
    const symbols = async (wanted?: string[]) =>
      (await store.loadMarkets(wanted === undefined ? {} : { symbols: wanted })).map(({ symbol }) => symbol);
    expect(await symbols()).toEqual(['ADAUSDT', 'BTCUSDT', 'SOLUSDT']);
    expect(await symbols(['SOLUSDT', 'ADAUSDT', 'XRPUSDT'])).toEqual(['ADAUSDT', 'SOLUSDT']);
    expect(await symbols([])).toEqual([]);
  });

  test('bars from `from` on and before `to`, whatever the two are', async () => {
    const symbols = ['BTCUSDT'];
    const hours = fc.integer({ min: -5, max: 106 }).map((half) => half / 2);
    const whole = barsOf(48);
    await fc.assert(
      fc.asyncProperty(hours, hours, async (a, b) => {
        const [from, to] = [a, b].map((hour) => START + hour * HOUR_MILLISECONDS);
        const [{ bars }] = await store.loadMarkets({ symbols, from, to });
        const expected = whole.openTime.filter((time) => time >= from && time < to);
        expect(bars.openTime).toEqual(expected);
        expect(bars.close).toEqual(
          whole.close.filter((_, i) => whole.openTime[i] >= from && whole.openTime[i] < to),
        );
      }),
      { numRuns: 25, seed: 12 },
    );
    const [{ bars: tail }] = await store.loadMarkets({ symbols, from: START + 40 * HOUR_MILLISECONDS });
    expect(tail).toEqual(sliceBars(whole, 40, 48));
  });
});
