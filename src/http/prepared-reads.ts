import type { Clock } from '../clock.ts';
import type { ControlReads, GovernanceAccess } from '../control/reads.ts';
import type { LimitBook } from '../limits/types.ts';
import { bookTexts } from './book-texts.ts';
import { venueReads } from './exchange/prepared-venues.ts';
import { venueOf } from './exchange/venues.ts';
import { governanceShape } from './governance-shapes.ts';
import { JSON_TYPE, makeRead, type PreparedRead } from './send.ts';
import { explainShape, forecastShape, marketsShape } from './shapes.ts';
import { overviewShape } from './track-shapes.ts';

/** What is told beside a book. */
type BesideBook = {
  readonly governance: Pick<GovernanceAccess, 'state' | 'time'>;
  readonly marketTrack: Pick<ControlReads['marketTrack'], 'isFilled' | 'window'>;
  policy(): Pick<ReturnType<ControlReads['policy']>, 'contracts'>;
};
type MakeRead = () => PreparedRead | undefined;

/**
 * The reads of the book in force as bytes, by path. The hot ones, limits and brackets, are made when a book is published, and once
 * more when its validity runs out, so that a read only picks. Those that people look at are made when one is first asked for, and
 * so are those in the forms of exchanges.
 */
export class PreparedReads {
  readonly #clock: Clock;
  readonly #beside: BesideBook;
  #book: LimitBook | null = null;
  #byPath: ReadonlyMap<string, MakeRead> = new Map();
  #byVenuePath: () => ReadonlyMap<string, () => PreparedRead> = () => new Map();
  #isExpired = false;

  constructor(clock: Clock, beside: BesideBook) {
    this.#clock = clock;
    this.#beside = beside;
  }

  publish(book: LimitBook): void {
    const isExpired = this.#clock.now() > book.validUntil;
    // First made, then shown: a book that cannot be written out leaves the one before, with its own validity.
    this.#byPath = prepare(book, isExpired, this.#beside);
    this.#byVenuePath = once(
      () =>
        new Map(
          venueReads(book, isExpired, this.#beside.policy().contracts).map(([path, make]) => [
            path,
            once(make),
          ]),
        ),
    );
    this.#book = book;
    this.#isExpired = isExpired;
  }

  /** Makes the reads of the same book again: what is told beside it has changed. */
  renew(): void {
    if (this.#book !== null) this.publish(this.#book);
  }

  /** The answer for an address, without a query but in the forms of exchanges, or undefined. */
  get(path: string): PreparedRead | undefined {
    if (!this.#isExpired && this.#book !== null && this.#clock.now() > this.#book.validUntil)
      this.publish(this.#book);
    const make = this.#byPath.get(path) ?? (venueOf(path) && this.#byVenuePath().get(path));
    return make?.();
  }
}

function prepare(
  book: LimitBook,
  isExpired: boolean,
  { governance, marketTrack }: BesideBook,
): ReadonlyMap<string, MakeRead> {
  const state = governance.state();
  const at = governance.time();
  const reads = new Map<string, MakeRead>();
  const options = { contentType: JSON_TYPE, cacheControl: 'no-cache', isExpired };
  const list = (text: string): PreparedRead => makeRead(text, { ...options, isCompressed: true });
  const single = (text: string): PreparedRead => makeRead(text, { ...options, isCompressed: false });
  const texts = bookTexts(book, isExpired);
  const limits = list(texts.limits);
  reads.set('/v1/limits', () => limits);
  reads.set(
    '/v1/markets',
    once(() => list(JSON.stringify(marketsShape(book, isExpired)))),
  );
  // The last week of all markets is read from the store by the first who asks, through the table of routes.
  const overview = (): PreparedRead =>
    list(JSON.stringify(overviewShape(book, isExpired, marketTrack.window(book.asOf), state, at)));
  reads.set(
    '/v1/overview',
    once(() => (marketTrack.isFilled ? overview() : undefined)),
  );
  for (const [m, market] of book.markets.entries()) {
    const base = `/v1/markets/${market.symbol}`;
    const brackets = single(texts.brackets[m]);
    reads.set(`${base}/brackets`, () => brackets);
    const explained = (): PreparedRead =>
      single(
        JSON.stringify(explainShape(book, market, isExpired, governanceShape(state, market.symbol, at))),
      );
    reads.set(`${base}/explain`, once(explained));
    reads.set(
      `${base}/forecast`,
      once(() => single(JSON.stringify(forecastShape(book, market)))),
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
