import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { marketInputs, OPERATOR, sha256Of, TestService } from '../src/http/test-service.ts';
import type { MarketInput } from '../src/limits/market-input.ts';

/** As much of ccxt as is used here. The name is a variable so that the compiler does not read the types of all exchanges. */
interface Tier {
  readonly tier: number;
  readonly symbol?: string;
  readonly currency?: string;
  readonly minNotional: number;
  readonly maxNotional: number;
  readonly maintenanceMarginRate: number;
  readonly maxLeverage: number;
  readonly info: Readonly<Record<string, unknown>>;
}
interface Client {
  readonly symbols: readonly string[];
  market(symbol: string): {
    readonly contractSize: number;
    readonly linear: boolean;
    readonly settle: string;
  };
  loadMarkets(): Promise<unknown>;
  fetchLeverageTiers(symbols?: readonly string[]): Promise<Readonly<Record<string, readonly Tier[]>>>;
  fetchMarketLeverageTiers(symbol: string): Promise<readonly Tier[]>;
  fetchLeverage(symbol: string): Promise<Readonly<Record<string, unknown>>>;
}
type Venue = 'binanceusdm' | 'bybit' | 'okx';
type Ccxt = Readonly<Record<Venue, new (options: object) => Client>> &
  Readonly<
    Record<'AuthenticationError' | 'ExchangeError' | 'OnMaintenance' | 'OperationFailed', new () => Error>
  >;
const CCXT: string = 'ccxt';

interface BookBracket {
  readonly bracket: number;
  readonly notionalFloor: string;
  readonly notionalCap: string;
  readonly maxLeverage: number;
  readonly maintenanceMarginRatePpm: number;
  readonly maintenanceAmount: string;
}

/** More markets than three pages of Bybit's, of every kind of contract. */
function manyMarkets(): MarketInput[] {
  const [first, , , small] = marketInputs();
  const coins = Array.from({ length: 44 }, (_, i) => `C${String.fromCharCode(65 + (i % 26))}${i}USDT`);
  const others = ['1000SHIBUSDT', 'BTCUSDC', 'BTCUSD_PERP', 'ETHUSD_PERP', 'BTCUSDT_240628'];
  return [
    ...marketInputs(),
    ...coins.map((symbol, i) => ({ ...(i % 2 === 0 ? first : small), symbol })),
    ...others.map((symbol) => ({ ...first, symbol })),
  ];
}

let ccxt: Ccxt;
let service: TestService;
let book: ReadonlyMap<string, readonly BookBracket[]>;

beforeAll(async () => {
  ccxt = (await import(CCXT)).default;
  service = await TestService.start({ books: 0 });
  await service.publish(manyMarkets());
  const { json } = await service.call('/v1/limits');
  book = new Map(
    json.markets.map(({ symbol, brackets }: { symbol: string; brackets: BookBracket[] }) => [
      symbol,
      brackets,
    ]),
  );
});

afterAll(() => service.stop());

/** A client that differs from one of the exchange in its addresses alone, and does not wait between requests. */
function client(venue: Venue, url: string, options: object = {}): Client {
  const urls = {
    binanceusdm: { sapi: `${url}/sapi/v1`, fapiPublic: `${url}/fapi/v1`, fapiPrivate: `${url}/fapi/v1` },
    bybit: { public: url, private: url },
    okx: { rest: url },
  };
  const keys = { apiKey: 'whatever', secret: 'it', password: 'is', enableRateLimit: false };
  return new ccxt[venue]({ ...keys, ...options, urls: { api: urls[venue] } });
}

/** The symbol that a unified one of ccxt stands for here. */
function ownSymbol(unified: string): string {
  const [pair, settle] = unified.split(':');
  const [base, quote] = pair.split('/');
  const [asset, date] = settle.split('-');
  if (date !== undefined) return `${base}${quote}_${date}`;
  return asset === base ? `${base}${quote}_PERP` : base + quote;
}

