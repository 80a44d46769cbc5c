import type { IncomingHttpHeaders } from 'node:http';
import { z } from 'zod';
import { checkOrder, UNKNOWN_USER, type UserLimits } from '../accounts/caps.ts';
import type { Clock } from '../clock.ts';
import { isoTime } from '../clock.ts';
import type { UserPolicy } from '../control/ports.ts';
import type { Actor, ControlReads } from '../control/reads.ts';
import { formatWhole, MICROS, parseMicros } from '../units.ts';
import { ACCOUNT_ROUTES } from './account-routes.ts';
import { AUDIT_ROUTES } from './audit-routes.ts';
import type { Keyring } from './auth.ts';
import { isExpired, requireBook, requireMarket, wholeNotional } from './books.ts';
import { capShape } from './cap-shape.ts';
import { GOVERNANCE_ROUTES } from './governance-routes.ts';
import { MARGIN_ROUTES } from './margin-routes.ts';
import { MARKET_ROUTES } from './market-routes.ts';
import type { PreparedReads } from './prepared-reads.ts';
import { PRICE_ROUTES } from './price-routes.ts';
import { refuse } from './problem.ts';
import {
  capsSchema,
  checkInputSchema,
  checkSchema,
  decimalSchema,
  limitQuery,
  modelsSchema,
  readinessSchema,
  symbolSchema,
  trainingRunsSchema,
  userIdSchema,
  userInputSchema,
  userSchema,
} from './schemas.ts';
import { trainingRunsShape, userShape } from './shapes.ts';

/** What a handler works with. */
export interface RouteContext {
  readonly reads: ControlReads;
  readonly prepared: PreparedReads;
  readonly clock: Clock;
  readonly keyring: Keyring;
}

export interface RouteInput {
  readonly params: Readonly<Record<string, string>>;
  readonly query: Readonly<Record<string, unknown>>;
  readonly body: unknown;
  /** Who writes: the name of the operator's key. Empty for reads. */
  readonly actor: string;
  /** Whoever signed, on routes where rules decide what a role may do. */
  readonly signer: Actor | null;
  readonly headers: IncomingHttpHeaders;
}

/** JSON to send, or the path of a prepared read. Reads without a status of their own carry an ETag. */
export type RouteAnswer =
  | { readonly json: unknown; readonly status?: number; readonly isExpired?: boolean }
  | { readonly prepared: string };

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
  /** Needs the operator key. */
  readonly isWrite?: boolean;
  /** Needs any known key; the handler asks the rules what its role may do. */
  readonly isSigned?: boolean;
  /** Works without a body too. */
  readonly isBodyOptional?: boolean;
  /** Its 503 carries the answer and not a problem. */
  readonly isAnswerAt503?: boolean;
  handle(context: RouteContext, input: RouteInput): Promise<RouteAnswer> | RouteAnswer;
}

const userParams = z.object({ id: userIdSchema });

/** The coefficient in millionths, as far as the policy lets one go. */
function coefMicrosOf(text: string | null, most: number): number | null {
  if (text === null) return null;
  const micros = Number(parseMicros(text));
  if (micros <= most * MICROS) return micros;
  throw refuse(
    'INPUT_INVALID',
    `a notionalCoef of ${text} is above the ${most} of the policy`,
    'Give a smaller one, or change maximumNotionalCoef in the policy.',
  );
}

function limitsOf(user: UserPolicy | null): UserLimits {
  return user ?? UNKNOWN_USER;
}

