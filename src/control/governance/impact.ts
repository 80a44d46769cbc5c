import {
  type AccountImpact,
  type MarketTables,
  type TableImpact,
  tableImpact,
  tablesOf,
} from '../../limits/impact.ts';
import type { LimitBook, MarketLimit } from '../../limits/types.ts';
import type { Change } from './change.ts';
import { governanceOf } from './change.ts';
import type { Preview } from './trials.ts';

/** What is not known, and why. */
export interface Unavailable {
  readonly available: false;
  readonly why: string;
}

/** What a change would do, seen before it is done. */
export interface Impact {
  readonly market: ({ readonly available: true } & TableImpact) | Unavailable;
  readonly accounts: ({ readonly available: true } & AccountImpact) | Unavailable;
}

/** A table that open positions will be held to, and what it will do. */
export interface AnnouncedTable {
  readonly symbol: string;
  /** Epoch milliseconds. */
  readonly announcedAt: number;
  readonly effectiveAt: number;
  readonly impact: Impact;
}

/**
 * What becomes of the accounts that hold a market when its tables take each other's place, and those of all others stay;
 * null where no accounts are known.
 */
export type AccountImpactSource = (
  symbol: string,
  before: MarketTables,
  after: MarketTables,
) => Promise<AccountImpact | null>;

const NO_ACCOUNTS: Unavailable = { available: false, why: 'no accounts are known to this service' };

/** The impact of tables that take each other's place in one market. */
export async function impactOf(
  symbol: string,
  before: MarketTables,
  after: MarketTables,
  accountsOf: AccountImpactSource,
): Promise<Impact> {
  return {
    market: { available: true, ...tableImpact(before, after) },
    accounts: await accountsOf(symbol, before, after).then(
      (hit) => (hit === null ? NO_ACCOUNTS : { available: true, ...hit }),
      () => ({ available: false, why: 'the accounts gave no answer' }),
    ),
  };
}

/** What each announced table of a book will change against the one before it, soonest first in each market. */
export async function announcedTables(
  book: LimitBook | null,
  accountsOf: AccountImpactSource,
): Promise<readonly AnnouncedTable[]> {
  const tables = await Promise.all((book?.markets ?? []).map((market) => announcedOf(market, accountsOf)));
  return tables.flat();
}

function announcedOf(market: MarketLimit, accountsOf: AccountImpactSource): Promise<AnnouncedTable[]> {
  let before = tablesOf(market);
  const tables = (market.announced ?? []).map(async ({ brackets, announcedAt, effectiveAt }) => {
    const [from, to] = [before, { ...before, maintenance: brackets }];
    before = to;
    const impact = await impactOf(market.symbol, from, to, accountsOf);
    return { symbol: market.symbol, announcedAt, effectiveAt, impact };
  });
  return Promise.all(tables);
}

/**
 * What each change would do to its market if it were in force now. Decided by the rules themselves, from the inputs of
 * the last decision; of what nobody can tell it says why.
 *
 * @param open what is in force or waits.
 * @param wanted the ones to look at; they need not be among the open ones.
 */
export async function impactsOf(
  wanted: readonly Change[],
  open: readonly Change[],
  { book, at, preview, accountsOf }: ImpactContext,
): Promise<ReadonlyMap<string, Impact>> {
  const asked = wanted.filter(({ symbol }) => symbol !== null);
  const limits = await decidedTrials(asked, open, book, at, preview);
  const impacts = asked.map(async (change, i): Promise<[string, Impact]> => {
    const symbol = change.symbol ?? '';
    const before = book?.markets.find((market) => market.symbol === symbol);
    const after = typeof limits === 'string' ? null : limits[i];
    if (before === undefined || after === null) {
      const why = typeof limits === 'string' ? limits : `${symbol} was not decided since the start`;
      return [change.id, { market: { available: false, why }, accounts: { available: false, why } }];
    }
    return [change.id, await impactOf(symbol, tablesOf(before), tablesOf(after), accountsOf)];
  });
  return new Map(await Promise.all(impacts));
}

export interface ImpactContext {
  readonly book: LimitBook | null;
  /** Epoch milliseconds. */
  readonly at: number;
  readonly preview: Preview | null;
  readonly accountsOf: AccountImpactSource;
}

/** What would be decided with each of the changes; in words where nobody can say. */
async function decidedTrials(
  asked: readonly Change[],
  open: readonly Change[],
  book: LimitBook | null,
  at: number,
  preview: Preview | null,
): Promise<readonly (MarketLimit | null)[] | string> {
  if (preview === null || book === null) return 'no decisions are made here';
  if (asked.length === 0) return [];
  const trials = asked.map((change) => {
    const others = open.filter(({ number }) => number !== change.number);
    const approved = change.approved ?? { ...change.requested, at };
    return {
      symbol: change.symbol ?? '',
      governance: governanceOf([...others, { ...change, approved }], at),
    };
  });
  try {
    return await preview(book, at, trials);
  } catch {
    return 'the decision worker gave no answer';
  }
}