function expectTiers(
  tiers: readonly Tier[],
  symbol: string,
  expected: (bracket: BookBracket) => Partial<Tier>,
): void {
  const brackets = book.get(symbol) ?? [];
  expect(brackets.length).toBeGreaterThan(0);
  expect(tiers.map(({ info: _, ...tier }) => tier)).toEqual(
    brackets.map((bracket) => ({
      tier: bracket.bracket,
      minNotional: Number(bracket.notionalFloor),
      maxNotional: Number(bracket.notionalCap),
      maintenanceMarginRate: bracket.maintenanceMarginRatePpm / 1e6,
      maxLeverage: bracket.maxLeverage,
      ...expected(bracket),
    })),
  );
}

const symbolsOf = (wanted: (symbol: string) => boolean): string[] => [...book.keys()].filter(wanted).sort();

describe('ccxt reads Plimsoll as if it were Binance USD-M', () => {
  const isThere = (symbol: string): boolean => !symbol.includes('_PERP');

  test('all tables at once, and one alone', async () => {
    const binance = client('binanceusdm', service.url);
    const all = await binance.fetchLeverageTiers();
    expect(Object.keys(all).map(ownSymbol).sort()).toEqual(symbolsOf(isThere));
    for (const [unified, tiers] of Object.entries(all)) {
      const [quote] = unified.split('/')[1].split(':');
      expectTiers(tiers, ownSymbol(unified), () => ({ symbol: unified, currency: quote }));
    }
    const alone = await binance.fetchMarketLeverageTiers('BTC/USDT:USDT');
    expect(alone).toEqual(all['BTC/USDT:USDT']);
    const amounts = alone.map(({ info }) => info.cum);
    expect(amounts).toEqual(book.get('BTCUSDT')?.map(({ maintenanceAmount }) => Number(maintenanceAmount)));
  });

  test('the leverage of a market', async () => {
    const most = book.get('ETHUSDT')?.[0].maxLeverage;
    expect(await client('binanceusdm', service.url).fetchLeverage('ETH/USDT:USDT')).toMatchObject({
      symbol: 'ETH/USDT:USDT',
      marginMode: 'cross',
      longLeverage: most,
      shortLeverage: most,
    });
  });
});

describe('ccxt reads Plimsoll as if it were Bybit', () => {
  const isThere = (symbol: string): boolean => !symbol.includes('_');

  test('all tables, over all pages, and one alone', async () => {
    const bybit = client('bybit', service.url);
    const all = await bybit.fetchLeverageTiers();
    expect(Object.keys(all).map(ownSymbol).sort()).toEqual(symbolsOf(isThere));
    // ccxt looks for the market in the list of tiers and finds none, at Bybit itself too.
    const unnamed = () => ({ symbol: undefined, currency: undefined }) as unknown as Tier;
    for (const [unified, tiers] of Object.entries(all)) expectTiers(tiers, ownSymbol(unified), unnamed);
    for (const unified of ['BTC/USDT:USDT', 'BTC/USDC:USDC'])
      expectTiers(await bybit.fetchMarketLeverageTiers(unified), ownSymbol(unified), unnamed);
    expect(
      (await bybit.fetchMarketLeverageTiers('BTC/USDT:USDT')).map(({ info }) => info.mmDeduction),
    ).toEqual(book.get('BTCUSDT')?.map(({ maintenanceAmount }, i) => (i === 0 ? '' : maintenanceAmount)));
  });

  test('the leverage of a market', async () => {
    const most = book.get('SOLUSDT')?.[0].maxLeverage;
    const leverage = await client('bybit', service.url).fetchLeverage('SOL/USDT:USDT');
    expect(leverage).toMatchObject({ symbol: 'SOL/USDT:USDT', longLeverage: most, shortLeverage: most });
  });
});

