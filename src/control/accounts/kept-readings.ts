import type { AccountVersions } from '../../accounts/book/account-versions.ts';
import type { AccountReading } from './account-desk.ts';

/** A user's accounts as they stood when their words had this sum. */
export interface VersionedReadings {
  readonly readings: readonly AccountReading[];
  readonly version: number;
}

interface Kept extends VersionedReadings {
  readonly words: readonly number[];
}

/** What holds more is asked for each time: to reckon with it takes longer than to ask. */
const MOST_OF_USER = 64;
/** Users, accounts and positions together: with what is made of it each takes one to four kilobytes. */
const MOST_KEPT = 32_768;

/**
 * What whoever keeps the accounts told of users, for as long as nothing of it has changed: see `AccountVersions`. What this thread has
 * sent and has no answer to may not be counted yet, so nothing that was kept is given out meanwhile: a question then is asked behind it,
 * in the order in which both came.
 */
export class KeptReadings {
  readonly #versions: AccountVersions;
  readonly #byUser = new Map<string, Kept>();
  #kept = 0;
  #unanswered = 0;

  constructor(versions: AccountVersions) {
    this.#versions = versions;
  }

  /** A user's accounts, the same list each time until something of them changes; null where they have to be asked for. */
  find(userId: string): readonly AccountReading[] | null {
    if (this.#unanswered > 0) return null;
    const known = this.#byUser.get(userId);
    if (known === undefined) return null;
    if (this.#versions.sumOf(known.words) === known.version) return known.readings;
    this.#forget(userId, known);
    return null;
  }

  /** Keeps what was told; what was kept first goes first. */
  keep(userId: string, { readings, version }: VersionedReadings): void {
    const before = this.#byUser.get(userId);
    if (before !== undefined) this.#forget(userId, before);
    const weight = weightOf(readings);
    if (weight > MOST_OF_USER) return;
    this.#byUser.set(userId, { readings, version, words: wordsOf(this.#versions, userId, readings) });
    this.#kept += weight;
    for (const [oldest, kept] of this.#byUser) {
      if (this.#kept <= MOST_KEPT) break;
      this.#forget(oldest, kept);
    }
  }

  /** Gives nothing out until an answer is there. */
  async until<T>(answer: Promise<T>): Promise<T> {
    this.#unanswered++;
    try {
      return await answer;
    } finally {
      this.#unanswered--;
    }
  }

  #forget(userId: string, { readings }: Kept): void {
    this.#byUser.delete(userId);
    this.#kept -= weightOf(readings);
  }
}

/** The words that what was read of a user's accounts rests on. */
export function wordsOf(
  versions: AccountVersions,
  userId: string,
  readings: readonly AccountReading[],
): readonly number[] {
  return versions.wordsOf(
    userId,
    readings.flatMap(({ account }) => account.positions.map(({ symbol }) => symbol)),
  );
}

function weightOf(readings: readonly AccountReading[]): number {
  return readings.reduce((sum, { account }) => sum + 1 + account.positions.length, 1);
}
