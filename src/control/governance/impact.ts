import {
  type AccountImpact,
  type MarginGroup,
  type MarketTables,
  previewImpact,
  type TableImpact,
  tableImpact,
  tablesOf,
  tablesOfBook,
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

/** The margins behind which a market has positions, as they are known now; null where none are known. */
export type PositionSource = (symbol: string) => readonly MarginGroup[] | null;

const NO_POSITIONS: Unavailable = {
  available: false,
  why: 'no positions of accounts are known to this service',
};

/**
 * The impact of tables that take each other's place in one market.
 *
 * @param tables of every market, for what shares its margin with others.
 */
export function impactOf(
  symbol: string,
  before: MarketTables,
  after: MarketTables,
  tables: ReadonlyMap<string, MarketTables>,
  positions: PositionSource,
): Impact {
  const held = positions(symbol);
  return {
    market: { available: true, ...tableImpact(before, after) },
    accounts:
      held === null
        ? NO_POSITIONS
        : {
            available: true,
            ...previewImpact(
              new Map([...tables, [symbol, before]]),
              new Map([...tables, [symbol, after]]),
              held,
            ),
          },
  };
}

/** What each announced table of a book will change against the one before it, soonest first in each market. */
export function announcedTables(
  book: LimitBook | null,
  positions: PositionSource,
): readonly AnnouncedTable[] {
  if (book === null) return [];
  const tables = tablesOfBook(book);
  return book.markets.flatMap((market) => announcedOf(market, tables, positions));
}

function announcedOf(
  market: MarketLimit,
  tables: ReadonlyMap<string, MarketTables>,
  positions: PositionSource,
): readonly AnnouncedTable[] {
  let before = tablesOf(market);
  return (market.announced ?? []).map(({ brackets, announcedAt, effectiveAt }) => {
    const after = { ...before, maintenance: brackets };
    const impact = impactOf(market.symbol, before, after, tables, positions);
    before = after;
    return { symbol: market.symbol, announcedAt, effectiveAt, impact };
  });
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
  { book, at, preview, positions }: ImpactContext,
): Promise<ReadonlyMap<string, Impact>> {
  const asked = wanted.filter(({ symbol }) => symbol !== null);
  const limits = await decidedTrials(asked, open, book, at, preview);
  const tables = book === null ? new Map<string, MarketTables>() : tablesOfBook(book);
  return new Map(
    asked.map((change, i): [string, Impact] => {
      const symbol = change.symbol ?? '';
      const before = book?.markets.find((market) => market.symbol === symbol);
      const after = typeof limits === 'string' ? null : limits[i];
      if (before === undefined || after === null) {
        const why = typeof limits === 'string' ? limits : `${symbol} was not decided since the start`;
        return [change.id, { market: { available: false, why }, accounts: { available: false, why } }];
      }
      return [change.id, impactOf(symbol, tablesOf(before), tablesOf(after), tables, positions)];
    }),
  );
}

export interface ImpactContext {
  readonly book: LimitBook | null;
  /** Epoch milliseconds. */
  readonly at: number;
  readonly preview: Preview | null;
  readonly positions: PositionSource;
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
