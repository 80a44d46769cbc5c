import type { DatabaseSync } from 'node:sqlite';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { AuditEntry, ChainVerification } from '../src/control/ports.ts';
import { canonicalJson, chainHashOfText, GENESIS_HASH } from '../src/limits/chain.ts';
import type { PublicKeys } from '../src/limits/checkpoint.ts';
import type { LimitBook } from '../src/limits/types.ts';
import { type SchedulesBySymbol, scheduleChanges, schedulesOf } from './schedule-changes.ts';
import type { SqliteProof } from './sqlite-proof.ts';
import type { Row } from './sqlite-rows.ts';
import { InputsCheck, verifyCheckpoints } from './verify-proof.ts';
import { AuditedRecords } from './verify-records.ts';
import { TrackCheck } from './verify-track.ts';

/** Rows read at a time; between two pages other work of the process gets its turn. */
const PAGE_ROWS = 64;

/**
 * Recomputes every hash of both chains from the stored bytes and compares what was derived from a book (its columns,
 * the history of changed schedules, the tracks of its markets) or from an audit entry (users' policies, changes of people) with it. Names the first
 * entry that does not hold; what comes after a bad entry is not judged. A chain that was cut off at its end shows where
 * a checkpoint went further; where the checkpoints were cut off with it, only a copy that is kept elsewhere shows it.
 */
export async function verifyStateFile(
  database: DatabaseSync,
  proof: SqliteProof,
  keys: PublicKeys,
): Promise<ChainVerification> {
  const records = new AuditedRecords();
  const audit = await verifyAudit(database, records);
  const books = await verifyBooks(database, new InputsCheck(database, proof), new TrackCheck(database));
  const checkpoint = await verifyCheckpoints(database, keys);
  return {
    books: count(database, 'book'),
    replayable: count(database, 'decision_input'),
    auditEntries: count(database, 'audit'),
    checkpoints: count(database, 'checkpoint'),
    firstBadBook: books === null ? null : { version: books.position, reason: books.reason },
    firstBadAuditEntry: audit === null ? null : { sequence: audit.position, reason: audit.reason },
    firstBadCheckpoint: checkpoint,
    firstBadRecord: audit === null ? records.firstBad(database) : null,
  };
}

interface BadLink {
  readonly position: number;
  readonly reason: string;
}

async function verifyAudit(database: DatabaseSync, records: AuditedRecords): Promise<BadLink | null> {
  const page = database.prepare(
    `SELECT sequence AS position, hash, previous_hash, body FROM audit WHERE sequence > ? ORDER BY sequence LIMIT ${PAGE_ROWS}`,
  );
  return walkChain(
    (after) => page.all(after),
    (row, content) => {
      if (content.sequence !== row.position || content.previousHash !== row.previous_hash)
        return 'its columns differ from its content';
      records.see(content as unknown as AuditEntry);
      return null;
    },
  );
}

async function verifyBooks(
  database: DatabaseSync,
  inputs: InputsCheck,
  track: TrackCheck,
): Promise<BadLink | null> {
  const page = database.prepare(
    `SELECT version AS position, hash, previous_hash, decided_at, effective_at, audit_sequence, body
     FROM book WHERE version > ? ORDER BY version LIMIT ${PAGE_ROWS}`,
  );
  const audited = database.prepare('SELECT 1 FROM audit WHERE sequence = ?');
  const changes = database.prepare(
    `SELECT symbol, max_leverage, binding_bound, move, reasons
     FROM schedule_change WHERE version = ? ORDER BY symbol`,
  );
  let previous: SchedulesBySymbol = new Map();
  return walkChain(
    (after) => page.all(after),
    (row, content) => {
      const book = content as unknown as LimitBook;
      const columnsAgree =
        book.version === row.position &&
        book.previousHash === row.previous_hash &&
        book.decidedAt === row.decided_at &&
        book.effectiveAt === row.effective_at;
      if (!columnsAgree) return 'its columns differ from its content';
      if (audited.get(row.audit_sequence as number) === undefined) return 'its audit entry is missing';
      const schedules = schedulesOf(book);
      const expected = scheduleChanges(book, schedules, previous).map((change) => [
        change.symbol,
        change.maxLeverage,
        change.bindingBound,
        change.move,
        canonicalJson(change.reasons),
      ]);
      previous = schedules;
      const stored = changes.all(book.version).map((change) => Object.values(change));
      if (canonicalJson(stored) !== canonicalJson(expected))
        return 'the history of changed schedules differs from it';
      return track.faultOf(book) ?? inputs.faultOf(book);
    },
  );
}

/**
 * Follows a chain from its first link. `pageAfter` gives the next rows in order; `checkContent` judges a row whose
 * hash holds and says what is wrong with it.
 */
async function walkChain(
  pageAfter: (position: number) => Row[],
  checkContent: (row: Row, content: Row) => string | null,
): Promise<BadLink | null> {
  let position = 0;
  let previousHash = GENESIS_HASH;
  for (let rows = pageAfter(position); rows.length > 0; rows = pageAfter(position)) {
    for (const row of rows) {
      if (row.position !== position + 1) return { position: position + 1, reason: 'it is missing' };
      position += 1;
      if (row.previous_hash !== previousHash)
        return { position, reason: 'it does not link to the one before' };
      const body = row.body as string;
      if (chainHashOfText(previousHash, body) !== row.hash) {
        return { position, reason: 'its hash is not the hash of its content' };
      }
      const reason = judge(() => checkContent(row, JSON.parse(body) as Row));
      if (reason !== null) return { position, reason };
      previousHash = row.hash as string;
    }
    // Else somebody who writes all the time would never let it end.
    if (rows.length < PAGE_ROWS) break;
    await nextTurn();
  }
  return null;
}

/** Someone who rewrites the hashes too can put anything into a body; what is not even of the right shape is bad. */
function judge(check: () => string | null): string | null {
  try {
    return check();
  } catch (thrown) {
    if (thrown instanceof SyntaxError || thrown instanceof TypeError)
      return 'its content has the wrong shape';
    throw thrown;
  }
}

function count(database: DatabaseSync, tableName: string): number {
  return Number(database.prepare(`SELECT count(*) AS n FROM ${tableName}`).get()?.n ?? 0);
}
