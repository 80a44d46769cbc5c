import { mkdtempSync, readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { sliceBars } from '../src/risk/bars.ts';
import { HOUR_MILLISECONDS } from '../src/units.ts';
import { BarStore } from './bar-store.ts';
import { BTC, barsOf } from './test-bars.ts';

/** The bar store among others: readers and writers beside each other, what a crash leaves, and damage. */
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

describe('side by side', () => {
  test('readers see the series before or after a write, whole and as one, never between', async () => {
    const lengths = Array.from({ length: 8 }, (_, i) => 40 * (i + 1));
    await store.writeSeries(BTC, barsOf(lengths[0]));
    const reader = await BarStore.open(folder);
    let writing = true;
    const read = async (): Promise<number[]> => {
      const seen: number[] = [];
      while (writing) {
        const [{ bars }] = await reader.loadMarkets();
        expect(bars).toEqual(barsOf(bars.length));
        seen.push(bars.length);
      }
      return seen;
    };
    const reading = read();
    for (const length of lengths) await store.writeSeries(BTC, barsOf(length));
    writing = false;
    const seen = await reading;
    expect(seen).toEqual([...seen].sort((a, b) => a - b));
    expect(lengths).toEqual(expect.arrayContaining(seen));
    expect((await reader.loadMarkets())[0].bars.length).toBe(lengths[lengths.length - 1]);
    reader.close();
  });

  test('writers at once, in one store and in two, each write their own rows, and none is lost', async () => {
    const other = await BarStore.open(folder);
    const writes = Array.from({ length: 10 }, (_, i) => {
      const own = { ...BTC, symbol: `M${i}USDT` };
      return [
        (i % 2 === 0 ? store : other).writeSeries(own, barsOf(10 + i, HOUR_MILLISECONDS, 100 * (i + 1))),
        (i % 2 === 0 ? other : store).writeSeries(BTC, sliceBars(barsOf(100), 10 * i, 10 * i + 10)),
      ];
    });
    await Promise.all(writes.flat());
    const markets = new Map((await other.loadMarkets()).map(({ symbol, bars }) => [symbol, bars]));
    expect(markets.get('BTCUSDT')).toEqual(barsOf(100));
    for (let i = 0; i < 10; i++)
      expect(markets.get(`M${i}USDT`)).toEqual(barsOf(10 + i, HOUR_MILLISECONDS, 100 * (i + 1)));
    other.close();
  });

  test('a write that fails does not stop the one after it', async () => {
    const failing = store.asOnlyWriter(() => Promise.reject(new Error('no')));
    const next = store.writeSeries(BTC, barsOf(3));
    await expect(failing).rejects.toThrow('no');
    expect(await next).toMatchObject({ added: 3 });
  });
});

describe('after a crash', () => {
  test('leftovers of a writer are not read, do not disturb the next writer, and are removed', async () => {
    await store.writeSeries(BTC, barsOf(20));
    const before = await store.fingerprint();
    const files = readdirSync(store.files.directory).sort();
    const left = ['4711.tmp', '4711.tmp.json.tmp', '00aa00aa00aa00aa.parquet'];
    for (const name of left)
      writeFileSync(join(store.files.directory, `BTCUSDT-binance-perp-1h.${name}`), 'half');
    expect(await store.fingerprint()).toBe(before);
    expect((await store.loadMarkets())[0].bars).toEqual(barsOf(20));
    expect(await store.writeSeries(BTC, barsOf(20))).toMatchObject({ added: 0, unchanged: 20 });
    await store.removeLeftovers();
    expect(readdirSync(store.files.directory).sort()).toEqual(files);
    expect((await store.loadMarkets())[0].bars).toEqual(barsOf(20));
  });

  test('a file in the making is not taken for a leftover of a crash', async () => {
    let removing: Promise<void> = Promise.resolve();
    const path = join(store.files.directory, 'half.tmp');
    const other = await BarStore.open(folder);
    await store.writeSeries(BTC, barsOf(3));
    await store.asOnlyWriter(async () => {
      writeFileSync(path, 'in the making');
      removing = other.removeLeftovers();
      await new Promise((resolve) => setTimeout(resolve, 60));
      expect(readdirSync(store.files.directory)).toContain('half.tmp');
    });
    await removing;
    expect(readdirSync(store.files.directory)).not.toContain('half.tmp');
    other.close();
  });
});

describe('damage is said by the name of the series, with what to do about it', () => {
  const damaged = {
    code: 'STORE_DAMAGED',
    message: 'the stored series BTCUSDT-binance-perp-1h is damaged',
    remedy: 'Remove bars/BTCUSDT-binance-perp-1h.json from the data folder and import the series again.',
  };
  const path = (end: string): string => {
    const name = readdirSync(store.files.directory).find(
      (one) => one.startsWith('BTCUSDT') && one.endsWith(end),
    );
    return join(store.files.directory, name ?? end);
  };

  beforeEach(async () => {
    await store.writeSeries(BTC, barsOf(20));
  });

  test.each<[string, () => void]>([
    ['rows that are gone', () => rmSync(path('.parquet'))],
    ['rows cut off', () => truncateSync(path('.parquet'), 300)],
    ['a manifest that is no JSON', () => truncateSync(path('.json'), 30)],
    ['a manifest of nothing', () => writeFileSync(path('.json'), 'null')],
    ['a manifest of another series', () => writeFileSync(path('.json'), '{"id":"ETHUSDT-binance-perp-1h"}')],
  ])('%s', async (_, damage) => {
    damage();
    await expect(store.loadMarkets()).rejects.toMatchObject(damaged);
    await expect(store.writeSeries(BTC, barsOf(21))).rejects.toMatchObject(damaged);
    rmSync(path('.json'));
    expect(await store.writeSeries(BTC, barsOf(21))).toMatchObject({ added: 21 });
    expect((await store.loadMarkets())[0].bars).toEqual(barsOf(21));
  });
});
