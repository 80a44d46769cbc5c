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
 * The hot reads as bytes, by path. They are made when a book is published, and once more when its validity runs out,
 * so that a read only picks.
 */
export class PreparedReads {
  readonly #clock: Clock;
  readonly #governance: GovernanceReads;
  #book: LimitBook | null = null;
  #byPath: ReadonlyMap<string, PreparedRead> = new Map();
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
    return this.#byPath.get(path);
  }
}

function prepare(
  book: LimitBook,
  isExpired: boolean,
  governance: GovernanceReads,
): ReadonlyMap<string, PreparedRead> {
  const state = governance.state();
  const at = governance.time();
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
    const governed = governanceShape(state, market.symbol, at);
    const explained = explainShape(book, market, isExpired, governed);
    add(`${base}/explain`, JSON_TYPE, JSON.stringify(explained), false);
    add(`${base}/forecast`, JSON_TYPE, JSON.stringify(forecastShape(book, market)), false);
  }
  return reads;
}
