import type { IncomingHttpHeaders } from 'node:http';
import { z } from 'zod';
import type { Clock } from '../clock.ts';
import { isoTime } from '../clock.ts';
import type { Scope } from '../control/ports.ts';
import type { Actor, ControlReads } from '../control/reads.ts';
import type { Touched } from './access/caller.ts';
import { ACCOUNT_ROUTES } from './account-routes.ts';
import { ACTIVITY_ROUTES } from './activity-routes.ts';
import { AUDIT_ROUTES } from './audit-routes.ts';
import type { Keyring } from './auth.ts';
import { BINANCE_ROUTES } from './exchange/binance-routes.ts';
import { BYBIT_ROUTES } from './exchange/bybit-routes.ts';
import { OKX_ROUTES } from './exchange/okx-routes.ts';
import type { Venue } from './exchange/venue.ts';
import { GOVERNANCE_ROUTES } from './governance-routes.ts';
import { MARGIN_ROUTES } from './margin-routes.ts';
import { MARKET_ROUTES } from './market-routes.ts';
import { MODEL_ROUTES } from './model-routes.ts';
import type { PreparedReads } from './prepared-reads.ts';
import { PRICE_ROUTES } from './price-routes.ts';
import { PUSH_ROUTES } from './push/push-routes.ts';
import { readinessSchema } from './schemas.ts';
import type { PreparedRead } from './send.ts';
import { SYSTEM_ROUTES } from './system-routes.ts';
import { TRACK_ROUTES } from './track-routes.ts';
import { USER_ROUTES } from './user-routes.ts';

/** What a handler works with. */
export interface RouteContext {
  readonly reads: ControlReads;
  readonly prepared: PreparedReads;
  readonly clock: Clock;
  readonly keyring: Keyring;
  /** Whether the service is about to end. */
  readonly isDraining: () => boolean;
}

export interface RouteInput {
  readonly params: Readonly<Record<string, string>>;
  readonly query: Readonly<Record<string, unknown>>;
  readonly body: unknown;
  /** Who asks; null for a read where reads are open. */
  readonly caller: Actor | null;
  readonly headers: IncomingHttpHeaders;
}

/** JSON to send, the path of a prepared read, or a read made for the request. Reads without a status of their own carry an ETag. */
export type RouteAnswer =
  | { readonly json: unknown; readonly status?: number; readonly isExpired?: boolean }
  | { readonly prepared: string }
  | { readonly read: PreparedRead };

/**
 * One route: what it takes, what it gives, and how. The table is the only list of routes; the server, the OpenAPI
 * document and the answer to a wrong method are all made from it.
 */
export interface Route {
  readonly method: 'get' | 'put' | 'post' | 'delete';
  /** OpenAPI style: `/v1/markets/{symbol}/brackets`. */
  readonly path: string;
  readonly operationId: string;
  readonly summary: string;
  readonly params?: z.ZodObject;
  readonly query?: z.ZodObject;
  readonly body?: z.ZodType;
  /** Instead of a body: it takes NDJSON, lines of this, and judges each of them itself. */
  readonly line?: z.ZodType;
  readonly answer: z.ZodType;
  /** What the caller must have. There is no default, so that a route that nobody thought about is not open. */
  readonly scope: Scope | 'open';
  /**
   * The users and accounts that a request names. A route that does not say is closed to keys that are for some users only,
   * as it may tell of any.
   */
  readonly touches?: 'nobody' | ((input: Omit<RouteInput, 'caller' | 'headers'>) => Touched);
  /** Not every process takes it: the one that leads, or one that keeps accounts. */
  readonly needs?: RouteNeed;
  /** The handler asks the rules what a role may do, and they audit who was refused: any role comes as far as that. */
  readonly isJudgedByRules?: boolean;
  /** Works without a body too. */
  readonly isBodyOptional?: boolean;
  /** Its answer is server-sent events that do not end; see `push`. */
  readonly isStream?: boolean;
  /** Its 503 carries the answer and not a problem. */
  readonly isAnswerAt503?: boolean;
  /** It answers and refuses in the form of this exchange. */
  readonly venue?: Venue;
  handle(context: RouteContext, input: RouteInput): Promise<RouteAnswer> | RouteAnswer;
}

export type RouteNeed = 'leader' | 'accounts';

/** The users and accounts that a request names; null where it may tell of any. */
export function touchedBy({ touches }: Route, input: RouteInput): Touched {
  if (touches === undefined) return null;
  return touches === 'nobody' ? [] : touches(input);
}

export const ROUTES: readonly Route[] = [
  ...MARKET_ROUTES,
  ...TRACK_ROUTES,
  ...USER_ROUTES,
  ...MARGIN_ROUTES,
  ...GOVERNANCE_ROUTES,
  ...PRICE_ROUTES,
  ...ACTIVITY_ROUTES,
  ...ACCOUNT_ROUTES,
  ...PUSH_ROUTES,
  ...SYSTEM_ROUTES,
  ...MODEL_ROUTES,
  ...AUDIT_ROUTES,
  ...BINANCE_ROUTES,
  ...BYBIT_ROUTES,
  ...OKX_ROUTES,
  {
    method: 'get',
    path: '/livez',
    operationId: 'getLiveness',
    scope: 'open',
    touches: 'nobody',
    summary: 'The process runs and its event loop turns',
    answer: z.object({ alive: z.literal(true) }),
    handle: () => ({ status: 200, json: { alive: true } }),
  },
  {
    method: 'get',
    path: '/readyz',
    operationId: 'getReadiness',
    scope: 'open',
    touches: 'nobody',
    summary:
      'There are limits to answer from; 503 before the first ones, and when the service is about to end',
    answer: readinessSchema,
    isAnswerAt503: true,
    handle: ({ reads, isDraining }) => {
      const status = reads.status();
      const ready = status.ready && !isDraining();
      const time = (value: number | null): string | null => (value === null ? null : isoTime(value));
      return {
        status: ready ? 200 : 503,
        json: {
          ready,
          degraded: status.degraded,
          reasons: isDraining() ? [...status.reasons, 'DRAINING'] : [...status.reasons],
          version: reads.currentBook()?.version ?? null,
          dataAsOf: time(status.dataAsOf),
          lastDecisionAt: time(status.lastDecisionAt),
          leads: status.leads,
        },
      };
    },
  },
];