describe('ccxt reads Plimsoll as if it were OKX', () => {
  test('one table at a time, in contracts that are worth a unit of the quote asset', async () => {
    const okx = client('okx', service.url);
    await okx.loadMarkets();
    expect(okx.symbols.map(ownSymbol).sort()).toEqual(symbolsOf((symbol) => !symbol.includes('_2')));
    for (const unified of ['BTC/USDT:USDT', '1000SHIB/USDT:USDT', 'BTC/USDC:USDC']) {
      expect(okx.market(unified)).toMatchObject({ contractSize: 1, linear: true });
      const [, quote] = unified.split(':');
      // A tier begins with the next whole contract.
      expectTiers(await okx.fetchMarketLeverageTiers(unified), ownSymbol(unified), ({ notionalFloor }) => ({
        symbol: unified,
        currency: quote,
        minNotional: notionalFloor === '0' ? 0 : Number(notionalFloor) + 1,
      }));
    }
  });

  test('coin-margined tables in contracts of their size', async () => {
    const okx = client('okx', service.url);
    await okx.loadMarkets();
    const market = okx.market('BTC/USD:BTC');
    expect(market).toMatchObject({ contractSize: 100, linear: false, settle: 'BTC' });
    expectTiers(await okx.fetchMarketLeverageTiers('BTC/USD:BTC'), 'BTCUSD_PERP', (bracket) => ({
      symbol: 'BTC/USD:BTC',
      currency: 'USD',
      minNotional: bracket.notionalFloor === '0' ? 0 : Number(bracket.notionalFloor) / 100 + 1,
      maxNotional: Number(bracket.notionalCap) / 100,
    }));
  });

  test('the leverage of a market', async () => {
    const most = book.get('BTCUSDT')?.[0].maxLeverage;
    const leverage = await client('okx', service.url).fetchLeverage('BTC/USDT:USDT');
    expect(leverage).toMatchObject({
      symbol: 'BTC/USDT:USDT',
      marginMode: 'cross',
      longLeverage: most,
      shortLeverage: most,
    });
  });
});

describe('where keys are configured', () => {
  const OPERATOR_KEY = OPERATOR.authorization.slice('Bearer '.length);
  let closed: TestService;
  beforeAll(async () => {
    closed = await TestService.start({
      keys: [
        { name: 'officer', role: 'operator', sha256: sha256Of(OPERATOR_KEY) },
        { name: 'alice', role: 'reader', sha256: sha256Of('alice-key_0123456789') },
        { name: 'bob', role: 'reader', sha256: sha256Of('bob-key_0123456789') },
      ],
    });
    const own = { notionalCoef: '0.5', maxLeverage: 7, accountCreatedAt: '2020-01-01T00:00:00Z' };
    expect((await closed.put('/v1/users/alice', own)).status).toBe(200);
  });
  afterAll(() => closed.stop());

  const HEADERS = { binanceusdm: 'X-MBX-APIKEY', bybit: 'X-BAPI-API-KEY', okx: 'OK-ACCESS-KEY' } as const;
  /** What the exchanges let anybody read needs a key here, so ccxt is told to send it with every request. */
  const withKey = (venue: Venue, apiKey: string): Client =>
    client(venue, closed.url, { apiKey, headers: { [HEADERS[venue]]: apiKey } });

  test('a user of Binance sees the brackets that count for them, and others the default ones', async () => {
    const first = async (apiKey: string): Promise<Tier> => {
      const binance = withKey('binanceusdm', apiKey);
      await binance.loadMarkets();
      return (await binance.fetchMarketLeverageTiers('BTC/USDT:USDT'))[0];
    };
    const [alice, bob] = [await first('alice-key_0123456789'), await first('bob-key_0123456789')];
    expect(alice.maxNotional).toBe(bob.maxNotional / 2);
    expect(alice.maintenanceMarginRate).toBe(bob.maintenanceMarginRate);
  });

  test.each(['binanceusdm', 'bybit', 'okx'] as const)(
    'a user of %s has the leverage of their own cap',
    async (venue) => {
      const leverage = await withKey(venue, 'alice-key_0123456789').fetchLeverage('BTC/USDT:USDT');
      expect(leverage).toMatchObject({ longLeverage: 7, shortLeverage: 7 });
    },
  );

  test.each(['binanceusdm', 'bybit', 'okx'] as const)(
    'ccxt knows that a key is wrong at %s',
    async (venue) => {
      const wrong = withKey(venue, 'some-other-key');
      await expect(wrong.loadMarkets()).rejects.toBeInstanceOf(ccxt.AuthenticationError);
    },
  );
});

test.each([
  ['binanceusdm', 'OperationFailed'],
  ['bybit', 'ExchangeError'],
  ['okx', 'OnMaintenance'],
] as const)('before the first limits ccxt fails loudly at %s', async (venue, error) => {
  const empty = await TestService.start({ books: 0 });
  await expect(client(venue, empty.url).loadMarkets()).rejects.toBeInstanceOf(ccxt[error]);
  await empty.stop();
});
