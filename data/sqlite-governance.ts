import type { DatabaseSync, StatementSync } from 'node:sqlite';
import {
  type AuditEntry,
  type Change,
  endOf,
  type FeedDraft,
  type GovernanceStep,
  type GovernanceStore,
  type RecalledStep,
} from '../src/control/ports.ts';
import type { ChainAccess } from './chain-access.ts';
import { auditedChange, KEPT_IDEMPOTENCY_KEYS, recalledStep, requireRevision } from './governance-rows.ts';
import { inTransaction } from './sqlite-file.ts';
import type { Row } from './state-rows.ts';

/** What the store lends, with its audit chain to be read too. */
interface ReadableChain extends ChainAccess {
  /** After its hash was checked. */
  auditEntry(sequence: number): AuditEntry;
  /** In the transaction that runs. */
  insertEvents(events: readonly FeedDraft[]): void;
}

/**
 * The tables of governance. They only find the audit entry that holds a change, so a record that was altered breaks
 * the audit chain, and columns that say something else than their entry are refused.
 */
export class SqliteGovernanceStore implements GovernanceStore {
  readonly #database: DatabaseSync;
  readonly #chain: ReadableChain;
  readonly #statements: ReturnType<typeof prepare>;

  constructor(database: DatabaseSync, chain: ReadableChain) {
    this.#database = database;
    this.#chain = chain;
    this.#statements = prepare(database);
  }

  async record(step: GovernanceStep): Promise<number> {
    return this.#chain.attempt(() => inTransaction(this.#database, () => this.#record(step)));
  }

  #record({ changes, audit, revision, idempotency, events = [] }: GovernanceStep): number {
    this.requireRevision(revision);
    const next = revision + 1;
    const { at, actor, sequence } = this.#chain.insertAudit(audit);
    const { put, putKey, forgetKeys } = this.#statements;
    for (const change of changes)
      put.run(change.number, change.id, change.requested.at, endOf(change), next, at, sequence);
    if (idempotency !== null) {
      putKey.run(actor, idempotency.key, idempotency.requestHash, next, sequence);
      forgetKeys.run(KEPT_IDEMPOTENCY_KEYS);
    }
    if (events.length > 0) this.#chain.insertEvents(events);
    return next;
  }

  /** Needs the write lock. @throws PlimsollError CONFLICT where somebody else has made a step since. */
  requireRevision(known: number): void {
    requireRevision(this.#newestRevision(), known);
  }

  async revision(): Promise<number> {
    return this.#chain.attempt(() => this.#newestRevision());
  }

  #newestRevision(): number {
    return (this.#statements.revision.get()?.revision as number | null | undefined) ?? 0;
  }

  async newestChange(): Promise<{ readonly number: number; readonly at: number }> {
    const row = this.#chain.attempt(() => this.#statements.newest.get()) ?? {};
    return { number: (row.number as number | null) ?? 0, at: (row.at as number | null) ?? 0 };
  }

  async changes(before: number, limit: number): Promise<readonly Change[]> {
    return this.#found(() => this.#statements.before.all(before, limit));
  }

  async changesAt(time: number): Promise<readonly Change[]> {
    return this.#found(() => this.#statements.at.all(time, time));
  }

  async change(id: string): Promise<Change | null> {
    return this.#found(() => this.#statements.byId.all(id))[0] ?? null;
  }

  async recalled(actor: string, idempotencyKey: string): Promise<RecalledStep | null> {
    return this.#chain.attempt(() => {
      const row = this.#statements.key.get(actor, idempotencyKey);
      if (row === undefined) return null;
      return recalledStep(row, this.#chain.auditEntry(row.audit_sequence as number));
    });
  }

  #found(rows: () => readonly Row[]): readonly Change[] {
    return this.#chain.attempt(() => rows().map((row) => this.#change(row)));
  }

  #change(row: Row): Change {
    return auditedChange(row, this.#chain.auditEntry(row.audit_sequence as number));
  }
}

function prepare(database: DatabaseSync) {
  const make = (sql: string): StatementSync => database.prepare(sql);
  const columns = 'number, id, requested_at, ends_at, audit_sequence FROM governance_change';
  return {
    put: make(
      `INSERT OR REPLACE INTO governance_change
         (number, id, requested_at, ends_at, revision, stepped_at, audit_sequence)
       VALUES (?, ?, ?, ?, ?, ?, ?)`,
    ),
    revision: make('SELECT max(revision) AS revision FROM governance_change'),
    newest: make('SELECT max(number) AS number, max(stepped_at) AS at FROM governance_change'),
    before: make(`SELECT ${columns} WHERE number < ? ORDER BY number DESC LIMIT ?`),
    at: make(`SELECT ${columns} WHERE ends_at > ? AND requested_at <= ? ORDER BY number`),
    byId: make(`SELECT ${columns} WHERE id = ?`),
    key: make(
      'SELECT request_hash, revision, audit_sequence FROM idempotency_key WHERE actor = ? AND key = ?',
    ),
    putKey: make(
      `INSERT INTO idempotency_key (actor, key, request_hash, revision, audit_sequence) VALUES (?, ?, ?, ?, ?)`,
    ),
    forgetKeys: make(
      `DELETE FROM idempotency_key WHERE audit_sequence <
         (SELECT audit_sequence FROM idempotency_key ORDER BY audit_sequence DESC LIMIT 1 OFFSET ?)`,
    ),
  };
}
