import { z } from 'zod';
import { marketSensitivity } from '../accounts/system/market-sensitivity.ts';
import { isoTime } from '../clock.ts';
import { bracketFor } from '../limits/brackets.ts';
import { SIZE_FORM_KINDS, type SizeFormKind } from '../limits/size-form.ts';
import type { LimitBook, MarketLimit } from '../limits/types.ts';
import { formatWhole } from '../units.ts';
import { requireBook, requireBookAsOf, requireMarket, wholeNotional } from './books.ts';
import { governanceShape } from './governance-shapes.ts';
import { refuse } from './problem.ts';
import type { Route, RouteAnswer, RouteContext } from './routes.ts';
import {
  bracketsSchema,
  decimalSchema,
  explainSchema,
  forecastSchema,
  historySchema,
  limitQuery,
  limitsSchema,
  marketsSchema,
  sensitivitySchema,
  symbolSchema,
  timeSchema,
} from './schemas.ts';
import {
  bracketsShape,
  explainShape,
  forecastShape,
  historyShape,
  limitsShape,
  marketsShape,
} from './shapes.ts';
import { requireSizeForm, sizeFormShape } from './size-form.ts';

const params = z.object({ symbol: symbolSchema });
const asOfQuery = z.object({ asOf: timeSchema.optional() });

interface BracketsQuery {
  readonly notional?: string;
  readonly asOf?: string;
  readonly form?: SizeFormKind;
  readonly upTo?: string;
}

/** What limits are in force, or were at a time. What is asked for now was made at publication. */
export const MARKET_ROUTES: readonly Route[] = [
  {
    method: 'get',
    path: '/v1/markets',
    operationId: 'getMarkets',
    scope: 'limits:read',
    touches: 'nobody',
    summary: 'All markets at a glance, now or at a time',
    query: asOfQuery,
    answer: marketsSchema,
    handle: (context, { query }) => bookAnswer(context, query, '/v1/markets', marketsShape),
  },
  {
    method: 'get',
    path: '/v1/limits',
    operationId: 'getLimits',
    scope: 'limits:read',
    touches: 'nobody',
    summary: 'The whole limit book, now or at a time',
    query: asOfQuery,
    answer: limitsSchema,
    handle: (context, { query }) => bookAnswer(context, query, '/v1/limits', limitsShape),
  },
  {
    method: 'get',
    path: '/v1/markets/{symbol}/brackets',
    operationId: 'getBrackets',
    scope: 'limits:read',
    touches: 'nobody',
    summary:
      'The brackets of a market: all, the one of a notional, those in force at a time, or with one formula too',
    params,
    query: asOfQuery.extend({
      notional: decimalSchema.optional(),
      form: z.enum(SIZE_FORM_KINDS).optional(),
      upTo: decimalSchema.optional(),
    }),
    answer: bracketsSchema,
    handle: async (context, { params: { symbol }, query }) => {
      const { notional, asOf, form, upTo } = query as BracketsQuery;
      const reach = upTo === undefined ? undefined : wholeNotional(upTo);
      if (form === undefined && reach !== undefined)
        throw refuse('INPUT_INVALID', 'upTo is of a form', 'Name the form.');
      if (notional === undefined && form === undefined)
        return marketAnswer(context, query, symbol, 'brackets', (book, market, hasRunOut) =>
          bracketsShape(book, market, market.brackets, hasRunOut),
        );
      const { book, hasRunOut } = await bookAt(context, asOf);
      const market = requireMarket(book, symbol);
      const bracket = notional === undefined ? null : bracketFor(market.brackets, wholeNotional(notional));
      if (notional !== undefined && bracket === null) {
        const last = formatWhole(market.brackets[market.brackets.length - 1].notionalCap);
        throw refuse(
          'INPUT_INVALID',
          `${symbol} takes no position above ${last}`,
          'Ask for a smaller notional.',
        );
      }
      const shown = bracket === null ? market.brackets : [bracket];
      const fitted =
        form === undefined ? {} : { form: sizeFormShape(requireSizeForm(market.brackets, form, reach)) };
      return { json: { ...bracketsShape(book, market, shown, hasRunOut), ...fitted }, isExpired: hasRunOut };
    },
  },
  {
    method: 'get',
    path: '/v1/markets/{symbol}/explain',
    operationId: 'explainMarket',
    scope: 'limits:read',
    touches: 'nobody',
    summary: 'Why the limit is what it is, or was at a time: every bound, the binding one, the governor',
    params,
    query: asOfQuery,
    answer: explainSchema,
    handle: async (context, { params: { symbol }, query }) => {
      const { asOf } = query as { asOf?: string };
      const { reads, clock } = context;
      const at = asOf === undefined ? clock.now() : Date.parse(asOf);
      const state = asOf === undefined ? reads.governance.state() : await reads.governanceAsOf(at);
      return marketAnswer(context, query, symbol, 'explain', (book, market, hasRunOut) =>
        explainShape(book, market, hasRunOut, governanceShape(state, symbol, at)),
      );
    },
  },
  {
    method: 'get',
    path: '/v1/markets/{symbol}/history',
    operationId: 'getHistory',
    scope: 'limits:read',
    touches: 'nobody',
    summary: 'When and how the schedule changed, newest first, up to now or to a time',
    params,
    query: asOfQuery.extend({ limit: limitQuery }),
    answer: historySchema,
    handle: async (context, { params: { symbol }, query }) => {
      const { limit, asOf } = query as { limit: number; asOf?: string };
      requireMarket(requireBook(context), symbol);
      const until = asOf === undefined ? undefined : Date.parse(asOf);
      return { json: historyShape(symbol, await context.reads.history(symbol, limit, until)) };
    },
  },
  {
    method: 'get',
    path: '/v1/markets/{symbol}/forecast',
    operationId: 'getForecast',
    scope: 'limits:read',
    touches: 'nobody',
    summary: 'VaR, ES and shock probability of the adverse excursion, by side and horizon, now or at a time',
    params,
    query: asOfQuery,
    answer: forecastSchema,
    handle: (context, { params: { symbol }, query }) =>
      marketAnswer(context, query, symbol, 'forecast', forecastShape),
  },
  {
    method: 'get',
    path: '/v1/markets/{symbol}/sensitivity',
    operationId: 'getSensitivity',
    scope: 'limits:read',
    touches: 'nobody',
    summary:
      'Liquidation probability and expected bad debt by leverage, from the forecast in force or at a time',
    params,
    query: asOfQuery.extend({ horizonHours: z.coerce.number().positive().optional() }),
    answer: sensitivitySchema,
    handle: async (context, { params: { symbol }, query }) => {
      const { asOf, horizonHours } = query as { asOf?: string; horizonHours?: number };
      const { book, hasRunOut } = await bookAt(context, asOf);
      const market = requireMarket(book, symbol);
      const hours = horizonHours ?? context.reads.policy().accounts.liquidationHorizonHours;
      const known = [...new Set(market.forecasts.map((cell) => cell.horizonHours))];
      if (known.length > 0 && !known.includes(hours))
        throw refuse(
          'INPUT_INVALID',
          `nothing is forecast over ${hours} hours`,
          `Give one of ${known.join(', ')}.`,
        );
      return { json: sensitivityAnswer(context, book, market, hours), isExpired: hasRunOut };
    },
  },
];

