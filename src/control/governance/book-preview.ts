import { decideBook } from '../../limits/decide.ts';
import type { DecisionInputs } from '../../limits/decision-inputs.ts';
import {
  type AccountImpact,
  type MarginGroup,
  type MarketTables,
  previewImpact,
  tablesOfBook,
} from '../../limits/impact.ts';
import type { Policy } from '../../limits/policy.ts';
import type { LimitBook } from '../../limits/types.ts';

/** What tables that come would do to accounts. */
export interface BookPreview {
  /** When they come, epoch milliseconds; null for those that nobody has announced. */
  readonly effectiveAt: number | null;
  /** The markets whose tables change. */
  readonly symbols: readonly string[];
  readonly accounts: AccountImpact;
}

/** What each announced set of tables will do, soonest first, each against the one before it. */
export function previewAnnounced(book: LimitBook, groups: readonly MarginGroup[]): readonly BookPreview[] {
  const all = book.markets.flatMap(({ symbol, announced = [] }) =>
    announced.map((one) => ({ symbol, ...one })),
  );
  const times = [...new Set(all.map(({ effectiveAt }) => effectiveAt))].sort((a, b) => a - b);
  let before = tablesOfBook(book);
  return times.map((effectiveAt) => {
    const after = new Map(before);
    const due = all.filter((one) => one.effectiveAt === effectiveAt);
    for (const { symbol, brackets } of due)
      after.set(symbol, { ...(before.get(symbol) as MarketTables), maintenance: brackets });
    const accounts = previewImpact(before, after, groups);
    before = after;
    return { effectiveAt, symbols: due.map(({ symbol }) => symbol), accounts };
  });
}

/**
 * What the next decision would do if it were made under another policy: from the inputs of the last one, over the book
 * that is in force, with the governor's floor, pace and notice.
 *
 * @param inputs of a decision about all markets. @param now epoch milliseconds.
 */
export function previewPolicy(
  book: LimitBook,
  { markets, context }: DecisionInputs,
  policy: Policy,
  now: number,
  groups: readonly MarginGroup[],
): BookPreview & { readonly next: LimitBook } {
  const next = decideBook(markets, book, { ...context, policy, decidedAt: now, inputsHash: book.inputsHash });
  const [before, after] = [tablesOfBook(book), tablesOfBook(next)];
  const symbols = [...after]
    .filter(([symbol, tables]) => differ(before.get(symbol), tables))
    .map(([symbol]) => symbol);
  return { effectiveAt: null, symbols, accounts: previewImpact(before, after, groups), next };
}

/** Tables that stay are the same arrays. */
function differ(before: MarketTables | undefined, after: MarketTables): boolean {
  return before?.brackets !== after.brackets || before.maintenance !== after.maintenance;
}
