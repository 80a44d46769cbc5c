import { type AccountView, accountView } from '../accounts/account-view.ts';
import type { MarginAccount } from '../accounts/margin/account.ts';
import type { AccountReading } from '../control/reads.ts';
import type { LimitBook } from '../limits/types.ts';
import { ppmToRate } from '../units.ts';
import { marketsOf } from './books.ts';
import { type KeptLimits, KeptViews } from './kept-views.ts';
import { refuse } from './problem.ts';
import { publishedMarket } from './published-market.ts';
import type { RouteContext } from './routes.ts';

/** The accounts that one user's caps count with. */
export interface UserAccounts {
  /** The one that is asked about; null where none is known. */
  readonly view: AccountView | null;
  readonly others: readonly AccountView[];
  /** What limits positions in one market, for as long as the accounts are kept; undefined where they are asked for each time. */
  readonly limits?: KeptLimits;
}

export const NO_ACCOUNTS: UserAccounts = { view: null, others: [] };

/**
 * The accounts of a user, answered without waiting where none can be known.
 *
 * @param accountId the one that is asked about; without it the user's only one, or the one of the user's own name.
 * @throws PlimsollError ACCOUNT_UNKNOWN, and INPUT_INVALID where it is not clear which of several.
 */
export function accountsOfUser(
  context: RouteContext,
  book: LimitBook,
  userId: string,
  accountId: string | undefined,
  symbol: string | undefined,
): UserAccounts | Promise<UserAccounts> {
  const { accounts } = context.reads;
  if (!accounts.mayHold(userId)) {
    if (accountId !== undefined) throw unknownAccount(accountId, userId);
    return NO_ACCOUNTS;
  }
  const kept = accounts.keptReadings(userId);
  if (kept !== null && symbol !== undefined)
    return keptAccounts(context, book, userId, kept, accountId, symbol);
  if (kept !== null) return accountsOf(context, book, userId, kept, accountId, symbol);
  return accounts
    .readingsOfUser(userId)
    .then((readings) => accountsOf(context, book, userId, readings, accountId, symbol));
}

function accountsOf(
  context: RouteContext,
  book: LimitBook,
  userId: string,
  readings: readonly AccountReading[],
  accountId: string | undefined,
  symbol: string | undefined,
): UserAccounts {
  const chosen = chosenOf(readings, userId, accountId);
  if (chosen === null) return NO_ACCOUNTS;
  const viewOf = (reading: AccountReading): AccountView => viewOfReading(context, book, reading, symbol);
  return { view: viewOf(chosen), others: readings.filter((one) => one !== chosen).map(viewOf) };
}

const VIEWS = new WeakMap<readonly AccountReading[], KeptViews>();

/** The same, made once for all that it follows from: the readings, the book, the policy, the user, correlations, and the market's mark. */
function keptAccounts(
  context: RouteContext,
  book: LimitBook,
  userId: string,
  readings: readonly AccountReading[],
  accountId: string | undefined,
  symbol: string,
): UserAccounts {
  const { reads } = context;
  const from = { book, policy: reads.policy(), user: reads.userNow(userId), netting: reads.netting() };
  let views = VIEWS.get(readings);
  if (views === undefined || !views.isFrom(from)) {
    views = new KeptViews(from);
    VIEWS.set(readings, views);
  }
  const mark = reads.markOf(symbol)?.price ?? null;
  const known = views.find(accountId, symbol, mark);
  if (known !== null) return known;
  const made = accountsOf(context, book, userId, readings, accountId, symbol);
  return views.keep(accountId, symbol, mark, made);
}

function chosenOf(
  readings: readonly AccountReading[],
  userId: string,
  accountId: string | undefined,
): AccountReading | null {
  const named = readings.find(({ account }) => account.accountId === (accountId ?? userId));
  if (named !== undefined) return named;
  if (accountId !== undefined) throw unknownAccount(accountId, userId);
  if (readings.length <= 1) return readings[0] ?? null;
  throw refuse(
    'INPUT_INVALID',
    `user ${userId} has ${readings.length} accounts, and none is named`,
    'Say which with accountId.',
  );
}

function unknownAccount(accountId: string, userId: string) {
  return refuse(
    'ACCOUNT_UNKNOWN',
    `nothing has come in of an account ${accountId} of user ${userId}`,
    'PUT /v1/accounts/{id} first, or leave accountId out.',
  );
}

/** @param symbol of a market that is asked about, beside those that the account holds. */
function viewOfReading(
  { reads }: RouteContext,
  book: LimitBook,
  { account: held, marks, status }: AccountReading,
  symbol: string | undefined,
): AccountView {
  const limits = marketsOf(book);
  const policy = reads.policy();
  const ownPpm = reads.userNow(held.userId)?.ownInitialMarginRatePpm ?? 0;
  const account: MarginAccount = { ...held, ownInitialRate: ppmToRate(ownPpm) };
  const priced = new Map(Object.entries(marks));
  if (symbol !== undefined && !priced.has(symbol)) priced.set(symbol, reads.markOf(symbol)?.price ?? null);
  const markets = new Map(
    [...priced].map(([name, mark]) => [
      name,
      publishedMarket(name, mark, limits.get(name), policy, reads.netting()),
    ]),
  );
  return accountView(account, markets, status, limits, policy);
}
