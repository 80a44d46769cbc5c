import type { LimitBook, MarketLimit } from '../limits/types.ts';
import { parseWholeUp } from '../units.ts';
import { refuse } from './problem.ts';
import type { RouteContext } from './routes.ts';

/** The book that a request is answered from, and what it may be asked for. */
export function requireBook({ reads }: RouteContext): LimitBook {
  const book = reads.currentBook();
  if (book === null)
    throw refuse('NOTHING_PUBLISHED', 'no limits have been decided yet', 'Try again in a few seconds.');
  return book;
}

/** @param asOf ISO 8601. */
export async function requireBookAsOf({ reads }: RouteContext, asOf: string): Promise<LimitBook> {
  const book = await reads.bookAsOf(Date.parse(asOf));
  if (book !== null) return book;
  throw refuse('NOT_FOUND', `no limits were in force at ${asOf}`, 'Ask for a later time.');
}

const BY_SYMBOL = new WeakMap<LimitBook, ReadonlyMap<string, MarketLimit>>();

/** The markets of a book by their symbol; made once for each book. */
export function marketsOf(book: LimitBook): ReadonlyMap<string, MarketLimit> {
  const known = BY_SYMBOL.get(book);
  if (known !== undefined) return known;
  const made = new Map(book.markets.map((market) => [market.symbol, market]));
  BY_SYMBOL.set(book, made);
  return made;
}

export function requireMarket(book: LimitBook, symbol: string): MarketLimit {
  const market = marketsOf(book).get(symbol);
  if (market !== undefined) return market;
  throw refuse('MARKET_UNKNOWN', `there is no market ${symbol}`, 'List the markets: GET /v1/markets.');
}

export function isExpired(book: LimitBook, { clock }: RouteContext): boolean {
  return clock.now() > book.validUntil;
}

/** Notionals count up to the next whole unit: bracket edges are whole, so nothing else can change. */
export function wholeNotional(text: string): number {
  return parseWholeUp(text) ?? 0;
}
