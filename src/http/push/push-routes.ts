import { z } from 'zod';
import type { Scope } from '../../control/ports.ts';
import { FEED_KINDS, type FeedKind } from '../../control/reads.ts';
import { type Caller, requireScope } from '../access/caller.ts';
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

/** What a reader must be allowed to read to be told of it; whoever may read the feed is told of the others. */
const SCOPE_OF: Partial<Record<FeedKind, Scope>> = { governance: 'governance:read', user: 'users:read' };

/** @param caller null where nobody need be known. @throws PlimsollError FORBIDDEN for a kind that the caller may not read. */
function kindsFor(caller: Caller | null, asked: readonly FeedKind[] | undefined): Subscription['kinds'] {
  const isAllowed = (kind: FeedKind): boolean => {
    const scope = SCOPE_OF[kind];
    return caller === null || scope === undefined || caller.scopes.has(scope);
  };
  for (const kind of asked ?? [])
    if (caller !== null && !isAllowed(kind)) requireScope(caller, SCOPE_OF[kind] as Scope);
  if (asked === undefined && FEED_KINDS.every(isAllowed)) return null;
  return sharedSet(FEED_KINDS.filter((kind) => isAllowed(kind) && asked?.includes(kind) !== false));
}

const SETS = new Map<string, ReadonlySet<FeedKind>>();

/** Thousands of readers ask for the same few: one set for all of them. */
function sharedSet(kinds: readonly FeedKind[]): ReadonlySet<FeedKind> {
  const name = kinds.join();
  const set = SETS.get(name) ?? new Set(kinds);
  SETS.set(name, set);
  return set;
}

/** The header of a reader that comes back (WHATWG HTML) counts before the query, which such a reader repeats as it was. */
export function subscriptionOf(
  query: unknown,
  lastEventId: string | undefined,
  caller: Caller | null,
): Subscription {
  const { after, kinds } = query as { after?: number; kinds?: readonly FeedKind[] };
  const seen = lastEventId !== undefined && /^\d{1,15}$/.test(lastEventId) ? Number(lastEventId) : after;
  return { after: seen ?? null, kinds: kindsFor(caller, kinds) };
}

export const STREAM_PATH = '/v1/stream';

export const PUSH_ROUTES: readonly Route[] = [
  {
    method: 'get',
    path: STREAM_PATH,
    operationId: 'getStream',
    scope: 'feed:read',
    summary:
      'Server-sent events: limits that change, interventions, what people change and users, numbered without gaps; goes on after Last-Event-ID, or begins with all limits',
    query: pushQuery,
    answer: z.string(),
    isStream: true,
    handle: () => {
      throw new Error('a stream is not answered in one piece');
    },
  },
];
