import { z } from 'zod';
import type { AccountFault } from '../accounts/book/account-line.ts';
import { INTERVENTION_KINDS } from '../accounts/interventions/intervention.ts';
import { interventionShape } from '../accounts/interventions/intervention-shape.ts';
import type { MarginAccount } from '../accounts/margin/account.ts';
import { accountMargin } from '../accounts/margin/account-margin.ts';
import { isoTime } from '../clock.ts';
import type { AccountReading } from '../control/reads.ts';
import type { PlimsollError } from '../errors.ts';
import type { LimitBook } from '../limits/types.ts';
import { ppmToRate } from '../units.ts';
import { accountsAskedFor, accountsNamed, accountsOfLines } from './access/touched.ts';
import { accountInputSchema, accountSchema, batchSchema, putSchema } from './account-schemas.ts';
import { isExpired, marketsOf, requireBook } from './books.ts';
import { interventionsSchema } from './intervention-schemas.ts';
import { frameOf } from './margin-routes.ts';
import { marginSchema } from './margin-schemas.ts';
import { marginShape } from './margin-shape.ts';
import { refuse } from './problem.ts';
import { publishedMarket } from './published-market.ts';
import type { Route, RouteContext } from './routes.ts';
import { userIdSchema } from './schemas.ts';

/** Accounts come in; what became of them comes out. */
export const ACCOUNT_ROUTES: readonly Route[] = [
  // Before the route of one account, whose address it would be.
  {
    method: 'post',
    path: '/v1/accounts/batch',
    operationId: 'postAccounts',
    needs: 'accounts',
    scope: 'accounts:write',
    touches: ({ body }) => accountsOfLines(body),
    summary: 'Takes accounts in, a line each; bad lines are told by their number, and the others count',
    line: accountSchema,
    answer: batchSchema,
    handle: async (context, { body }) => {
      requireBook(context);
      const { total, accepted, refused } = await context.reads.accounts.takeLines(
        typeof body === 'string' ? body : '',
      );
      const ignored = refused.filter(({ outcome }) => outcome === 'ignored').length;
      return {
        status: 200,
        json: { total, accepted, ignored, refused: refused.length - ignored, lines: refused },
      };
    },
  },
  {
    method: 'put',
    path: '/v1/accounts/{id}',
    operationId: 'putAccount',
    needs: 'accounts',
    scope: 'accounts:write',
    touches: ({ params, body }) => [params.id, ...accountsNamed(body)],
    summary: "Takes an account's whole state, in place of what was known of it",
    params: z.object({ id: userIdSchema }),
    body: accountInputSchema,
    answer: putSchema,
    handle: async (context, { params, body }) => {
      requireBook(context);
      const given = body as z.infer<typeof accountInputSchema>;
      if (given.accountId !== undefined && given.accountId !== params.id)
        throw refuse(
          'INPUT_INVALID',
          'accountId is not the one of the address',
          'Send the same id, or none.',
        );
      const { accounts } = context.reads;
      const fault = await accounts.take({ userId: params.id, ...given, accountId: params.id });
      if (fault !== null) throw refusalOf(fault);
      const reading = await accounts.reading(params.id);
      return { status: 200, json: { accountId: params.id, status: reading?.status ?? 'healthy' } };
    },
  },
  {
    method: 'get',
    path: '/v1/accounts/{id}/margin',
    operationId: 'getMargin',
    needs: 'accounts',
    scope: 'accounts:read',
    touches: ({ params }) => [params.id],
    summary:
      'What an account has and owes at the newest marks, where its positions end, and what would have to go',
    params: z.object({ id: userIdSchema }),
    answer: marginSchema,
    handle: async (context, { params }) => {
      const book = requireBook(context);
      const reading = await context.reads.accounts.reading(params.id);
      if (reading === null)
        throw refuse(
          'ACCOUNT_UNKNOWN',
          `nothing has come in of account ${params.id}`,
          'PUT /v1/accounts/{id}, or POST /v1/accounts/batch.',
        );
      return { json: marginOfReading(context, reading, book), isExpired: isExpired(book, context) };
    },
  },
  {
    method: 'get',
    path: '/v1/interventions',
    operationId: 'getInterventions',
    needs: 'accounts',
    scope: 'accounts:read',
    touches: ({ query }) => accountsAskedFor(query),
    summary: 'Warnings, margin calls, reductions and liquidations, in the order in which they were due',
    query: z.object({
      after: z.coerce.number().int().min(0).max(Number.MAX_SAFE_INTEGER).default(0),
      limit: z.coerce.number().int().min(1).max(1000).default(100),
      accountId: userIdSchema.optional(),
      userId: userIdSchema.optional(),
      kind: z.enum(INTERVENTION_KINDS).optional(),
    }),
    answer: interventionsSchema,
    handle: async ({ reads }, { query }) => {
      const { after, limit, ...filter } = query as { after: number; limit: number };
      const [found, { lastIntervention }] = await Promise.all([
        reads.accounts.interventionsAfter(after, limit, filter),
        reads.accounts.summary(),
      ]);
      return {
        json: {
          lastSequence: lastIntervention,
          total: found.length,
          interventions: found.map(interventionShape),
        },
      };
    },
  },
];

function marginOfReading(
  context: RouteContext,
  { account: held, marks, markedAt, status }: AccountReading,
  book: LimitBook,
) {
  const { reads } = context;
  const limits = marketsOf(book);
  const ownPpm = reads.userNow(held.userId)?.ownInitialMarginRatePpm ?? 0;
  const account: MarginAccount = { ...held, ownInitialRate: ppmToRate(ownPpm) };
  const markets = new Map(
    Object.entries(marks).map(([symbol, mark]) => [
      symbol,
      publishedMarket(symbol, mark, limits.get(symbol), reads.policy(), reads.netting()),
    ]),
  );
  const shape = marginShape(
    accountMargin(account, markets, reads.policy()),
    frameOf(context, account, markets, limits, status),
  );
  const times = Object.entries(markedAt).map(([symbol, at]) => [symbol, at === null ? null : isoTime(at)]);
  return { ...shape, markedAt: Object.fromEntries(times) };
}

function refusalOf({ code, message }: AccountFault): PlimsollError {
  if (code === 'MARKET_UNKNOWN')
    return refuse('MARKET_UNKNOWN', message, 'GET /v1/markets lists all markets.');
  if (code === 'ACCOUNT_OUT_OF_ORDER')
    return refuse('CONFLICT', message, 'Send a state with a higher sequence; the one that is known stays.');
  if (code === 'ACCOUNT_ELSEWHERE')
    return refuse('ACCOUNTS_ELSEWHERE', message, 'Send it to the process that keeps its partition.');
  return refuse('INPUT_INVALID', `${code}: ${message}`, 'Mend what is named; nothing was taken.');
}
