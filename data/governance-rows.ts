import type { AuditEntry, Change, RecalledStep } from '../src/control/ports.ts';
import { PlimsollError } from '../src/errors.ts';
import { isRowOf, type Row } from './state-rows.ts';

/** Requests that are repeated are repeated soon: the newest keys are enough. */
export const KEPT_IDEMPOTENCY_KEYS = 10_000;

/** @throws PlimsollError CONFLICT where somebody else has made a step since. */
export function requireRevision(newest: number, known: number): void {
  if (newest === known) return;
  throw new PlimsollError('CONFLICT', `somebody else made step ${newest} in between`, {
    remedy: 'Read what is in force now, and decide again.',
  });
}

/**
 * The change that a row finds in its audit entry.
 *
 * @throws PlimsollError CHAIN_BROKEN where the row says something else than the entry.
 */
export function auditedChange(row: Row, { details }: AuditEntry): Change {
  const changes = (details.changes ?? []) as readonly Change[];
  const change = changes.find(({ number }) => number === row.number);
  if (change !== undefined && isRowOf(row, change)) return change;
  throw new PlimsollError('CHAIN_BROKEN', `the record of change ${row.number} is not what was audited`, {
    remedy: 'Run plimsoll audit verify to see what else was changed; restore the last good backup.',
  });
}

export function recalledStep(row: Row, { details }: AuditEntry): RecalledStep {
  return {
    requestHash: row.request_hash as string,
    changes: details.changes as Change[],
    revision: row.revision as number,
  };
}
