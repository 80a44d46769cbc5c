import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { plimsoll } from './run-plimsoll.ts';

const HOUR = 3_600_000;
const START = Date.UTC(2024, 0, 1);
const MARKET = {
  ...{ symbol: 'BTCUSDT', pair: 'BTCUSDT', contractType: 'PERPETUAL', status: 'TRADING' },
  ...{ baseAsset: 'BTC', quoteAsset: 'USDT', marginAsset: 'USDT', onboardDate: START },
  ...{ deliveryDate: 4_133_404_800_000, pricePrecision: 2, quantityPrecision: 3, filters: [] },
};

let exchange: Server;
let url: string;
/** Bars that the exchange has, and what it was asked. */
let bars = 0;
let asked: string[] = [];
let failsAfter = Number.POSITIVE_INFINITY;
let folder: string;

beforeAll(async () => {
  // An exchange in the form of Binance's public API, on this machine.
  exchange = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://localhost');
    response.setHeader('content-type', 'application/json');
    if (pathname.endsWith('/exchangeInfo')) {
      response.end(JSON.stringify({ timezone: 'UTC', serverTime: START, symbols: [MARKET] }));
      return;
    }
    if (!pathname.endsWith('/klines') || asked.length >= failsAfter) {
      response.statusCode = 400;
      response.end('{"code":-1121,"msg":"Invalid symbol."}');
      return;
    }
    const from = Math.max(0, (Number(searchParams.get('startTime')) - START) / HOUR);
    const limit = Number(searchParams.get('limit'));
    asked.push(`${from}+${limit}`);
    const rows = Array.from({ length: Math.max(0, Math.min(limit, bars - from)) }, (_, i) => {
      const at = START + (from + i) * HOUR;
      const price = 40_000 + ((from + i) % 100);
      return [
        at,
        `${price}`,
        `${price + 10}`,
        `${price - 10}`,
        `${price + 1}`,
        '12.5',
        at + HOUR - 1,
        '1',
        1,
        '1',
        '1',
        '0',
      ];
    });
    response.end(JSON.stringify(rows));
  });
  await new Promise<void>((resolve) => exchange.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(exchange.address() as AddressInfo).port}`;
});
afterAll(() => exchange.close());
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'plimsoll-fetch-'));
  asked = [];
  failsAfter = Number.POSITIVE_INFINITY;
  return () => rmSync(folder, { recursive: true });
});

function fetchBars(...more: string[]) {
  const where = ['--exchange', 'binanceusdm', '--url', url, '--data-dir', folder, '--json'];
  return plimsoll(['fetch', '--symbols', 'BTCUSDT', '--since', '2024-01-01', ...where, ...more]);
}

test('fetches page after page, stores what every import would, and goes on where it ended', async () => {
  bars = 2300;
  const first = await fetchBars();
  expect([first.code, first.stderr]).toEqual([0, '']);
  expect(JSON.parse(first.stdout).fetched).toEqual([
    {
      ...{ symbol: 'BTCUSDT', from: '2024-01-01T00:00:00.000Z', to: '2024-04-05T19:00:00.000Z' },
      ...{ bars: 2300, added: 2300, refused: 0 },
    },
  ]);
  const stored = JSON.parse((await plimsoll(['data', '--data-dir', folder, '--json'])).stdout);
  expect(stored.series).toMatchObject([{ symbol: 'BTCUSDT', venue: 'binanceusdm', kind: 'perp' }]);
  asked = [];
  bars = 2310;
  const [again] = JSON.parse((await fetchBars()).stdout).fetched;
  expect(again).toMatchObject({ from: '2024-04-05T20:00:00.000Z', bars: 10, added: 10 });
  expect(asked[0]).toBe('2300+1000');
});

test('says what an exchange refuses, and what there is not', async () => {
  bars = 100;
  failsAfter = 0;
  const refused = await fetchBars();
  expect(refused.code).not.toBe(0);
  expect(refused.stderr).toContain('gave no candles of BTCUSDT');
  failsAfter = Number.POSITIVE_INFINITY;
  const unknown = await fetchBars('--symbols', 'NOPEUSDT');
  expect([unknown.code, unknown.stderr]).toEqual([
    4,
    expect.stringContaining('no perpetual market NOPEUSDT'),
  ]);
});
