import { gzipSync } from 'node:zlib';
import type { Clock } from '../clock.ts';
import type { LimitBook } from '../limits/types.ts';
import { overviewPage } from './overview-page.ts';
import { bracketsShape, explainShape, forecastShape, limitsShape, marketsShape } from './shapes.ts';

/** An answer that needs nothing but to be sent. */
export interface PreparedRead {
  readonly contentType: string;
  readonly body: Buffer;
  readonly etag: string;
  /** The same compressed, with an ETag of its own because its bytes are others; null where it does not pay. */
  readonly gzip: { readonly body: Buffer; readonly etag: string } | null;
  /** The book's validity was over when this was made. */
  readonly isExpired: boolean;
}

const JSON_TYPE = 'application/json; charset=utf-8';
const HTML_TYPE = 'text/html; charset=utf-8';
/** Smaller answers fit into one packet anyway. */
const GZIP_FROM_BYTES = 1400;

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
    this.#book = book;
    this.#isExpired = this.#clock.now() > book.validUntil;
    this.#byPath = prepare(book, this.#isExpired);
  }

  /** The answer for a path without a query, or undefined. */
  get(path: string): PreparedRead | undefined {
    if (!this.#isExpired && this.#book !== null && this.#clock.now() > this.#book.validUntil)
      this.publish(this.#book);
    return this.#byPath.get(path);
  }
}

function prepare(book: LimitBook, isExpired: boolean): ReadonlyMap<string, PreparedRead> {
  const tag = `${book.hash.slice(0, 32)}${isExpired ? '-expired' : ''}`;
  const reads = new Map<string, PreparedRead>();
  const add = (path: string, contentType: string, text: string, isCompressed: boolean): void => {
    const body = Buffer.from(text);
    const gzip =
      isCompressed && body.length >= GZIP_FROM_BYTES ? { body: gzipSync(body), etag: `"${tag}-gzip"` } : null;
    reads.set(path, { contentType, body, etag: `"${tag}"`, gzip, isExpired });
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
