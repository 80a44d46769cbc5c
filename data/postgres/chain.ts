import type { AuditDraft, AuditEntry } from '../../src/control/ports.ts';
import { auditLink, type ChainHead, headOf } from '../chain-rows.ts';
import { CHANNEL, type Session } from './database.ts';

/** Needs the write lock: the entry links to the newest one. */
export async function insertAudit(session: Session, draft: AuditDraft): Promise<AuditEntry> {
  const { entry, body } = auditLink(draft, await auditHead(session));
  await session.rows('INSERT INTO audit (sequence, previous_hash, hash, body) VALUES ($1, $2, $3, $4)', [
    entry.sequence,
    entry.previousHash,
    entry.hash,
    body,
  ]);
  return entry;
}

export async function auditHead(session: Session): Promise<ChainHead> {
  return headOf(
    await session.row('SELECT sequence AS position, hash FROM audit ORDER BY sequence DESC LIMIT 1'),
  );
}

export async function bookHead(session: Session): Promise<ChainHead> {
  return headOf(
    await session.row('SELECT version AS position, hash FROM book ORDER BY version DESC LIMIT 1'),
  );
}

/** Wakes those who follow, once the transaction is committed. It only saves them time: they look by themselves too. */
export async function wakeFollowers(session: Session): Promise<void> {
  await session.rows(`SELECT pg_notify('${CHANNEL}', '')`);
}
