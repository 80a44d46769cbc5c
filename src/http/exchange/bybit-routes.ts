import type { LimitBook } from '../../limits/types.ts';
import { requireBook } from '../books.ts';
import type { Route, RouteAnswer, RouteContext, RouteInput } from '../routes.ts';
import { answered } from './answers.ts';
import { BYBIT, bybitParameterRefusal } from './bybit-refusal.ts';
import {
  BYBIT_CATEGORIES,
  type BybitCategory,
  coinInfoAnswer,
  instrumentsInfoAnswer,
  instrumentsInfoQuery,
  positionListAnswer,
  positionListQuery,
  riskLimitAnswer,
  riskLimitQuery,
} from './bybit-schemas.ts';
import {
  BYBIT_MARKETS,
  bybitInstrument,
  bybitPosition,
  bybitResult,
  emptyPage,
  INSTRUMENTS_PAGE_MARKETS,
  INSTRUMENTS_PAGE_MOST_MARKETS,
  instrumentsPage,
  riskLimitPage,
  riskLimits,
} from './bybit-shape.ts';
import type { Listed } from './listing.ts';
import { bybitRiskLimitPath } from './prepared-venues.ts';
import { mostOf, userOf } from './venue-user.ts';

interface ListQuery {
  readonly category?: string;
  readonly symbol?: string;
  readonly cursor?: string;
  readonly status?: string;
  readonly baseCoin?: string;
  readonly limit?: string;
}

/** What clients of Bybit ask for when they read leverage. */
export const BYBIT_ROUTES: readonly Route[] = [
  {
    method: 'get',
    path: '/v5/market/risk-limit',
    operationId: 'bybitRiskLimit',
    scope: 'limits:read',
    touches: 'nobody',
    summary: 'As Bybit: the risk limits of a symbol, or of 15 symbols a page',
    query: riskLimitQuery,
    answer: riskLimitAnswer,
    venue: BYBIT,
    handle: (context, { query }) =>
      inCategory(context, query, (book, listing) => {
        const { symbol, cursor = '' } = query as ListQuery;
        if (symbol !== undefined) return ofSymbol(context, book, listing, symbol, (one) => riskLimits(one));
        if (!isCursor(cursor)) return refusal(context, 'cursor invalid');
        const path = bybitRiskLimitPath(cursor);
        if (context.prepared.get(path) !== undefined) return { prepared: path };
        const { answer } = riskLimitPage(book, contractsOf(context), cursor);
        return answered(context, book, answer, 'everybody');
      }),
  },
  {
    method: 'get',
    path: '/v5/market/instruments-info',
    operationId: 'bybitInstrumentsInfo',
    scope: 'limits:read',
    touches: 'nobody',
    summary: 'As Bybit: the markets; what only concerns orders is empty',
    query: instrumentsInfoQuery,
    answer: instrumentsInfoAnswer,
    venue: BYBIT,
    handle: (context, { query }) =>
      inCategory(context, query, (book, listing) => {
        const { symbol, cursor = '', status, baseCoin, limit } = query as ListQuery;
        const most = limit === undefined ? INSTRUMENTS_PAGE_MARKETS : Number(limit);
        if (!(Number.isInteger(most) && most >= 1 && most <= INSTRUMENTS_PAGE_MOST_MARKETS))
          return refusal(context, 'limit invalid');
        if (!isCursor(cursor)) return refusal(context, 'cursor invalid');
        if (status !== undefined && status !== 'Trading')
          return answered(context, book, emptyPage('linear', book), 'everybody');
        if (symbol !== undefined)
          return ofSymbol(context, book, listing, symbol, (one) => [bybitInstrument(one)]);
        if (baseCoin !== undefined) {
          const chosen = [...listing.values()].filter(({ instrument }) => instrument.base === baseCoin);
          return listAnswer(context, book, chosen.map(bybitInstrument), chosen.length);
        }
        return answered(
          context,
          book,
          instrumentsPage(book, contractsOf(context), cursor, most),
          'everybody',
        );
      }),
  },
  {
    method: 'get',
    path: '/v5/position/list',
    operationId: 'bybitPositionList',
    scope: 'limits:read',
    touches: 'nobody',
    summary:
      'As Bybit: the leverage of a market, the most that the user of the key could set; tells no position',
    query: positionListQuery,
    answer: positionListAnswer,
    venue: BYBIT,
    handle: (context, input) => positionList(context, input),
  },
  {
    method: 'get',
    path: '/v5/asset/coin/query-info',
    operationId: 'bybitCoinInfo',
    scope: 'limits:read',
    touches: 'nobody',
    summary: 'As Bybit: no coins; clients ask before they list markets',
    answer: coinInfoAnswer,
    venue: BYBIT,
    handle: ({ clock }) => ({ status: 200, json: bybitResult({ rows: [] }, clock.now()) }),
  },
];

type ByName = ReadonlyMap<string, Listed>;

/** Answers for the linear category; the others have no market here. */
function inCategory(
  context: RouteContext,
  query: RouteInput['query'],
  answer: (book: LimitBook, listing: ByName) => RouteAnswer,
): RouteAnswer {
  const book = requireBook(context);
  const { category } = query as ListQuery;
  if (category === undefined || !BYBIT_CATEGORIES.includes(category as BybitCategory))
    return refusal(context, 'Illegal category');
  if (category !== 'linear')
    return answered(context, book, emptyPage(category as BybitCategory, book), 'everybody');
  return answer(book, BYBIT_MARKETS.of(book, contractsOf(context)).byName);
}

function ofSymbol(
  context: RouteContext,
  book: LimitBook,
  listing: ByName,
  symbol: string,
  rows: (one: Listed) => readonly unknown[],
): RouteAnswer {
  const one = listing.get(symbol);
  return one === undefined ? refusal(context, 'symbol invalid') : listAnswer(context, book, rows(one), 1);
}

function listAnswer(
  context: RouteContext,
  book: LimitBook,
  list: readonly unknown[],
  total: number,
): RouteAnswer {
  const json = bybitResult({ category: 'linear', list, nextPageCursor: '' }, book.decidedAt);
  return answered(context, book, { json, total, leftOut: 0 }, 'everybody');
}

function positionList(context: RouteContext, input: RouteInput): RouteAnswer {
  const user = userOf(context, input);
  return inCategory(context, input.query, (book, listing) => {
    const { symbol } = input.query as ListQuery;
    // A list of all open positions is what this is not; an empty one would say that there are none.
    if (symbol === undefined) return refusal(context, 'symbol is required');
    const one = listing.get(symbol);
    if (one === undefined) return refusal(context, 'symbol invalid');
    const list = [bybitPosition(one, mostOf(context, one.market.brackets, user).leverage)];
    const json = bybitResult({ category: 'linear', list, nextPageCursor: '' }, context.clock.now());
    return answered(context, book, { json, total: 1, leftOut: 0 }, 'one user');
  });
}

function contractsOf({ reads }: RouteContext) {
  return reads.policy().contracts;
}

function isCursor(cursor: string): boolean {
  return /^[A-Z0-9]{0,40}$/.test(cursor);
}

function refusal({ clock }: RouteContext, what: string): RouteAnswer {
  return bybitParameterRefusal(what, clock.now());
}
