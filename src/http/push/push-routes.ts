import { z } from 'zod';
import { FEED_KINDS, type FeedKind } from '../../control/reads.ts';
import type { Route } from '../routes.ts';
import type { Subscription } from './hub.ts';

const queryFields = {
  after: z.coerce.number().int().min(0).max(Number.MAX_SAFE_INTEGER).optional(),
  kinds: z
    .string()
    .transform((text) => text.split(','))
    .pipe(z.array(z.enum(FEED_KINDS)).min(1))
    .optional(),
};

/** What a reader of the feed may ask for. */
export const pushQuery = z.object(queryFields);

/** The header of a reader that comes back (WHATWG HTML) counts before the query, which such a reader repeats as it was. */
export function subscriptionOf(query: unknown, lastEventId: string | undefined): Subscription {
  const { after, kinds } = query as { after?: number; kinds?: readonly FeedKind[] };
  const seen = lastEventId !== undefined && /^\d{1,15}$/.test(lastEventId) ? Number(lastEventId) : after;
  return { after: seen ?? null, kinds: kinds === undefined ? null : new Set(kinds) };
}

export const STREAM_PATH = '/v1/stream';

export const PUSH_ROUTES: readonly Route[] = [
  {
    method: 'get',
    path: STREAM_PATH,
    operationId: 'getStream',
    scope: 'feed:read',
    summary:
      'Server-sent events: limits that change and interventions, numbered without gaps; goes on after Last-Event-ID, or begins with all limits',
    query: pushQuery,
    answer: z.string(),
    isStream: true,
    handle: () => {
      throw new Error('a stream is not answered in one piece');
    },
  },
];
