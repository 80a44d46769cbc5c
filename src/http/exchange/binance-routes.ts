import { z } from 'zod';
import type { LimitBook } from '../../limits/types.ts';
import { isExpired, requireBook } from '../books.ts';
import type { Route, RouteAnswer, RouteContext, RouteInput } from '../routes.ts';
import { answered } from './answers.ts';
import { BINANCE, BINANCE_EMPTY_SYMBOL, BINANCE_INVALID_SYMBOL } from './binance-refusal.ts';
import {
  binanceSymbolQuery,
  exchangeInfoSchema,
  leverageBracketSchema,
  symbolConfigSchema,
} from './binance-schemas.ts';
import { BINANCE_MARKETS, binanceBrackets } from './binance-shape.ts';
import type { Listed, Listing } from './listing.ts';
import { BINANCE_DEFAULT_TABLE, BINANCE_EXCHANGE_INFO } from './prepared-venues.ts';
import { UserTables } from './user-tables.ts';
import type { VenueRefusal } from './venue.ts';
import { venueRead } from './venue-read.ts';
import { mostOf, userOf, userTable } from './venue-user.ts';

/** What clients of Binance's USD-M futures ask for when they read leverage. */
export const BINANCE_ROUTES: readonly Route[] = [
  {
    method: 'get',
    path: '/fapi/v1/leverageBracket',
    operationId: 'binanceLeverageBracket',
    scope: 'limits:read',
    touches: 'nobody',
    summary: 'As Binance USD-M: the brackets of the user of the key; a list, or one object for a symbol',
    query: binanceSymbolQuery,
    answer: leverageBracketSchema,
    venue: BINANCE,
    handle: (context, input) => leverageBracket(context, input),
  },
  {
    method: 'get',
    path: '/fapi/v1/exchangeInfo',
    operationId: 'binanceExchangeInfo',
    scope: 'limits:read',
    touches: 'nobody',
    summary: 'As Binance USD-M: the markets; what only concerns orders is empty',
    answer: exchangeInfoSchema,
    venue: BINANCE,
    handle: (context) => {
      requireBook(context);
      return { prepared: BINANCE_EXCHANGE_INFO };
    },
  },
  {
    method: 'get',
    path: '/fapi/v1/symbolConfig',
    operationId: 'binanceSymbolConfig',
    scope: 'limits:read',
    touches: 'nobody',
    summary: 'As Binance USD-M: a leverage for each market, the most that the user of the key could set',
    query: binanceSymbolQuery,
    answer: symbolConfigSchema,
    venue: BINANCE,
    handle: (context, input) => symbolConfig(context, input),
  },
  ...[
    ['/sapi/v1/capital/config/getall', 'binanceCoins', 'no coins'],
    ['/sapi/v1/margin/allPairs', 'binanceMarginPairs', 'no pairs'],
  ].map(
    ([path, operationId, what]): Route => ({
      method: 'get',
      path,
      operationId,
      scope: 'limits:read',
      touches: 'nobody',
      summary: `As Binance: ${what}; clients ask before they list markets`,
      answer: z.array(z.never()),
      venue: BINANCE,
      handle: () => ({ status: 200, json: [] }),
    }),
  ),
];

const USER_TABLES = new UserTables();

function leverageBracket(context: RouteContext, input: RouteInput): RouteAnswer {
  const book = requireBook(context);
  const user = userOf(context, input);
  const { symbol } = input.query as { symbol?: string };
  const coefMicros = user?.notionalCoefMicros ?? null;
  if (symbol === undefined && coefMicros === null) return { prepared: BINANCE_DEFAULT_TABLE };
  const listing = listingOf(context, book);
  const found = listedFor(listing, symbol);
  if (isRefusal(found)) return found;
  const policy = context.reads.policy();
  const tables = () =>
    found.map(({ name, market }) => {
      const own = userTable(market.brackets, user, policy);
      return binanceBrackets(name, own.brackets, own.coefMicros);
    });
  const { leftOut } = listing;
  if (symbol !== undefined || coefMicros === null) {
    const answer = { json: tables()[0], total: 1, leftOut };
    return answered(context, book, answer, user === null ? 'everybody' : 'one user');
  }
  const hasRunOut = isExpired(book, context);
  const whole = () =>
    venueRead({ json: tables(), total: found.length, leftOut }, book, hasRunOut, 'one user');
  return { read: USER_TABLES.get(book, coefMicros, hasRunOut, whole) };
}

function symbolConfig(context: RouteContext, input: RouteInput): RouteAnswer {
  const book = requireBook(context);
  const user = userOf(context, input);
  const listing = listingOf(context, book);
  const found = listedFor(listing, (input.query as { symbol?: string }).symbol);
  if (isRefusal(found)) return found;
  const json = found.map(({ name, market }) => {
    const { leverage, notional } = mostOf(context, market.brackets, user);
    return {
      symbol: name,
      marginType: 'CROSSED',
      isAutoAddMargin: 'false',
      leverage: Math.floor(leverage),
      maxNotionalValue: notional,
    };
  });
  const answer = { json, total: json.length, leftOut: listing.leftOut };
  return answered(context, book, answer, 'one user');
}

function listingOf({ reads }: RouteContext, book: LimitBook): Listing {
  return BINANCE_MARKETS.of(book, reads.policy().contracts);
}

/** All markets, or the one that is asked for. */
function listedFor(listing: Listing, symbol: string | undefined): readonly Listed[] | VenueRefusal {
  if (symbol === undefined) return listing.listed;
  if (symbol === '') return BINANCE_EMPTY_SYMBOL;
  const one = listing.byName.get(symbol);
  return one === undefined ? BINANCE_INVALID_SYMBOL : [one];
}

function isRefusal(found: readonly Listed[] | VenueRefusal): found is VenueRefusal {
  return 'status' in found;
}
