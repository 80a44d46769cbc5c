import { requireBook } from './books.ts';
import type { Route } from './routes.ts';
import { overviewSchema } from './track-schemas.ts';

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
];
