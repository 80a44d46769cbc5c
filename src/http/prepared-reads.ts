import type { Clock } from '../clock.ts';
import type { GovernanceAccess } from '../control/reads.ts';
import type { LimitBook } from '../limits/types.ts';
import { governanceShape } from './governance-shapes.ts';
import { overviewPage } from './overview-page.ts';
import { JSON_TYPE, makeRead, type PreparedRead } from './send.ts';
import { bracketsShape, explainShape, forecastShape, limitsShape, marketsShape } from './shapes.ts';

/** What is told beside a book of what people have decided. */
type GovernanceReads = Pick<GovernanceAccess, 'state' | 'time'>;

const HTML_TYPE = 'text/html; charset=utf-8';

/**
 * The reads of the book in force as bytes, by path. The hot ones, limits and brackets, are made when a book is published, and once
 * more when its validity runs out, so that a read only picks. Those that people look at are made when one is first asked for.
 */
export class PreparedReads {
  readonly #clock: Clock;
  readonly #governance: GovernanceReads;
  #book: LimitBook | null = null;
  #byPath: ReadonlyMap<string, () => PreparedRead> = new Map();
  #isExpired = false;

  constructor(clock: Clock, governance: GovernanceReads) {
    this.#clock = clock;
    this.#governance = governance;
  }

  publish(book: LimitBook): void {
    const isExpired = this.#clock.now() > book.validUntil;
    // First made, then shown: a book that cannot be written out leaves the one before, with its own validity.
    this.#byPath = prepare(book, isExpired, this.#governance);
    this.#book = book;
    this.#isExpired = isExpired;
  }

  /** Makes the reads of the same book again: what is told beside it has changed. */
  renew(): void {
    if (this.#book !== null) this.publish(this.#book);
  }

  /** The answer for a path without a query, or undefined. */
  get(path: string): PreparedRead | undefined {
    if (!this.#isExpired && this.#book !== null && this.#clock.now() > this.#book.validUntil)
      this.publish(this.#book);
    return this.#byPath.get(path)?.();
  }
}

function prepare(
  book: LimitBook,
  isExpired: boolean,
  governance: GovernanceReads,
): ReadonlyMap<string, () => PreparedRead> {
  const state = governance.state();
  const at = governance.time();
  const reads = new Map<string, () => PreparedRead>();
  const made = (text: string, contentType: string, isCompressed: boolean): PreparedRead =>
    makeRead(text, { contentType, cacheControl: 'no-cache', isExpired, isCompressed });
  const list = (json: unknown): PreparedRead => made(JSON.stringify(json), JSON_TYPE, true);
  const single = (json: unknown): PreparedRead => made(JSON.stringify(json), JSON_TYPE, false);
  const limits = list(limitsShape(book, isExpired));
  reads.set('/v1/limits', () => limits);
  reads.set(
    '/v1/markets',
    once(() => list(marketsShape(book, isExpired))),
  );
  reads.set(
    '/',
    once(() => made(overviewPage(book, isExpired), HTML_TYPE, true)),
  );
  for (const market of book.markets) {
    const base = `/v1/markets/${market.symbol}`;
    const brackets = single(bracketsShape(book, market, market.brackets, isExpired));
    reads.set(`${base}/brackets`, () => brackets);
    const explained = (): PreparedRead =>
      single(explainShape(book, market, isExpired, governanceShape(state, market.symbol, at)));
    reads.set(`${base}/explain`, once(explained));
    reads.set(
      `${base}/forecast`,
      once(() => single(forecastShape(book, market))),
    );
  }
  return reads;
}

function once<T>(make: () => T): () => T {
  let made: T | undefined;
  return () => {
    made ??= make();
    return made;
  };
}
