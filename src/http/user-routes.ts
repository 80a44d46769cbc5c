import { z } from 'zod';
import type { Side } from '../accounts/account-view.ts';
import { isoTime } from '../clock.ts';
import type { UserPolicy } from '../control/ports.ts';
import { userShape } from '../control/reads.ts';
import type { Policy } from '../limits/policy.ts';
import type { LimitBook } from '../limits/types.ts';
import { HOUR_MILLISECONDS, MICROS, parseMicros } from '../units.ts';
import { accountsNamed, given } from './access/touched.ts';
import { accountsOfUser, type UserAccounts } from './account-views.ts';
import { isExpired, requireBook, requireMarket, wholeNotional } from './books.ts';
import { capShape, marketScopes } from './cap-shape.ts';
import { checkShape } from './check-shape.ts';
import { refuse } from './problem.ts';
import type { Route, RouteAnswer, RouteContext } from './routes.ts';
import { userIdSchema } from './schemas.ts';
import { userPolicyShape } from './shapes.ts';
import {
  capsQuerySchema,
  capsSchema,
  checkInputSchema,
  checkSchema,
  userInputSchema,
  userPolicySchema,
  userSchema,
} from './user-schemas.ts';

type UserInput = z.infer<typeof userInputSchema>;
type CapsQuery = z.infer<typeof capsQuerySchema>;

const userParams = z.object({ id: userIdSchema });

export const CHECK_ROUTE: Route = {
  method: 'post',
  path: '/v1/checks',
  operationId: 'checkOrder',
  scope: 'users:read',
  touches: ({ body }) => accountsNamed(body),
  summary: 'Pre-trade check: is this order allowed, and if not, what would be',
  body: checkInputSchema,
  answer: checkSchema,
  handle: (context, { body }) => {
    const book = requireBook(context);
    const order = body as z.infer<typeof checkInputSchema>;
    const market = requireMarket(book, order.symbol);
    const answer = (accounts: UserAccounts): RouteAnswer => {
      const user = context.reads.userNow(order.userId);
      const scopes = marketScopes(context, market, user, accounts, order.hedge);
      const hasRunOut = isExpired(book, context);
      const degraded = book.degraded || hasRunOut;
      return {
        json: { ...checkShape(scopes, order), version: book.version, degraded },
        isExpired: hasRunOut,
      };
    };
    const accounts = accountsOfUser(context, book, order.userId, order.accountId, order.symbol);
    return accounts instanceof Promise ? accounts.then(answer) : answer(accounts);
  },
};

/** What one user may do. */
export const USER_ROUTES: readonly Route[] = [
  {
    method: 'put',
    path: '/v1/users/{id}',
    operationId: 'putUser',
    scope: 'users:write',
    touches: ({ params }) => [params.id],
    summary: "Sets a user's policy; what is left out is taken away",
    params: userParams,
    body: userInputSchema,
    answer: userSchema,
    handle: async ({ reads, clock }, { params, body, caller }) => {
      const policy = userPolicyOf(params.id, body as UserInput, reads.policy(), clock.now());
      await reads.putUser(policy, caller?.name ?? '');
      return { json: userShape(policy) };
    },
  },
  {
    method: 'get',
    path: '/v1/users/{id}',
    operationId: 'getUser',
    scope: 'users:read',
    touches: ({ params }) => [params.id],
    summary: "A user's policy, as it was set last",
    params: userParams,
    answer: userSchema,
    handle: ({ reads }, { params }) => {
      const user = reads.userNow(params.id);
      if (user !== null) return { json: userShape(user) };
      throw refuse('USER_UNKNOWN', `nothing is set for a user ${params.id}`, 'PUT /v1/users/{id} first.');
    },
  },
  {
    method: 'get',
    path: '/v1/user-policy',
    operationId: 'getUserPolicy',
    scope: 'limits:read',
    touches: 'nobody',
    summary: 'What of the policy limits users: with a market and a user, all that a cap follows from',
    answer: userPolicySchema,
    handle: ({ reads }) => ({ json: userPolicyShape(reads.policy()) }),
  },
  {
    method: 'get',
    path: '/v1/users/{id}/caps',
    operationId: 'getCaps',
    scope: 'users:read',
    touches: ({ params, query }) => [params.id, ...given(query.accountId)],
    summary: "A user's caps, for all markets or one, at a notional or at what the user's account holds",
    params: userParams,
    query: capsQuerySchema,
    answer: capsSchema,
    handle: (context, { params, query }) => {
      const book = requireBook(context);
      const asked = query as CapsQuery;
      if (asked.symbol !== undefined) requireMarket(book, asked.symbol);
      const accounts = accountsOfUser(context, book, params.id, asked.accountId, asked.symbol);
      const answer = (found: UserAccounts): RouteAnswer => capsAnswer(context, book, params.id, asked, found);
      return accounts instanceof Promise ? accounts.then(answer) : answer(accounts);
    },
  },
  CHECK_ROUTE,
];

