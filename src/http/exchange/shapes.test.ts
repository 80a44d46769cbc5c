import { describe, expect, test } from 'vitest';
import { DEFAULT_CONTRACTS } from '../../limits/account-policy.ts';
import { binanceBrackets, defaultLeverageBrackets, exchangeInfo } from './binance-shape.ts';
import { bookWith, bracketsOf, type Row } from './book.fixture.ts';
import { BYBIT_MARKETS, instrumentsPage, pageOf, riskLimitPage } from './bybit-shape.ts';
import { instrumentOf } from './instrument.ts';
import { fraction, leverageText, leverageTextOfTwoDecimals, rateText } from './numbers.ts';
import { OKX_MARKETS, okxData, positionTiers, swapInstruments } from './okx-shape.ts';

/** The example of the reference without what makes it readable. */
const compact = (text: string): string => text.replaceAll(/\s*\n\s*|(?<=[{[,:]) | (?=[}\]])/g, '');

describe('byte for byte as the examples of the exchanges', () => {
  test('Binance leverageBracket', () => {
    const rows: Row[] = [[0, 10_000, 75, 6_500, 0]];
    const example = `[{ "symbol": "ETHUSDT", "notionalCoef": 1.5,
      "brackets": [{ "bracket": 1, "initialLeverage": 75, "notionalCap": 10000, "notionalFloor": 0, "maintMarginRatio": 0.0065, "cum": 0.0 }] }]`;
    expect(JSON.stringify([binanceBrackets('ETHUSDT', bracketsOf(rows), 1_500_000)])).toBe(compact(example));
    const { json } = defaultLeverageBrackets(bookWith({ ETHUSDT: rows }), DEFAULT_CONTRACTS);
    expect(JSON.stringify(json)).toBe(compact(example).replace('"notionalCoef":1.5,', ''));
  });

  test('Bybit risk-limit', () => {
    const book = { ...bookWith({ BTCUSDT: [[0, 2_000_000, 100, 5_000, 0]] }), decidedAt: 1672054488010 };
    const example = `{"retCode":0,"retMsg":"OK","result":{"category":"linear","list":[{"id":1,"symbol":"BTCUSDT","riskLimitValue":"2000000","maintenanceMargin":"0.005",
      "initialMargin":"0.01","isLowestRisk":1,"maxLeverage":"100.00","mmDeduction":""}],"nextPageCursor":""},"retExtInfo":{},"time":1672054488010}`;
    expect(JSON.stringify(riskLimitPage(book, DEFAULT_CONTRACTS, '').answer.json)).toBe(compact(example));
  });

  test('OKX position-tiers', () => {
    const book = bookWith({ BTCUSDT: [[0, 1_000, 100, 4_000, 0]] });
    const example = `{"code":"0","msg":"","data":[{"uly":"BTC-USDT","instFamily":"BTC-USDT","instId":"","tier":"1","minSz":"0","maxSz":"1000","mmr":"0.004","imr":"0.01",
      "maxLever":"100","optMgnFactor":"0","quoteMaxLoan":"","baseMaxLoan":""}]}`;
    const [family] = OKX_MARKETS.of(book, DEFAULT_CONTRACTS).listed;
    expect(JSON.stringify(okxData(positionTiers(family)))).toBe(compact(example));
  });
});

