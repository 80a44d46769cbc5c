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
  // As JSON.stringify writes it, −0 included, and quicker.
  if (typeof value === 'number' && Number.isFinite(value)) return `${value}`;
  if (isCanonical(value)) return JSON.stringify(value);
  if (typeof value !== 'object' || value === null)
    throw new TypeError(
      `${typeof value === 'number' ? value : `a ${typeof value}`} has no canonical JSON form`,
    );
  // Texts are put together without copying: only the whole is made into one piece, when somebody reads it.
  let text = '';
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) text += (i === 0 ? '' : ',') + canonicalJson(value[i]);
    return `[${text}]`;
  }
  for (const { key, prefix } of sortedKeys(value))
    text += prefix + canonicalJson((value as Record<string, unknown>)[key]);
  return `{${text}}`;
}

/**
 * Whether `JSON.stringify` writes the canonical form: its keys have that order already, and it has nothing to leave out.
 * Asked of every value of a book, so it calls itself for objects alone.
 */
function isCanonical(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return isCanonicalScalar(value);
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) {
      const item: unknown = value[i];
      if (typeof item === 'object' ? item !== null && !isCanonical(item) : !isCanonicalScalar(item))
        return false;
    }
    return true;
  }
  if (Object.getPrototypeOf(value) !== Object.prototype) return false;
  let before = '';
  for (const key in value) {
    if (key < before) return false;
    before = key;
    const item = (value as Record<string, unknown>)[key];
    if (typeof item === 'object' ? item !== null && !isCanonical(item) : !isCanonicalScalar(item))
      return false;
  }
  return true;
}

function isCanonicalScalar(value: unknown): boolean {
  if (typeof value === 'number') return Number.isFinite(value);
  return typeof value === 'string' || typeof value === 'boolean' || value === null;
}

/** A key of an object in its place, and what goes before its value. */
interface SortedKey {
  readonly key: string;
  readonly prefix: string;
}

interface Shape {
  /** As objects have them. */
  readonly keys: readonly string[];
  readonly sorted: readonly SortedKey[];
}

/** The books of all markets are made of a few dozen shapes of objects: their keys are sorted once. By the first key. */
const shapes = new Map<string, Shape[]>();
let shapeCount = 0;
const MOST_SHAPES = 512;

function sortedKeys(value: object): readonly SortedKey[] {
  const keys = Object.keys(value);
  if (keys.length === 0) return [];
  const alike = shapes.get(keys[0]);
  if (alike !== undefined) for (const shape of alike) if (areSame(keys, shape.keys)) return shape.sorted;
  const sorted = keys
    .toSorted((a, b) => (a < b ? -1 : 1))
    .map((key, i) => ({ key, prefix: `${i === 0 ? '' : ','}${JSON.stringify(key)}:` }));
  if (shapeCount < MOST_SHAPES) {
    shapeCount++;
    if (alike === undefined) shapes.set(keys[0], [{ keys, sorted }]);
    else alike.push({ keys, sorted });
  }
  return sorted;
}

function areSame(keys: readonly string[], others: readonly string[]): boolean {
  if (keys.length !== others.length) return false;
  for (let i = 0; i < keys.length; i++) if (keys[i] !== others[i]) return false;
  return true;
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
