import type { AuditDraft, AuditEntry } from '../src/control/ports.ts';
import { PlimsollError } from '../src/errors.ts';
import { canonicalBookBytes } from '../src/limits/canonical-bytes.ts';
import { canonicalJson, chainHashOfText, GENESIS_HASH } from '../src/limits/chain.ts';
import type { LimitBook } from '../src/limits/types.ts';
import type { Row } from './state-rows.ts';

/** Where a chain ends: number and hash of its newest link; 0 and the genesis hash before the first. */
export interface ChainHead {
  readonly position: number;
  readonly hash: string;
}

/** @param row has the columns position and hash; absent where the chain is empty. */
export function headOf(row: Row | undefined): ChainHead {
  return row === undefined
    ? { position: 0, hash: GENESIS_HASH }
    : { position: row.position as number, hash: row.hash as string };
}

/**
 * The bytes of a book that were hashed.
 *
 * @throws PlimsollError CHAIN_BROKEN where its hash is not that of its content.
 */
export function sealedBody({ hash, ...content }: LimitBook): string {
  const body = canonicalBookBytes(content);
  if (chainHashOfText(content.previousHash, body) === hash) return new TextDecoder().decode(body);
  throw new PlimsollError(
    'CHAIN_BROKEN',
    `the hash of book ${content.version} is not the hash of its content`,
    { remedy: 'Seal the book after its last change.' },
  );
}

/** @throws PlimsollError CONFLICT unless the book follows the newest stored one. */
export function requireSuccessor(book: LimitBook, { position: version, hash }: ChainHead): void {
  if (book.version === version + 1 && book.previousHash === hash) return;
  throw new PlimsollError(
    'CONFLICT',
    `book ${book.version} after ${book.previousHash.slice(0, 12)} does not follow book ${version} with hash ${hash.slice(0, 12)}`,
    {
      remedy: 'Read the newest book and decide again from it.',
      details: { version: book.version, stored: version },
    },
  );
}

/** The entry that a draft becomes after the newest one, and the bytes of it that are hashed. */
export function auditLink(
  draft: AuditDraft,
  head: ChainHead,
): { readonly entry: AuditEntry; readonly body: string } {
  // Field by field: whatever else a caller's object carries must not reach the chain.
  const { at, kind, actor, subject, reason, details } = draft;
  const previousHash = head.hash;
  const content = { at, kind, actor, subject, reason, details, sequence: head.position + 1, previousHash };
  const body = canonicalJson(content);
  return { entry: { ...content, hash: chainHashOfText(previousHash, body) }, body };
}

/**
 * Rows of both chains as what they hold, handed out only if their hash still holds.
 *
 * @param where names the store in messages.
 * @throws PlimsollError CHAIN_BROKEN.
 */
export function bookOf(row: Row | undefined, where: string): LimitBook | null {
  if (row === undefined) return null;
  const content = checkedContent(row, where, `book ${row.version}`);
  return { ...(content as Omit<LimitBook, 'hash'>), hash: row.hash as string };
}

export function auditEntryOf(row: Row, where: string): AuditEntry {
  const content = checkedContent(row, where, `audit entry ${row.sequence}`);
  return { ...(content as Omit<AuditEntry, 'hash'>), hash: row.hash as string };
}

function checkedContent(row: Row, where: string, what: string): unknown {
  if (chainHashOfText(row.previous_hash as string, row.body as string) !== row.hash) {
    throw new PlimsollError('CHAIN_BROKEN', `${where}: the content of ${what} is not what was stored`, {
      remedy: 'Run plimsoll audit verify to see what else was changed; restore the last good backup.',
    });
  }
  return JSON.parse(row.body as string);
}
