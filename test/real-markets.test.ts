import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { describeWithMarketData } from './market-data.ts';
import { plimsoll, type Served, serve } from './run-plimsoll.ts';

interface Explained {
  readonly bindingBound: string;
  readonly reasons: readonly string[];
  readonly bounds: readonly { readonly name: string; readonly maxLeverage: number | null }[];
  readonly simulated: boolean;
  readonly degraded: boolean;
}

const FILES = ['BTCUSDT', 'ETHUSDT', 'WIFUSDT'].map((symbol) => `${symbol}-binance-perp-1h.csv.gz`);

describeWithMarketData('on real markets', (folder) => {
  const root = mkdtempSync(join(tmpdir(), 'plimsoll-real-'));
  const dataDir = join(root, 'var');
  let service: Served;

  beforeAll(async () => {
    const { code } = await plimsoll([
      'import',
      ...FILES.map((file) => join(folder, file)),
      '--data-dir',
      dataDir,
    ]);
    expect(code).toBe(0);
    service = await serve(dataDir);
    await service.inForce;
  });
  afterAll(async () => {
    await service?.end('SIGKILL');
    rmSync(root, { recursive: true, force: true });
  });

  const read = async <T>(path: string): Promise<T> =>
    (await (await fetch(`${service.url}${path}`)).json()) as T;

  test('the service runs on them alone, with the shipped model, and says that the history is old', async () => {
    const book = await read<Record<string, unknown>>('/v1/limits');
    expect(book).toMatchObject({ total: 3, simulated: false, degraded: true, reasons: ['DATA_STALE'] });
    expect(book.model).toMatch(/^shock-network@/);
  });

  test('a large market carries more than a small one, and no more than the classical bounds allow', async () => {
    const tops: number[] = [];
    for (const symbol of ['BTCUSDT', 'ETHUSDT', 'WIFUSDT']) {
      const { brackets } = await read<{ brackets: { maxLeverage: number; notionalCap: string }[] }>(
        `/v1/markets/${symbol}/brackets`,
      );
      const { bounds, simulated } = await read<Explained>(`/v1/markets/${symbol}/explain`);
      expect(simulated).toBe(false);
      const classical = bounds.filter(({ name }) => name === 'historical' || name === 'filtered');
      for (const { name, maxLeverage } of classical)
        expect([symbol, name, brackets[0].maxLeverage <= (maxLeverage ?? 0)]).toEqual([symbol, name, true]);
      expect(brackets.at(-1)?.maxLeverage).toBe(1);
      tops.push(brackets[0].maxLeverage);
    }
    expect(tops[0]).toBeGreaterThanOrEqual(tops[1]);
    expect(tops[1]).toBeGreaterThan(tops[2]);
  });
});