describe('numbers', () => {
  test('rates are exact decimals, whatever they are', () => {
    expect([0, 1, 100, 6_500, 33_334, 100_000, 1_000_000].map(rateText)).toEqual([
      '0',
      '0.000001',
      '0.0001',
      '0.0065',
      '0.033334',
      '0.1',
      '1',
    ]);
    for (let ppm = 0; ppm <= 1_000_000; ppm += 37) {
      expect(JSON.stringify(fraction(ppm))).toMatch(/^\d\.\d{1,6}$/);
      expect(Math.round(JSON.parse(JSON.stringify(fraction(ppm))) * 1e6)).toBe(ppm);
    }
  });

  test('amounts keep their millionths up to the largest that there are', () => {
    const written = (micros: number): string => JSON.stringify(fraction(micros));
    expect(written(50_000_000)).toBe('50.0');
    expect(written(14_481_450_000_000)).toBe('14481450.0');
    expect(written(Number.MAX_SAFE_INTEGER)).toBe('9007199254.740991');
  });

  test('leverages have at most two decimals and are never rounded up', () => {
    expect([125, 12.5, 1.15, 7.999, 1].map(leverageText)).toEqual(['125', '12.5', '1.15', '7.99', '1']);
    expect([100, 12.5, 1.15].map(leverageTextOfTwoDecimals)).toEqual(['100.00', '12.50', '1.15']);
  });
});

describe('names', () => {
  const of = (symbol: string) => instrumentOf(symbol, DEFAULT_CONTRACTS);

  test.each([
    ['BTCUSDT', 'BTC', 'USDT', 'USDT', 'linear'],
    ['1000SHIBUSDC', '1000SHIB', 'USDC', 'USDC', 'linear'],
    ['BTCUSD_PERP', 'BTC', 'USD', 'BTC', 'inverse'],
    ['ETHBTC', 'ETH', 'BTC', 'BTC', 'linear'],
    ['USDCUSDT', 'USDC', 'USDT', 'USDT', 'linear'],
  ])('%s is %s in %s, settled in %s, %s', (symbol, base, quote, settle, kind) => {
    expect(of(symbol)).toMatchObject({ base, quote, settle, kind, deliveryAt: null });
  });

  test('a date is when it is delivered', () => {
    expect(of('BTCUSDT_250328')?.deliveryAt).toBe(Date.UTC(2025, 2, 28, 8));
    expect(of('BTCUSD_241227')).toMatchObject({ kind: 'inverse', settle: 'BTC' });
  });

  test.each(['USDT', 'GOLD', 'BTCUSDT_', 'BTCUSDT_991399', '_', 'BTC_USDT'])(
    '%s is no contract',
    (symbol) => {
      expect(of(symbol)).toBeNull();
    },
  );

  const rows: Row[] = [[0, 1_000, 10, 50_000, 0]];
  const book = bookWith({
    SOLUSDT: rows,
    BTCUSDC: rows,
    GOLD: rows,
    BTCUSD_PERP: rows,
    BTCUSD: rows,
    BTCUSDT_240628: rows,
    BTCUSDT_240927: rows,
  });

  test('each exchange lists what it could have, by its own names, and counts the rest', () => {
    const binance = exchangeInfo(book, DEFAULT_CONTRACTS).json as { symbols: Record<string, unknown>[] };
    const told = binance.symbols.map(({ symbol, contractType }) => [symbol, contractType]);
    expect(told).toEqual([
      ['BTCUSD', 'PERPETUAL'],
      ['BTCUSDC', 'PERPETUAL'],
      ['BTCUSDT_240628', 'CURRENT_QUARTER'],
      ['BTCUSDT_240927', 'NEXT_QUARTER'],
      ['SOLUSDT', 'PERPETUAL'],
    ]);
    const bybit = BYBIT_MARKETS.of(book, DEFAULT_CONTRACTS);
    expect([bybit.listed.map(({ name }) => name), bybit.leftOut]).toEqual([
      ['BTCPERP', 'BTCUSD', 'SOLUSDT'],
      4,
    ]);
    const { json, leftOut } = swapInstruments(book, DEFAULT_CONTRACTS);
    const swaps = (json as { data: Record<string, string>[] }).data;
    // Two markets would be called BTC-USD-SWAP.
    expect(
      swaps.map(({ instId, ctVal, ctValCcy, settleCcy }) => [instId, ctVal, ctValCcy, settleCcy]),
    ).toEqual([
      ['BTC-USD-SWAP', '100', 'USD', 'BTC'],
      ['BTC-USDC-SWAP', '1', 'USDC', 'USDC'],
      ['SOL-USDT-SWAP', '1', 'USDT', 'USDT'],
    ]);
    expect(leftOut).toBe(4);
  });

  test('percentages of Binance are exact', () => {
    const { json } = exchangeInfo(bookWith({ AUSDT: [[0, 10, 3, 6_501, 0]] }), DEFAULT_CONTRACTS);
    expect((json as { symbols: unknown[] }).symbols[0]).toMatchObject({
      maintMarginPercent: '0.6501',
      requiredMarginPercent: '33.3334',
    });
  });
});

