import type { z } from 'zod';
import { accountView } from '../accounts/account-view.ts';
import { type MarginAccount, type MarginMarket, marginAccountOf } from '../accounts/margin/account.ts';
import { accountMargin } from '../accounts/margin/account-margin.ts';
import type { MarginStatus } from '../accounts/margin/measure.ts';
import type { MarginTable } from '../accounts/margin/table.ts';
import type { MarketLimit } from '../limits/types.ts';
import { ppmToRate } from '../units.ts';
import { accountsNamed } from './access/touched.ts';
import { isExpired } from './books.ts';
import { capShape, marketScopes } from './cap-shape.ts';
import { marginSchema, simulateInputSchema } from './margin-schemas.ts';
import { type MarginFrame, marginShape } from './margin-shape.ts';
import { requireOwnTable } from './own-brackets.ts';
import { refuse } from './problem.ts';
import { publishedMarket } from './published-market.ts';
import type { Route, RouteContext } from './routes.ts';

type SimulateInput = z.infer<typeof simulateInputSchema>;

/** What an account's positions ask for, and where they end. */
export const MARGIN_ROUTES: readonly Route[] = [
  {
    method: 'post',
    path: '/v1/margin/simulate',
    operationId: 'simulateMargin',
    scope: 'users:read',
    touches: ({ body }) => accountsNamed((body as SimulateInput).account),
    summary:
      'The margin of an account that need not exist, at prices and brackets of your own or those in force; changes nothing',
    body: simulateInputSchema,
    answer: marginSchema,
    handle: (context, { body }) => {
      const input = body as SimulateInput;
      const { reads } = context;
      const tables = new Map(
        Object.entries(input.brackets ?? {}).map(([symbol, own]) => [symbol, requireOwnTable(symbol, own)]),
      );
      requireSidesToBeSigns(input);
      const ownPpm = reads.userNow(input.account.userId)?.ownInitialMarginRatePpm ?? 0;
      const account = marginAccountOf(input.account, ppmToRate(ownPpm));
      const limits = new Map(reads.currentBook()?.markets.map((market) => [market.symbol, market]));
      const held = [...new Set(account.positions.map(({ symbol }) => symbol))];
      const markets = new Map(
        held.map((symbol) => [
          symbol,
          simulatedMarket(context, input, symbol, limits.get(symbol), tables.get(symbol)),
        ]),
      );
      const result = accountMargin(account, markets, reads.policy());
      const frame = frameOf(context, account, markets, limits, result.status);
      const book = reads.currentBook();
      return { json: marginShape(result, frame), isExpired: book !== null && isExpired(book, context) };
    },
  },
];

/** As where accounts are taken in: a side and a sign together could mean either. */
function requireSidesToBeSigns({ account: { positions } }: SimulateInput): void {
  const wrong = positions.find(({ side, quantity }) => side !== 'net' && Number(quantity) < 0);
  if (wrong === undefined) return;
  throw refuse(
    'INPUT_INVALID',
    `the ${wrong.side} position of ${wrong.symbol} has a quantity below 0`,
    'Give the quantity without a sign, or the side "net".',
  );
}

/** A market as the simulation sees it: what was given counts before what is in force. */
function simulatedMarket(
  { reads }: RouteContext,
  { prices, contracts, betas }: SimulateInput,
  symbol: string,
  limit: MarketLimit | undefined,
  own: MarginTable | undefined,
): MarginMarket {
  const policy = reads.policy();
  if (own === undefined && limit === undefined) throw unknownMarket(symbol, reads.currentBook() === null);
  const given = prices?.[symbol];
  const mark = given === undefined ? (reads.markOf(symbol)?.price ?? null) : Number(given);
  if (mark === null)
    throw refuse('INPUT_INVALID', `no price of ${symbol} is known`, `Give one: "prices":{"${symbol}":"…"}.`);
  const terms = contracts?.[symbol];
  if (terms !== undefined && !(Number(terms.contractSize) > 0))
    throw refuse('INPUT_INVALID', `the contractSize of ${symbol} is 0`, 'Give one above 0.');
  const published = publishedMarket(symbol, mark, limit, policy, reads.netting());
  return {
    ...published,
    contract:
      terms === undefined
        ? published.contract
        : { kind: terms.kind, contractSize: Number(terms.contractSize) },
    maintenance: own ?? published.maintenance,
    initial: own ?? published.initial,
    beta: betas?.[symbol] ?? published.beta,
  };
}

function unknownMarket(symbol: string, isNothingPublished: boolean) {
  const remedy = `Give its brackets: "brackets":{"${symbol}":[…]}; or`;
  return isNothingPublished
    ? refuse(
        'NOTHING_PUBLISHED',
        `no limits have been decided yet, so there are no brackets of ${symbol}`,
        `${remedy} try again in a few seconds.`,
      )
    : refuse(
        'MARKET_UNKNOWN',
        `there is no market ${symbol}`,
        `${remedy} list the markets: GET /v1/markets.`,
      );
}

/** What is told beside the margin: caps, and what limits they rest on. */
export function frameOf(
  context: RouteContext,
  account: MarginAccount,
  markets: ReadonlyMap<string, MarginMarket>,
  limits: ReadonlyMap<string, MarketLimit>,
  status: MarginStatus | 'unknown',
): MarginFrame {
  const { reads } = context;
  const book = reads.currentBook();
  const policy = reads.policy();
  const view = accountView(account, markets, status === 'unknown' ? 'healthy' : status, limits, policy);
  const user = reads.userNow(account.userId);
  const caps = [...markets.keys()].flatMap((symbol) => {
    const limit = limits.get(symbol);
    if (limit === undefined) return [];
    return [capShape(marketScopes(context, limit, user, { view, others: [] }), null, null)];
  });
  return {
    liquidationHorizonHours: policy.accounts.liquidationHorizonHours,
    caps,
    version: book?.version ?? null,
    degraded: book === null || book.degraded || isExpired(book, context),
  };
}
