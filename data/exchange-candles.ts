import { PlimsollError } from '../src/errors.ts';

/** As much of ccxt as is used here. */
interface Exchange {
  readonly markets: Readonly<
    Record<string, { readonly id: string; readonly symbol: string; readonly swap?: boolean }>
  >;
  readonly has: Readonly<Record<string, unknown>>;
  loadMarkets(): Promise<unknown>;
  fetchOHLCV(
    symbol: string,
    timeframe: string,
    since: number,
    limit: number,
  ): Promise<readonly (readonly [number, number, number, number, number, number])[]>;
}
type ExchangeClass = new (options: object) => Exchange;

/** One bar as an exchange tells it; volume is in the base asset. */
export interface Candle {
  readonly openTime: number;
  readonly open: number;
  readonly high: number;
  readonly low: number;
  readonly close: number;
  readonly volume: number;
}

export interface CandleSource {
  /** Candles from a time on, oldest first, one request long; empty where there are none. */
  candles(symbol: string, interval: string, since: number): Promise<readonly Candle[]>;
}

const PER_REQUEST = 1000;

/**
 * An exchange's public candles through ccxt, which is installed by whoever fetches.
 *
 * @param exchange a name of ccxt: binanceusdm, bybit, okx. @param url another address of the same API; null for the exchange's own.
 * @throws PlimsollError DEPENDENCY_MISSING, NOT_FOUND for an exchange that ccxt does not know.
 */
export async function exchangeCandles(exchange: string, url: string | null): Promise<CandleSource> {
  const Exchange = await exchangeClass(exchange);
  const client = new Exchange({ enableRateLimit: true, ...(url === null ? {} : addressesOf(exchange, url)) });
  let isLoaded = false;
  return {
    candles: async (symbol, interval, since) => {
      try {
        if (!isLoaded) await client.loadMarkets();
        isLoaded = true;
        const market = Object.values(client.markets).find(
          ({ id, swap }) => swap === true && ownName(id) === symbol,
        );
        if (market === undefined)
          throw new PlimsollError('MARKET_UNKNOWN', `${exchange} has no perpetual market ${symbol}`, {
            remedy: 'Name it as the exchange does, such as BTCUSDT.',
          });
        const rows = await client.fetchOHLCV(market.symbol, interval, since, PER_REQUEST);
        return rows.map(([openTime, open, high, low, close, volume]) => ({
          ...{ openTime, open, high, low, close, volume },
        }));
      } catch (cause) {
        if (cause instanceof PlimsollError) throw cause;
        const what = cause instanceof Error ? cause.message : String(cause);
        throw new PlimsollError(
          'IO_FAILED',
          `${exchange} gave no candles of ${symbol}: ${what.slice(0, 300)}`,
          {
            remedy: 'Try again; what was fetched is stored, and it goes on from there.',
            cause,
          },
        );
      }
    },
  };
}

async function exchangeClass(exchange: string): Promise<ExchangeClass> {
  // A variable, so that the compiler does not read the types of all exchanges.
  const name: string = 'ccxt';
  const library = await import(name).catch((cause: unknown) => {
    throw new PlimsollError('DEPENDENCY_MISSING', 'ccxt is not installed', {
      remedy: 'npm install ccxt, or import files that were fetched otherwise (plimsoll import).',
      cause,
    });
  });
  const Exchange = (library.default as Record<string, unknown>)[exchange];
  if (typeof Exchange !== 'function' || !/^[a-z0-9]+$/.test(exchange))
    throw new PlimsollError('NOT_FOUND', `ccxt knows no exchange ${exchange.slice(0, 40)}`, {
      remedy: 'Name one as ccxt does: binanceusdm, bybit, okx.',
    });
  return Exchange as ExchangeClass;
}

/** Every API of the exchange at one address. */
function addressesOf(exchange: string, url: string): object {
  const binance = { fapiPublic: `${url}/fapi/v1`, sapi: `${url}/sapi/v1` };
  const api = exchange.startsWith('binance') ? binance : { public: url, rest: url };
  return { urls: { api }, options: { fetchCurrencies: false }, enableRateLimit: false };
}

/** BTC-USDT-SWAP is BTCUSDT. */
function ownName(id: string): string {
  return id.replace(/-SWAP$/, '').replaceAll('-', '');
}