describe('tiers of OKX', () => {
  const tiersOf = (symbol: string, rows: readonly Row[]) =>
    positionTiers(OKX_MARKETS.of(bookWith({ [symbol]: rows }), DEFAULT_CONTRACTS).listed[0]).map(
      ({ tier, minSz, maxSz, maxLever }) => [tier, minSz, maxSz, maxLever],
    );
  const rows: Row[] = [
    [0, 1_050, 20, 10_000, 0],
    [1_050, 1_090, 10, 50_000, 42],
    [1_090, 5_000, 5, 100_000, 96.5],
  ];

  test('a whole contract is in exactly the bracket of its notional', () => {
    expect(tiersOf('BTCUSDT', rows)).toEqual([
      ['1', '0', '1050', '20'],
      ['2', '1051', '1090', '10'],
      ['3', '1091', '5000', '5'],
    ]);
  });

  test('ends are rounded down, and a tier without a contract is left out', () => {
    expect(tiersOf('BTCUSD_PERP', rows)).toEqual([
      ['1', '0', '10', '20'],
      ['2', '11', '50', '5'],
    ]);
  });
});

describe('pages of Bybit', () => {
  const rows: Row[] = [[0, 1_000, 10, 50_000, 0]];
  const names = Array.from({ length: 31 }, (_, i) => `C${String(i).padStart(2, '0')}USDT`);
  const book = bookWith(Object.fromEntries(names.toReversed().map((name) => [name, rows])));
  const { listed } = BYBIT_MARKETS.of(book, DEFAULT_CONTRACTS);

  test('follow each other until a cursor is empty, with each market once', () => {
    const seen: string[] = [];
    let cursor = '';
    let pages = 0;
    do {
      const { answer, nextPageCursor } = riskLimitPage(book, DEFAULT_CONTRACTS, cursor);
      const { result } = answer.json as { result: { list: { symbol: string }[]; nextPageCursor: string } };
      expect(result.nextPageCursor).toBe(nextPageCursor);
      seen.push(...result.list.map(({ symbol }) => symbol));
      cursor = nextPageCursor;
      pages++;
    } while (cursor !== '');
    expect([pages, seen]).toEqual([3, names]);
  });

  test('a full last page has no empty one behind it', () => {
    expect(pageOf(listed.slice(0, 30), 'C14USDT', 15).nextPageCursor).toBe('');
    expect(pageOf(listed.slice(0, 15), '', 15).nextPageCursor).toBe('');
    expect(pageOf([], '', 15)).toEqual({ markets: [], nextPageCursor: '' });
    expect(pageOf(listed, 'ZZZ', 15)).toEqual({ markets: [], nextPageCursor: '' });
  });

  test('a cursor whose market is gone since leads on behind it', () => {
    const without = listed.filter(({ name }) => name !== 'C14USDT');
    expect(pageOf(without, 'C14USDT', 15).markets[0].name).toBe('C15USDT');
  });

  test('instruments come in pages of the size that is asked for', () => {
    const { json, total } = instrumentsPage(book, DEFAULT_CONTRACTS, 'C09USDT', 2);
    const { result } = json as { result: { list: { symbol: string }[]; nextPageCursor: string } };
    expect([result.list.map(({ symbol }) => symbol), result.nextPageCursor, total]).toEqual([
      ['C10USDT', 'C11USDT'],
      'C11USDT',
      31,
    ]);
  });
});
