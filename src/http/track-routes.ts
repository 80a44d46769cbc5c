import { z } from 'zod';
import type { TrackRange } from '../control/reads.ts';
import type { LimitBook } from '../limits/types.ts';
import { DAY_MILLISECONDS } from '../units.ts';
import { requireBook, requireMarket } from './books.ts';
import { refuse } from './problem.ts';
import type { Route } from './routes.ts';
import { symbolSchema } from './schemas.ts';
import { JSON_TYPE, makeRead } from './send.ts';
import { overviewSchema, trackQuery, trackSchema } from './track-schemas.ts';
import { trackShape } from './track-shapes.ts';

const DEFAULT_DAYS = 7;
const MOST_DAYS = 400;

/** Limits over time, for charts. */
export const TRACK_ROUTES: readonly Route[] = [
  {
    method: 'get',
    path: '/v1/overview',
    operationId: 'getOverview',
    scope: 'limits:read',
    touches: 'nobody',
    summary: 'All markets with their last week: leverage and closes in steps of two hours',
    answer: overviewSchema,
    handle: async (context) => {
      await context.reads.marketTrack.fill(requireBook(context).asOf);
      return { prepared: '/v1/overview' };
    },
  },
  {
    method: 'get',
    path: '/v1/markets/{symbol}/track',
    operationId: 'getTrack',
    scope: 'limits:read',
    touches: 'nobody',
    summary: 'Bars of a market and each decision beside what happened; the last week, or a range of 400 days',
    params: z.object({ symbol: symbolSchema }),
    query: trackQuery,
    answer: trackSchema,
    handle: async (context, { params: { symbol }, query }) => {
      const book = requireBook(context);
      const market = requireMarket(book, symbol);
      const range = rangeOf(query as z.infer<typeof trackQuery>, book);
      const shape = trackShape(book, market, range, await context.reads.track(symbol, range));
      const isExpired = context.clock.now() > book.validUntil;
      const options = { contentType: JSON_TYPE, cacheControl: 'private, no-cache' };
      return { read: makeRead(JSON.stringify(shape), { ...options, isExpired, isCompressed: true }) };
    },
  },
];

/** Up to the newest bar, so that the answer stays the same until there is another. */
function rangeOf({ from, to, points }: z.infer<typeof trackQuery>, { asOf }: LimitBook): TrackRange {
  const end = to === undefined ? asOf : Date.parse(to);
  const start = from === undefined ? end - DEFAULT_DAYS * DAY_MILLISECONDS : Date.parse(from);
  if (start >= end)
    throw refuse('INPUT_INVALID', 'the range ends before it begins', 'Give a `from` before `to`.');
  if (end - start > MOST_DAYS * DAY_MILLISECONDS)
    throw refuse(
      'INPUT_INVALID',
      `the range is longer than ${MOST_DAYS} days`,
      'Ask for its parts one after the other.',
    );
  return { from: start, to: end, points };
}
