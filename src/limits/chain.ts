import { createHash } from 'node:crypto';
import { canonicalBookBytes } from './canonical-bytes.ts';
import { canonicalJson } from './canonical-json.ts';
import type { LimitBook } from './types.ts';

export { canonicalJson };

/** The hash before the first link of any chain. */
export const GENESIS_HASH = '0'.repeat(64);

/** One link: SHA-256 over the previous hash (as hex text), a line feed and the canonical JSON of the body. */
export function chainHash(previousHash: string, body: unknown): string {
  return chainHashOfText(previousHash, canonicalJson(body));
}

/** The same link for a body that is canonical JSON already, so that stored bytes are checked as they are stored. */
export function chainHashOfText(previousHash: string, canonicalBody: string | Uint8Array): string {
  return createHash('sha256').update(previousHash).update('\n').update(canonicalBody).digest('hex');
}

/** A book with its hash set: the hash covers everything but itself. */
export function sealBook(book: Omit<LimitBook, 'hash'>): LimitBook {
  return { ...book, hash: chainHashOfText(book.previousHash, canonicalBookBytes(book)) };
}

export function bookHashHolds(book: LimitBook): boolean {
  const { hash, ...body } = book;
  return chainHash(book.previousHash, body) === hash;
}
