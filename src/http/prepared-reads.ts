import type { Clock } from '../clock.ts';
import type { LimitBook } from '../limits/types.ts';
import { overviewPage } from './overview-page.ts';
import { JSON_TYPE, makeRead, type PreparedRead } from './send.ts';
import { bracketsShape, explainShape, forecastShape, limitsShape, marketsShape } from './shapes.ts';

const HTML_TYPE = 'text/html; charset=utf-8';

/**
 * The hot reads as bytes, by path. They are made when a book is published, and once more when its validity runs out,
 * so that a read only picks.
 */
export class PreparedReads {
  readonly #clock: Clock;
  #book: LimitBook | null = null;
  #byPath: ReadonlyMap<string, PreparedRead> = new Map();
  #isExpired = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  publish(book: LimitBook): void {
    const isExpired = this.#clock.now() > book.validUntil;
    // First made, then shown: a book that cannot be written out leaves the one before, with its own validity.
    this.#byPath = prepare(book, isExpired);
    this.#book = book;
    this.#isExpired = isExpired;
  }

  /** The answer for a path without a query, or undefined. */
  get(path: string): PreparedRead | undefined {
    if (!this.#isExpired && this.#book !== null && this.#clock.now() > this.#book.validUntil)
      this.publish(this.#book);
    return this.#byPath.get(path);
  }
}

function prepare(book: LimitBook, isExpired: boolean): ReadonlyMap<string, PreparedRead> {
  const reads = new Map<string, PreparedRead>();
  const add = (path: string, contentType: string, text: string, isCompressed: boolean): void => {
    reads.set(path, makeRead(text, { contentType, cacheControl: 'no-cache', isExpired, isCompressed }));
  };
  add('/', HTML_TYPE, overviewPage(book, isExpired), true);
  add('/v1/limits', JSON_TYPE, JSON.stringify(limitsShape(book, isExpired)), true);
  add('/v1/markets', JSON_TYPE, JSON.stringify(marketsShape(book, isExpired)), true);
  for (const market of book.markets) {
    const base = `/v1/markets/${market.symbol}`;
    add(
      `${base}/brackets`,
      JSON_TYPE,
      JSON.stringify(bracketsShape(book, market, market.brackets, isExpired)),
      false,
    );
    add(`${base}/explain`, JSON_TYPE, JSON.stringify(explainShape(book, market, isExpired)), false);
    add(`${base}/forecast`, JSON_TYPE, JSON.stringify(forecastShape(book, market)), false);
  }
  return reads;
}