export const ROUTES: readonly Route[] = [
  ...MARKET_ROUTES,
  {
    method: 'put',
    path: '/v1/users/{id}',
    operationId: 'putUser',
    summary: "Sets a user's policy; what is left out is taken away",
    params: userParams,
    body: userInputSchema,
    answer: userSchema,
    isWrite: true,
    handle: async ({ reads, clock }, { params, body, actor }) => {
      const input = body as z.infer<typeof userInputSchema>;
      const policy: UserPolicy = {
        userId: params.id,
        maxLeverage: input.maxLeverage ?? null,
        accountCreatedAt: input.accountCreatedAt == null ? null : Date.parse(input.accountCreatedAt),
        ownInitialMarginRatePpm: input.ownInitialMarginRatePpm ?? null,
        notionalCoefMicros: coefMicrosOf(input.notionalCoef ?? null, reads.policy().maximumNotionalCoef),
        updatedAt: clock.now(),
      };
      await reads.putUser(policy, actor);
      return { json: userShape(policy) };
    },
  },
  {
    method: 'get',
    path: '/v1/users/{id}/caps',
    operationId: 'getCaps',
    summary: "A user's caps, for all markets or one, at a notional",
    params: userParams,
    query: z.object({ symbol: symbolSchema.optional(), notional: decimalSchema.default('0') }),
    answer: capsSchema,
    handle: (context, { params, query }) => {
      const book = requireBook(context);
      const { reads } = context;
      const { symbol, notional } = query as { symbol?: string; notional: string };
      const user = limitsOf(reads.userNow(params.id));
      const markets = symbol === undefined ? book.markets : [requireMarket(book, symbol)];
      const position = wholeNotional(notional);
      const caps = markets.map((market) => capShape(context, market, position, user));
      const hasRunOut = isExpired(book, context);
      const degraded = book.degraded || hasRunOut;
      return {
        json: { userId: params.id, version: book.version, degraded, total: caps.length, caps },
        isExpired: hasRunOut,
      };
    },
  },
  {
    method: 'post',
    path: '/v1/checks',
    operationId: 'checkOrder',
    summary: 'Pre-trade check: is this position allowed, and if not, what would be',
    body: checkInputSchema,
    answer: checkSchema,
    handle: (context, { body }) => {
      const book = requireBook(context);
      const { reads, clock } = context;
      const order = body as z.infer<typeof checkInputSchema>;
      const market = requireMarket(book, order.symbol);
      const check = checkOrder(
        market.brackets,
        { notional: wholeNotional(order.notional), leverage: order.leverage },
        limitsOf(reads.userNow(order.userId)),
        reads.policy(),
        clock.now(),
      );
      const hasRunOut = isExpired(book, context);
      return {
        json: {
          ...check,
          maxNotional: formatWhole(check.maxNotional),
          clampedNotional:
            check.clampedNotional < wholeNotional(order.notional)
              ? formatWhole(check.clampedNotional)
              : order.notional,
          version: book.version,
          degraded: book.degraded || hasRunOut,
        },
        isExpired: hasRunOut,
      };
    },
  },
  ...MARGIN_ROUTES,
  ...GOVERNANCE_ROUTES,
  ...PRICE_ROUTES,
  ...ACCOUNT_ROUTES,
  {
    method: 'get',
    path: '/v1/models',
    operationId: 'getModels',
    summary: 'Trained model versions and their aliases',
    answer: modelsSchema,
    handle: async ({ reads }) => {
      const models = await reads.models();
      return { json: { total: models.length, models } };
    },
  },
  {
    method: 'get',
    path: '/v1/training/runs',
    operationId: 'getTrainingRuns',
    summary: 'Training runs, newest first',
    query: z.object({ limit: limitQuery }),
    answer: trainingRunsSchema,
    handle: async ({ reads }, { query }) => ({
      json: trainingRunsShape(await reads.trainingRuns(query.limit as number)),
    }),
  },
  ...AUDIT_ROUTES,
  {
    method: 'get',
    path: '/livez',
    operationId: 'getLiveness',
    summary: 'The process runs and its event loop turns',
    answer: z.object({ alive: z.literal(true) }),
    handle: () => ({ status: 200, json: { alive: true } }),
  },
  {
    method: 'get',
    path: '/readyz',
    operationId: 'getReadiness',
    summary: 'There are limits to answer from; 503 before the first ones',
    answer: readinessSchema,
    isAnswerAt503: true,
    handle: ({ reads }) => {
      const status = reads.status();
      const time = (value: number | null): string | null => (value === null ? null : isoTime(value));
      return {
        status: status.ready ? 200 : 503,
        json: {
          ready: status.ready,
          degraded: status.degraded,
          reasons: [...status.reasons],
          version: reads.currentBook()?.version ?? null,
          dataAsOf: time(status.dataAsOf),
          lastDecisionAt: time(status.lastDecisionAt),
        },
      };
    },
  },
];
