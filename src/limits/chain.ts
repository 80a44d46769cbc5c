import { createHash } from 'node:crypto';
import { canonicalJson, sortedKeys } from './canonical-json.ts';
import type { LimitBook, MarketLimit } from './types.ts';

export { canonicalJson };

/** The hash before the first link of any chain. */
export const GENESIS_HASH = '0'.repeat(64);

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
  const hash = createHash('sha256').update(book.previousHash).update('\n');
  for (const part of bookParts(book)) hash.update(part);
  return { ...book, hash: hash.digest('hex') };
}

/** The canonical JSON of a book without its hash. */
export function canonicalBook(body: Omit<LimitBook, 'hash'>): string {
  return [...bookParts(body)].join('');
}

/** The same in parts: a book is hashed market by market, and its text made as a whole for the store alone. */
function* bookParts(body: Omit<LimitBook, 'hash'>): Generator<string> {
  yield '{';
  for (const { key, prefix } of sortedKeys(body)) {
    yield prefix;
    if (key !== 'markets') yield canonicalJson(body[key as keyof typeof body]);
    else {
      yield '[';
      for (const [i, market] of body.markets.entries()) {
        if (i > 0) yield ',';
        // On its own: whoever reads it makes one piece of what is kept.
        yield canonicalMarket(market);
      }
      yield ']';
    }
  }
  yield '}';
}

/** Markets never change once they are decided, and a book may carry on most of them: their text is made once. */
const marketTexts = new WeakMap<MarketLimit, string>();

function canonicalMarket(market: MarketLimit): string {
  const known = marketTexts.get(market);
  if (known !== undefined) return known;
  const text = canonicalJson(market);
  marketTexts.set(market, text);
  return text;
}

/** The canonical JSON of markets, to go with them to another thread: made anew there it costs as much again. */
export function canonicalMarkets(markets: readonly MarketLimit[]): readonly string[] {
  return markets.map(canonicalMarket);
}

/**
 * Takes the texts that came with copies of markets, one each. Whoever stores a book compares the hash of its text with the
 * book's, so a text of something else is refused.
 */
export function keepCanonicalMarkets(markets: readonly MarketLimit[], texts: readonly string[]): void {
  for (const [m, text] of texts.entries()) if (m < markets.length) marketTexts.set(markets[m], text);
}

export function bookHashHolds(book: LimitBook): boolean {
  const { hash, ...body } = book;
  return chainHash(book.previousHash, body) === hash;
}
