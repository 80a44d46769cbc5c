import { setImmediate as nextTurn } from 'node:timers/promises';
import type { AuditEntry, ChainVerification } from '../src/control/ports.ts';
import { canonicalJson, chainHashOfText, GENESIS_HASH } from '../src/limits/chain.ts';
import type { PublicKeys } from '../src/limits/checkpoint.ts';
import type { LimitBook } from '../src/limits/types.ts';
import { type BookRow, type ChainReader, PAGE_ROWS } from './chain-reader.ts';
import { type SchedulesBySymbol, scheduleChanges, schedulesOf } from './schedule-changes.ts';
import type { Row } from './state-rows.ts';
import { InputsCheck, verifyCheckpoints } from './verify-proof.ts';
import { AuditedRecords } from './verify-records.ts';
import { trackFault } from './verify-track.ts';

/**
 * Recomputes every hash of both chains from the stored bytes and compares what was derived from a book (its columns,
 * the history of changed schedules, the tracks of its markets) or from an audit entry (users' policies, changes of people) with it. Names the first
 * entry that does not hold; what comes after a bad entry is not judged. A chain that was cut off at its end shows where
 * a checkpoint went further; where the checkpoints were cut off with it, only a copy that is kept elsewhere shows it.
 */
export async function verifyChains(reader: ChainReader, keys: PublicKeys): Promise<ChainVerification> {
  const records = new AuditedRecords();
  const audit = await verifyAudit(reader, records);
  const books = await verifyBooks(reader);
  const checkpoint = await verifyCheckpoints(reader, keys);
  return {
    ...(await reader.counts()),
    firstBadBook: books === null ? null : { version: books.position, reason: books.reason },
    firstBadAuditEntry: audit === null ? null : { sequence: audit.position, reason: audit.reason },
    firstBadCheckpoint: checkpoint,
    firstBadRecord: audit === null ? await records.firstBad(reader) : null,
  };
}

interface BadLink {
  readonly position: number;
  readonly reason: string;
}

async function verifyAudit(reader: ChainReader, records: AuditedRecords): Promise<BadLink | null> {
  return walkChain(
    (after) => reader.auditPage(after),
    async (row, content) => {
      if (content.sequence !== row.position || content.previousHash !== row.previous_hash)
        return 'its columns differ from its content';
      records.see(content as unknown as AuditEntry);
      return null;
    },
  );
}

async function verifyBooks(reader: ChainReader): Promise<BadLink | null> {
  const inputs = new InputsCheck(reader);
  let previous: SchedulesBySymbol = new Map();
  return walkChain<BookRow>(
    (after) => reader.bookPage(after),
    async (row, content) => {
      const book = content as unknown as LimitBook;
      const columnsAgree =
        book.version === row.position &&
        book.previousHash === row.previous_hash &&
        book.decidedAt === row.decided_at &&
        book.effectiveAt === row.effective_at;
      if (!columnsAgree) return 'its columns differ from its content';
      if (!row.audited) return 'its audit entry is missing';
      const schedules = schedulesOf(book);
      const expected = scheduleChanges(book, schedules, previous).map((change) => [
        change.symbol,
        change.maxLeverage,
        change.bindingBound,
        change.move,
        canonicalJson(change.reasons),
      ]);
      previous = schedules;
      if (canonicalJson(row.changes) !== canonicalJson(expected))
        return 'the history of changed schedules differs from it';
      return trackFault(book, row.track) ?? inputs.faultOf(book, row.inputs);
    },
  );
}

/**
 * Follows a chain from its first link. `pageAfter` gives the next rows in order; `checkContent` judges a row whose
 * hash holds and says what is wrong with it.
 */
async function walkChain<Link extends Row>(
  pageAfter: (position: number) => Promise<readonly Link[]>,
  checkContent: (row: Link, content: Row) => Promise<string | null>,
): Promise<BadLink | null> {
  let position = 0;
  let previousHash = GENESIS_HASH;
  for (;;) {
    const rows = await pageAfter(position);
    for (const row of rows) {
      if (row.position !== position + 1) return { position: position + 1, reason: 'it is missing' };
      position += 1;
      if (row.previous_hash !== previousHash)
        return { position, reason: 'it does not link to the one before' };
      const body = row.body as string;
      if (chainHashOfText(previousHash, body) !== row.hash) {
        return { position, reason: 'its hash is not the hash of its content' };
      }
      const reason = await judge(async () => checkContent(row, JSON.parse(body) as Row));
      if (reason !== null) return { position, reason };
      previousHash = row.hash as string;
    }
    // Else somebody who writes all the time would never let it end.
    if (rows.length < PAGE_ROWS) return null;
    await nextTurn();
  }
}

/** Someone who rewrites the hashes too can put anything into a body; what is not even of the right shape is bad. */
async function judge(check: () => Promise<string | null>): Promise<string | null> {
  try {
    return await check();
  } catch (thrown) {
    if (thrown instanceof SyntaxError || thrown instanceof TypeError)
      return 'its content has the wrong shape';
    throw thrown;
  }
}
