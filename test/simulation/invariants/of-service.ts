import type { ControlStatus } from '../../../src/control/reads.ts';
import type { LimitBook } from '../../../src/limits/types.ts';
import { HOUR_MILLISECONDS } from '../../../src/units.ts';
import type { Invariant } from './invariant.ts';
import { unless } from './of-books.ts';

/** Something that was acknowledged, beside what the service has of it now; both as JSON. */
export interface Kept {
  readonly what: string;
  readonly acknowledged: string;
  readonly found: string;
}

/** The service as an outsider sees it at one moment. */
export interface ServiceView {
  /** What its clock says. */
  readonly now: number;
  readonly book: LimitBook | null;
  readonly status: ControlStatus;
  /** What the last whole decision read of the acts of people, and what it would have to read now; null before the first. */
  readonly governed: { readonly read: string; readonly now: string } | null;
  /** Whether the last look had nothing in its way: data, model and disk were well. */
  readonly wasHealthy: boolean;
  readonly hasFailed: boolean;
  /** Listed markets with data that can be believed, and where those end. */
  readonly newestCloses: ReadonlyMap<string, number | null>;
  readonly kept: readonly Kept[];
  readonly audit: { readonly length: number; readonly lengthBefore: number; readonly isSame: boolean };
  /** What readers and people have met since the moment before. */
  readonly metByReaders: readonly string[];
  readonly metByPeople: readonly string[];
  /** Where a stored decision was decided again: what differed; null where none was. */
  readonly replayed: { readonly version: number; readonly difference: string | null } | null;
  /** What a verification of the whole store found; null where there was none. */
  readonly verified: readonly string[] | null;
}

/** The longest that a book may stay without another one while all is well; a look takes seconds. */
const RENEWAL_MILLISECONDS = HOUR_MILLISECONDS + 10_000;

export const SERVICE_INVARIANTS: readonly Invariant<ServiceView>[] = [
  {
    name: 'nothing-acknowledged-is-lost',
    sentence:
      'Books that were shown, steps of people and user policies that were acknowledged are there after every crash, as they were.',
    faults: ({ kept }) =>
      kept
        .filter(({ acknowledged, found }) => acknowledged !== found)
        .map(
          ({ what, acknowledged, found }) =>
            `${what} was ${acknowledged.slice(0, 300)} and is ${found.slice(0, 300)}`,
        ),
  },
  {
    name: 'the-audit-only-grows',
    sentence: 'The audit chain never gets shorter, and no entry that was seen changes.',
    faults: ({ audit: { length, lengthBefore, isSame } }) => [
      ...unless(length >= lengthBefore, `it had ${lengthBefore} entries and has ${length}`),
      ...unless(isSame, 'an entry is another one'),
    ],
  },
  {
    name: 'readers-get-everything-once',
    sentence:
      'Whoever reads the feed by sequence gets every event once, in order, and as everybody else does.',
    faults: ({ metByReaders }) => metByReaders,
  },
  {
    name: 'steps-are-done-once',
    sentence:
      'A step raises the revision by one, a refusal by none, a request that is repeated with its key is not done again, and nobody is told of an inner error.',
    faults: ({ metByPeople }) => metByPeople,
  },
  {
    name: 'status-is-honest',
    sentence:
      'The status says when limits are past their validity, degraded, missing, or when the last decision failed.',
    faults: ({ now, book, status: { ready, degraded, reasons }, hasFailed }) => {
      const isExpired = book !== null && now > book.validUntil;
      return [
        ...unless(ready === (book !== null), `ready is ${ready}`),
        ...unless(reasons.includes('LIMITS_EXPIRED') === isExpired, 'it is not honest about the validity'),
        ...unless(
          !hasFailed || reasons.includes('DECISION_FAILED'),
          'it hides that the last decision failed',
        ),
        ...unless(degraded || (!isExpired && book?.degraded === false), 'it is degraded and does not say so'),
      ];
    },
  },
  {
    name: 'decisions-go-on',
    sentence:
      'While data, model and disk are well, the book in force is young and rests on the newest bar of each market.',
    faults: ({ wasHealthy, now, book, newestCloses }) => {
      if (!wasHealthy) return [];
      if (book === null)
        return unless(
          [...newestCloses.values()].every((close) => close === null),
          'there is no book',
        );
      const old = book.markets.filter(({ symbol, asOf }) => asOf < (newestCloses.get(symbol) ?? 0));
      const missing = [...newestCloses].filter(
        ([symbol, close]) => close !== null && !book.markets.some((market) => market.symbol === symbol),
      );
      return [
        ...unless(
          now - book.decidedAt <= RENEWAL_MILLISECONDS,
          `the book is ${(now - book.decidedAt) / 60_000} minutes old`,
        ),
        ...old.map(({ symbol }) => `${symbol} has a newer bar than was decided on`),
        ...missing.map(([symbol]) => `${symbol} has data and no limit`),
      ];
    },
  },
  {
    name: 'what-people-did-is-in-force',
    sentence:
      'While all is well, the book in force was decided under exactly what people have set by now: nothing outlives its end, and nothing waits.',
    faults: ({ wasHealthy, governed }) =>
      wasHealthy && governed !== null
        ? unless(
            governed.read === governed.now,
            `it was decided under [${governed.read}], and [${governed.now}] is in force`,
          )
        : [],
  },
  {
    name: 'replay-is-equal',
    sentence: 'A stored decision, decided again from its stored inputs, is the same to the bit.',
    faults: ({ replayed }) =>
      unless(
        replayed === null || replayed.difference === null,
        `book ${replayed?.version} differs in ${replayed?.difference}`,
      ),
  },
  {
    name: 'the-store-verifies',
    sentence: 'Books, audit, stored inputs, checkpoints and records hold when all of them are recomputed.',
    faults: ({ verified }) => verified ?? [],
  },
];
