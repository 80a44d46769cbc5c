import {
  type Change,
  endOf,
  type GovernanceStep,
  type GovernanceStore,
  type RecalledStep,
} from '../../src/control/ports.ts';
import { auditEntryOf } from '../chain-rows.ts';
import { auditedChange, KEPT_IDEMPOTENCY_KEYS, recalledStep, requireRevision } from '../governance-rows.ts';
import type { Row } from '../state-rows.ts';
import { insertAudit, wakeFollowers } from './chain.ts';
import type { PostgresDatabase, Session } from './database.ts';
import type { PostgresOutbox } from './postgres-outbox.ts';

/** A change's row beside the audit entry that holds it. */
const FOUND = `SELECT c.number, c.id, c.requested_at, c.ends_at, a.sequence, a.hash, a.previous_hash, a.body
  FROM governance_change c JOIN audit a ON a.sequence = c.audit_sequence`;

/** The tables of governance; see `SqliteGovernanceStore` for what they are. */
export class PostgresGovernanceStore implements GovernanceStore {
  readonly #database: PostgresDatabase;
  readonly #outbox: PostgresOutbox;

  constructor(database: PostgresDatabase, outbox: PostgresOutbox) {
    this.#database = database;
    this.#outbox = outbox;
  }

  record({ changes, audit, revision, idempotency, events = [] }: GovernanceStep): Promise<number> {
    return this.#database.write(async (session) => {
      const newest = await newestRevision(session);
      requireRevision(newest, revision);
      const next = newest + 1;
      const { at, actor, sequence } = await insertAudit(session, audit);
      for (const change of changes)
        await session.rows(
          `INSERT INTO governance_change
             (number, id, requested_at, ends_at, revision, stepped_at, audit_sequence)
           VALUES ($1, $2, $3, $4, $5, $6, $7)
           ON CONFLICT (number) DO UPDATE SET id = excluded.id, requested_at = excluded.requested_at,
             ends_at = excluded.ends_at, revision = excluded.revision, stepped_at = excluded.stepped_at,
             audit_sequence = excluded.audit_sequence`,
          [change.number, change.id, change.requested.at, endOf(change), next, at, sequence],
        );
      if (idempotency !== null) await keepKey(session, actor, idempotency, next, sequence);
      if (events.length > 0) await this.#outbox.insert(session, events);
      await wakeFollowers(session);
      return next;
    });
  }

  revision(): Promise<number> {
    return newestRevision(this.#database);
  }

  async newestChange(): Promise<{ readonly number: number; readonly at: number }> {
    const row = await this.#database.row(
      'SELECT max(number) AS number, max(stepped_at) AS at FROM governance_change',
    );
    return { number: (row?.number as number | null) ?? 0, at: (row?.at as number | null) ?? 0 };
  }

  async changes(before: number, limit: number): Promise<readonly Change[]> {
    return this.#found(`${FOUND} WHERE c.number < $1 ORDER BY c.number DESC LIMIT $2`, [before, limit]);
  }

  async changesAt(time: number): Promise<readonly Change[]> {
    return this.#found(`${FOUND} WHERE c.ends_at > $1 AND c.requested_at <= $1 ORDER BY c.number`, [time]);
  }

  async change(id: string): Promise<Change | null> {
    return (await this.#found(`${FOUND} WHERE c.id = $1`, [id]))[0] ?? null;
  }

  async recalled(actor: string, idempotencyKey: string): Promise<RecalledStep | null> {
    const row = await this.#database.row(
      `SELECT k.request_hash, k.revision, a.sequence, a.hash, a.previous_hash, a.body
       FROM idempotency_key k JOIN audit a ON a.sequence = k.audit_sequence
       WHERE k.actor = $1 AND k.key = $2`,
      [actor, idempotencyKey],
    );
    return row === undefined ? null : recalledStep(row, auditEntryOf(row, this.#database.where));
  }

  async #found(sql: string, values: readonly unknown[]): Promise<readonly Change[]> {
    const rows: readonly Row[] = await this.#database.rows(sql, values);
    return rows.map((row) => auditedChange(row, auditEntryOf(row, this.#database.where)));
  }
}

/** Counts the steps that were made. */
export async function newestRevision(session: Session): Promise<number> {
  const row = await session.row('SELECT max(revision) AS revision FROM governance_change');
  return (row?.revision as number | null | undefined) ?? 0;
}

async function keepKey(
  session: Session,
  actor: string,
  { key, requestHash }: NonNullable<GovernanceStep['idempotency']>,
  revision: number,
  sequence: number,
): Promise<void> {
  await session.rows(
    `INSERT INTO idempotency_key (actor, key, request_hash, revision, audit_sequence)
     VALUES ($1, $2, $3, $4, $5)`,
    [actor, key, requestHash, revision, sequence],
  );
  await session.rows(
    `DELETE FROM idempotency_key WHERE audit_sequence <
       (SELECT audit_sequence FROM idempotency_key ORDER BY audit_sequence DESC LIMIT 1 OFFSET $1)`,
    [KEPT_IDEMPOTENCY_KEYS],
  );
}
