import { createHash } from 'node:crypto';
import type { LimitBook, MarketLimit } from './types.ts';

/** The hash before the first link of any chain. */
export const GENESIS_HASH = '0'.repeat(64);

/**
 * JSON with the keys of every object in code-unit order and no white space, so that equal values have equal bytes.
 * Follows RFC 8785 for the values that Plimsoll stores: strings, finite numbers, booleans, null, arrays, plain objects.
 *
 * @throws TypeError for a value that has no canonical form (NaN, infinity, undefined, function, bigint).
 */
export function canonicalJson(value: unknown): string {
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return JSON.stringify(value);
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw new TypeError(`${value} has no canonical JSON form`);
    return JSON.stringify(value);
  }
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (typeof value === 'object') {
    const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
    return `{${entries.map(([key, item]) => `${JSON.stringify(key)}:${canonicalJson(item)}`).join(',')}}`;
  }
  throw new TypeError(`a ${typeof value} has no canonical JSON form`);
}

/** One link: SHA-256 over the previous hash (as hex text), a line feed and the canonical JSON of the body. */
export function chainHash(previousHash: string, body: unknown): string {
  return chainHashOfText(previousHash, canonicalJson(body));
}

/** The same link for a body that is canonical JSON already, so that stored bytes are checked as they are stored. */
export function chainHashOfText(previousHash: string, canonicalBody: string): string {
  return createHash('sha256').update(previousHash).update('\n').update(canonicalBody).digest('hex');
}

/** A book with its hash set: the hash covers everything but itself. */
export function sealBook(book: Omit<LimitBook, 'hash'>): LimitBook {
  return { ...book, hash: chainHashOfText(book.previousHash, canonicalBook(book)) };
}

/** Markets never change once they are decided, and a book may carry on most of them: their text is made once. */
const marketTexts = new WeakMap<MarketLimit, string>();

/** The canonical JSON of a book without its hash. */
export function canonicalBook(body: Omit<LimitBook, 'hash'>): string {
  const members = Object.entries(body)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => {
      const text =
        key === 'markets' ? `[${body.markets.map(canonicalMarket).join(',')}]` : canonicalJson(value);
      return `${JSON.stringify(key)}:${text}`;
    });
  return `{${members.join(',')}}`;
}

function canonicalMarket(market: MarketLimit): string {
  const known = marketTexts.get(market);
  if (known !== undefined) return known;
  const text = canonicalJson(market);
  marketTexts.set(market, text);
  return text;
}

export function bookHashHolds(book: LimitBook): boolean {
  const { hash, ...body } = book;
  return chainHash(book.previousHash, body) === hash;
}