/** The leverages of the policy's ladder, lowest first. */
function sensitivityAnswer(
  context: RouteContext,
  book: LimitBook,
  market: MarketLimit,
  horizonHours: number,
): z.infer<typeof sensitivitySchema> {
  const { leverageLadder, halfSpreadRate, takerFeeRate } = context.reads.policy();
  const costRate = halfSpreadRate + takerFeeRate;
  const points = marketSensitivity(market, leverageLadder.toReversed(), horizonHours, costRate);
  return {
    symbol: market.symbol,
    version: book.version,
    asOf: isoTime(market.asOf),
    simulated: market.simulated,
    horizonHours,
    points: points.map((point) => ({ ...point })),
  };
}

/** The book of now or of a time, and whether its validity was over then. */
async function bookAt(
  context: RouteContext,
  asOf: string | undefined,
): Promise<{ readonly book: LimitBook; readonly hasRunOut: boolean }> {
  const book = asOf === undefined ? requireBook(context) : await requireBookAsOf(context, asOf);
  const at = asOf === undefined ? context.clock.now() : Date.parse(asOf);
  return { book, hasRunOut: at > book.validUntil };
}

async function bookAnswer(
  context: RouteContext,
  query: unknown,
  prepared: string,
  shape: (book: LimitBook, hasRunOut: boolean) => unknown,
): Promise<RouteAnswer> {
  requireBook(context);
  const { asOf } = query as { asOf?: string };
  if (asOf === undefined) return { prepared };
  const { book, hasRunOut } = await bookAt(context, asOf);
  return { json: shape(book, hasRunOut), isExpired: hasRunOut };
}

async function marketAnswer(
  context: RouteContext,
  query: unknown,
  symbol: string,
  what: string,
  shape: (book: LimitBook, market: MarketLimit, hasRunOut: boolean) => unknown,
): Promise<RouteAnswer> {
  const current = requireBook(context);
  const { asOf } = query as { asOf?: string };
  if (asOf === undefined) {
    requireMarket(current, symbol);
    return { prepared: `/v1/markets/${symbol}/${what}` };
  }
  const { book, hasRunOut } = await bookAt(context, asOf);
  return { json: shape(book, requireMarket(book, symbol), hasRunOut), isExpired: hasRunOut };
}
