import type { AccountBook } from '../../accounts/book/account-book.ts';
import { CONTRACT_KIND } from '../../accounts/book/columns.ts';
import {
  type AccountImpact,
  type HeldPosition,
  type MarginGroup,
  type MarketTables,
  previewImpact,
} from '../../limits/impact.ts';
import { MICROS } from '../../units.ts';

interface Replacement {
  readonly symbol: string;
  readonly before: MarketTables;
  readonly after: MarketTables;
}

/**
 * What becomes of everybody who holds a market when its tables take each other's place, at the marks of the book. Contracts that
 * settle in their base asset are left out: their margin is not in the quote asset that impacts are told in.
 *
 * @returns null while no account is known.
 */
export function impactOnHolders(
  book: AccountBook,
  { symbol, before, after }: Replacement,
): AccountImpact | null {
  if (book.accounts === 0) return null;
  const { markets } = book;
  const market = markets.find(symbol);
  const tables = new Map<string, MarketTables>(markets.terms.map((terms) => [terms.symbol, terms]));
  const groups = market < 0 ? [] : holdersOf(book, market).flatMap((row) => groupsOf(book, row, market));
  return previewImpact(new Map([...tables, [symbol, before]]), new Map([...tables, [symbol, after]]), groups);
}

/** Each once, also one who holds both sides. */
function holdersOf(book: AccountBook, market: number): number[] {
  const { values, length } = book.holdersOf(market);
  return [...new Set(values.subarray(0, length))];
}

/** The margins behind which an account has positions in a market. */
function groupsOf(book: AccountBook, row: number, market: number): MarginGroup[] {
  const { markets } = book;
  const accountId = book.accountIdOf(row);
  const { collateral, positions } = book.recordOf(row);
  const groups: MarginGroup[] = [];
  let [shared, holdsIt] = [collateral, false];
  const together: HeldPosition[] = [];
  for (const position of positions) {
    const { market: m, quantity, entryPrice, isolatedMargin } = position;
    if (markets.contractKind[m] !== CONTRACT_KIND.linear) continue;
    const contracts = quantity * markets.contractSize[m];
    const profit = contracts * (markets.mark[m] - entryPrice);
    const held = { symbol: markets.symbols[m], notional: Math.ceil(Math.abs(contracts) * markets.mark[m]) };
    if (!Number.isNaN(isolatedMargin)) {
      if (m === market)
        groups.push({ accountId, marginMicros: microsDown(isolatedMargin + profit), positions: [held] });
      continue;
    }
    shared += profit;
    together.push(held);
    holdsIt ||= m === market;
  }
  if (holdsIt) groups.push({ accountId, marginMicros: microsDown(shared), positions: together });
  return groups;
}

/** What cannot be told counts as nothing. */
function microsDown(value: number): bigint {
  const micros = Math.floor(value * MICROS);
  return Number.isFinite(micros) ? BigInt(micros) : 0n;
}
