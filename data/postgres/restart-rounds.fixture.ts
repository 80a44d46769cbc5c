import { setTimeout as wait } from 'node:timers/promises';
import { stopwatchSeconds } from '../../src/clock.ts';
import { asPlimsollError } from '../../src/errors.ts';
import type { LimitBook } from '../../src/limits/types.ts';
import type { Random } from '../../src/random.ts';
import { decisionDraft, nextBook } from '../test-books.ts';
import { PostgresStateStore } from './postgres-state-store.ts';
import { type OwnServer, TestDatabase } from './test-server.ts';

export interface RestartReport {
  readonly reads: number;
  /** From the halt of the server until it takes connections again, seconds. */
  readonly longestAbsenceSeconds: number;
  /** What reads failed with, each once. */
  readonly failedReads: readonly string[];
  readonly acknowledged: number;
  /** Writes whose answer was lost: told as such, and done or not. */
  readonly unknown: number;
  /** What writes failed with otherwise. */
  readonly failedWrites: readonly string[];
  /** Books that were acknowledged and are not stored as they were. */
  readonly lost: readonly number[];
  readonly booksStored: number;
  readonly chainHolds: boolean;
}

/** Restarts a server at random moments while one store publishes and another reads without a pause. */
export async function restartRounds(
  server: OwnServer,
  rounds: number,
  random: Random,
): Promise<RestartReport> {
  const { url } = await TestDatabase.create({ url: (name) => server.url(name) });
  const open = () => PostgresStateStore.open({ url, name: 'restarts', term: () => 0, sessions: 4 });
  const [writer, reader] = [await open(), await open()];
  const acknowledged = new Map<number, string>();
  const [failedReads, failedWrites]: string[][] = [[], []];
  let [reads, unknown, longestAbsenceSeconds] = [0, 0, 0];
  let isOver = false;
  const reading = (async () => {
    for (let newest = 0; !isOver; reads++) {
      try {
        const version = (await reader.latestBook())?.version ?? 0;
        if (version < newest) failedReads.push(`version ${version} after ${newest}`);
        newest = version;
      } catch (thrown) {
        failedReads.push(asPlimsollError(thrown).message);
      }
    }
  })();
  const writing = (async () => {
    while (!isOver) {
      try {
        const previous: LimitBook | null = await writer.latestBook();
        const book = nextBook(previous, { AURUSDT: 2 + ((previous?.version ?? 0) % 7) });
        await writer.publish(book, decisionDraft(book));
        acknowledged.set(book.version, book.hash);
      } catch (thrown) {
        const { message } = asPlimsollError(thrown);
        if (/before it said whether/.test(message)) unknown++;
        else failedWrites.push(message);
      }
    }
  })();
  for (let round = 0; round < rounds; round++) {
    await wait(200 + random.uniform() * 800);
    const since = stopwatchSeconds();
    await server.halt();
    await wait(random.uniform() * 500);
    await server.resume();
    longestAbsenceSeconds = Math.max(longestAbsenceSeconds, stopwatchSeconds() - since);
  }
  await wait(1_000);
  isOver = true;
  await Promise.all([reading, writing]);
  const lost: number[] = [];
  for (const [version, hash] of acknowledged)
    if ((await reader.bookHash(version)) !== hash) lost.push(version);
  const { books, firstBadBook, firstBadAuditEntry } = await reader.verify();
  await Promise.all([writer.close(), reader.close()]);
  return {
    ...{ longestAbsenceSeconds, reads, acknowledged: acknowledged.size, unknown, lost },
    failedReads: [...new Set(failedReads)],
    failedWrites: [...new Set(failedWrites)],
    booksStored: books,
    chainHolds: firstBadBook === null && firstBadAuditEntry === null,
  };
}
