import { canonicalJson } from '../src/limits/chain.ts';
import type { LimitBook } from '../src/limits/types.ts';

/** What the history keeps of a market whose brackets changed. */
export interface ScheduleChange {
  readonly symbol: string;
  readonly maxLeverage: number;
  readonly bindingBound: string;
  readonly move: string;
  readonly reasons: readonly string[];
}

/** The brackets of each market of a book, as text that is equal exactly when the brackets are. */
export type SchedulesBySymbol = ReadonlyMap<string, string>;

export function schedulesOf(book: LimitBook): SchedulesBySymbol {
  return new Map(book.markets.map((market) => [market.symbol, canonicalJson(market.brackets)]));
}

/** The markets of a book whose brackets differ from the book before, new markets among them; sorted by symbol. */
export function scheduleChanges(
  book: LimitBook,
  schedules: SchedulesBySymbol,
  previous: SchedulesBySymbol,
): readonly ScheduleChange[] {
  return book.markets
    .filter(({ symbol }) => schedules.get(symbol) !== previous.get(symbol))
    .map((market) => ({
      symbol: market.symbol,
      maxLeverage: market.governor.publishedMaxLeverage,
      bindingBound: market.bindingBound,
      move: market.governor.move,
      reasons: market.reasons,
    }))
    .sort((a, b) => (a.symbol < b.symbol ? -1 : 1));
}
