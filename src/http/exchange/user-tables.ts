import type { LimitBook } from '../../limits/types.ts';
import type { PreparedRead } from '../send.ts';

/** So many are kept of a book: half a megabyte each with 500 markets. */
const MOST_KEPT = 32;

/**
 * The whole table of a book for users of one coefficient, which takes milliseconds to make. Coefficients come in few
 * values, so many users share a table; those that were made first go first.
 */
export class UserTables {
  readonly #byBook = new WeakMap<LimitBook, Map<string, PreparedRead>>();

  get(book: LimitBook, coefMicros: number, isExpired: boolean, make: () => PreparedRead): PreparedRead {
    const kept = this.#byBook.get(book) ?? new Map<string, PreparedRead>();
    this.#byBook.set(book, kept);
    const key = `${coefMicros} ${isExpired}`;
    const found = kept.get(key);
    if (found !== undefined) return found;
    if (kept.size >= MOST_KEPT) kept.delete(kept.keys().next().value as string);
    const made = make();
    kept.set(key, made);
    return made;
  }
}
