import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { BarStore } from '../data/bar-store.ts';
import { isoTime, systemClock } from '../src/clock.ts';
import type { PriceCode } from '../src/control/guard/prices.ts';
import { plimsoll, type Served, serve } from './run-plimsoll.ts';

interface Limits {
  readonly version: number;
  readonly validUntil: string;
  readonly degraded: boolean;
  readonly markets: readonly { readonly symbol: string; readonly maxLeverage: number }[];
}

interface Taken {
  readonly accepted: number;
  readonly held: number;
  readonly refused: number;
  readonly lines: readonly { readonly line: number; readonly code: PriceCode }[];
}

const folder = mkdtempSync(join(tmpdir(), 'plimsoll-guard-'));
const dataDir = join(folder, 'var');
let running: Served;
let key: string;
/** Close of each market's newest bar. */
let closes: ReadonlyMap<string, number>;

beforeAll(async () => {
  running = await serve(dataDir);
  await running.inForce;
  key = readFileSync(join(dataDir, 'operator.key'), 'utf8').trim();
  const store = await BarStore.open(dataDir);
  const markets = await store.loadMarkets();
  closes = new Map(markets.map(({ symbol, bars }) => [symbol, bars.close[bars.length - 1]]));
  store.close();
});

afterAll(async () => {
  await running.end('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

async function read<T>(path: string): Promise<T> {
  const response = await fetch(`${running.url}${path}`);
  expect([path, response.status]).toEqual([path, 200]);
  return (await response.json()) as T;
}

async function post(
  ...prices: readonly (readonly [symbol: string, price: number, time?: string])[]
): Promise<Taken> {
  const body = prices
    .map(([symbol, price, time = isoTime(systemClock.now())]) =>
      JSON.stringify({ symbol, price: Number.isFinite(price) ? price.toFixed(12) : String(price), time }),
    )
    .join('\n');
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/x-ndjson' };
  const response = await fetch(`${running.url}/v1/prices`, { method: 'POST', headers, body });
  expect(response.status).toBe(200);
  return (await response.json()) as Taken;
}

async function bookAfter(version: number): Promise<Limits> {
  for (;;) {
    const book = await read<Limits>('/v1/limits');
    if (book.version > version) return book;
    await setTimeout(20);
  }
}

function leverageOf({ markets }: Limits, symbol: string): number {
  return markets.find((market) => market.symbol === symbol)?.maxLeverage ?? 0;
}

describe('a service between two bars', () => {
  test('takes prices that cannot be for nothing, and says so', async () => {
    const before = await read<Limits>('/v1/limits');
    const [symbol, close] = [...closes][0];
    const taken = await post(
      [symbol, 0],
      [symbol, Number.NaN],
      [symbol, close * 1000],
      [symbol, close / 2],
      [symbol, close * 0.9, '2020-01-01T00:00:00Z'],
      [symbol, close * 0.9, '2090-01-01T00:00:00Z'],
      ['NOPEUSDT', 1],
    );
    expect(taken.lines.map(({ line, code }) => [line, code])).toEqual([
      [1, 'PRICE_INVALID'],
      [2, 'PRICE_INVALID'],
      [3, 'PRICE_IMPLAUSIBLE'],
      [4, 'PRICE_HELD'],
      [5, 'PRICE_STALE'],
      [6, 'PRICE_FUTURE'],
      [7, 'MARKET_UNKNOWN'],
    ]);
    const metrics = await (await fetch(`${running.url}/metrics`)).text();
    expect(metrics).toContain('plimsoll_data_rejected_total{source="prices",reason="price_implausible"} 1');
    expect((await read<Limits>('/v1/limits')).version).toBe(before.version);
  });

  test('tightens the market whose price left what was forecast, and leaves all others as they were', async () => {
    const before = await read<Limits>('/v1/limits');
    const [symbol] = before.markets.reduce(
      (best, market) => (market.maxLeverage > best[1] ? [market.symbol, market.maxLeverage] : best),
      ['', 0] as [string, number],
    );
    const close = closes.get(symbol) ?? 0;
    expect(await post([symbol, close * 0.999])).toMatchObject({ accepted: 1, lines: [] });
    expect(await post([symbol, close * 0.85])).toMatchObject({ accepted: 1, lines: [] });
    const after = await bookAfter(before.version);
    expect(leverageOf(after, symbol)).toBeLessThan(leverageOf(before, symbol));
    expect(after).toMatchObject({ validUntil: before.validUntil, degraded: before.degraded });
    const others = ({ markets }: Limits) => markets.filter((market) => market.symbol !== symbol);
    expect(others(after)).toEqual(others(before));

    const explain = await read<Record<string, unknown>>(`/v1/markets/${symbol}/explain`);
    expect(explain.reasons).toContain('INTRABAR_GUARD');
    const bounds = explain.bounds as readonly { name: string; evidence: Record<string, unknown> }[];
    expect(bounds.find(({ name }) => name === 'intrabar')?.evidence).toMatchObject({ side: 'long' });
    const { entries } = await read<{ entries: { reason: string; details: Record<string, unknown> }[] }>(
      '/v1/audit?limit=1000',
    );
    expect(entries.at(-1)).toMatchObject({ reason: 'intrabar guard', details: { guarded: [symbol] } });
  });

  test('killed in the midst of it, is as tight as before; its chains hold and its decisions can be replayed', async () => {
    const before = await read<Limits>('/v1/limits');
    await running.end('SIGKILL');
    running = await serve(dataDir);
    await running.inForce;
    const after = await bookAfter(before.version);
    for (const { symbol, maxLeverage } of before.markets)
      expect([symbol, leverageOf(after, symbol)]).toEqual([symbol, maxLeverage]);
    expect((await plimsoll(['audit', 'verify', '--data-dir', dataDir])).code).toBe(0);
    // Decided again from what was stored, price included, the book of the guard comes out the same to the bit.
    for (const version of [before.version, after.version])
      expect((await plimsoll(['audit', 'replay', String(version), '--data-dir', dataDir])).code).toBe(0);
  });
});