function capsAnswer(
  context: RouteContext,
  book: LimitBook,
  userId: string,
  { symbol, notional, side }: CapsQuery,
  accounts: UserAccounts,
): RouteAnswer {
  const { reads } = context;
  const user = reads.userNow(userId);
  const markets = symbol === undefined ? book.markets : [requireMarket(book, symbol)];
  const position = notional === undefined ? null : wholeNotional(notional);
  const chosen: Side | null = side ?? null;
  const caps = markets.map((market) =>
    capShape(marketScopes(context, market, user, accounts), position, chosen),
  );
  const hasRunOut = isExpired(book, context);
  const correlations = reads.netting()?.correlations ?? null;
  return {
    json: {
      userId,
      accountId: accounts.view?.account.accountId ?? null,
      version: book.version,
      degraded: book.degraded || hasRunOut,
      correlationsAsOf: correlations === null ? null : isoTime(correlations.asOf),
      total: caps.length,
      caps,
    },
    isExpired: hasRunOut,
  };
}

function userPolicyOf(userId: string, input: UserInput, policy: Policy, now: number): UserPolicy {
  return {
    userId,
    maxLeverage: input.maxLeverage ?? null,
    accountCreatedAt: input.accountCreatedAt == null ? null : Date.parse(input.accountCreatedAt),
    ownInitialMarginRatePpm: input.ownInitialMarginRatePpm ?? null,
    notionalCoefMicros: coefMicrosOf(input.notionalCoef ?? null, policy.maximumNotionalCoef),
    experienceClass: classOf(input.experienceClass ?? null, policy),
    ...overrideOf(input, policy, now),
    updatedAt: now,
  };
}

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

function classOf(name: string | null, { users }: Policy): string | null {
  const names = users.experienceClasses.map((one) => one.name);
  if (name === null || names.includes(name)) return name;
  throw refuse(
    'INPUT_INVALID',
    `the policy has no class of experience ${name}`,
    names.length === 0 ? 'Put it into users.experienceClasses first.' : `Give one of ${names.join(', ')}.`,
  );
}

/** All three settings of an override, or none. */
function overrideOf(
  input: UserInput,
  { governance: { maximumOverrideHours } }: Policy,
  now: number,
): Pick<UserPolicy, 'overrideMaxLeverage' | 'overrideExpiresAt' | 'overrideReason'> {
  const { overrideMaxLeverage = null, overrideExpiresAt = null } = input;
  const overrideReason = input.overrideReason?.trim() || null;
  const given = [overrideMaxLeverage, overrideExpiresAt, overrideReason].filter((one) => one !== null).length;
  if (overrideMaxLeverage === null || overrideExpiresAt === null || overrideReason === null) {
    if (given === 0) return { overrideMaxLeverage: null, overrideExpiresAt: null, overrideReason: null };
    throw refuse(
      'INPUT_INVALID',
      'an override has a leverage, an end and a reason',
      'Give overrideMaxLeverage, overrideExpiresAt and overrideReason, or none of them.',
    );
  }
  const expiresAt = Date.parse(overrideExpiresAt);
  if (!(expiresAt > now && expiresAt <= now + maximumOverrideHours * HOUR_MILLISECONDS))
    throw refuse(
      'EXPIRY_INVALID',
      'an override of a user cannot end then',
      `Give a time after now and within ${maximumOverrideHours} hours (policy.governance.maximumOverrideHours).`,
    );
  return { overrideMaxLeverage, overrideExpiresAt: expiresAt, overrideReason };
}
