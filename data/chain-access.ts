import type { AuditDraft, AuditEntry } from '../src/control/ports.ts';

/** What the state store lends to those who keep tables beside it: its way of telling failures, and its audit chain. */
export interface ChainAccess {
  attempt<T>(work: () => T): T;
  /** Needs the write lock. */
  insertAudit(draft: AuditDraft): AuditEntry;
}
