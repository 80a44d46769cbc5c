import type { DatabaseSync } from 'node:sqlite';
import type { AuditEntry, ChainVerification, Change } from '../src/control/ports.ts';
import { canonicalJson } from '../src/limits/chain.ts';
import { inSnapshot } from './sqlite-file.ts';
import { isRowOf, userPolicy } from './sqlite-rows.ts';

/** What users' policies did not have from the first: entries of before do not say that there is none. */
const LATER_SETTINGS = {
  notionalCoefMicros: null,
  experienceClass: null,
  overrideMaxLeverage: null,
  overrideExpiresAt: null,
  overrideReason: null,
};

type Fault = ChainVerification['firstBadRecord'];

/**
 * What the audit chain says of users' policies and of the changes of people, compared with their tables. It is fed the
 * entries of a chain that holds, oldest first.
 */
export class AuditedRecords {
  /** The entry that was the last to set a user's policy, or to step a change. */
  readonly #users = new Map<string, number>();
  readonly #changes = new Map<number, number>();

  #seen = 0;

  see({ sequence, kind, subject, details }: AuditEntry): void {
    this.#seen = sequence;
    if (kind === 'user-policy') this.#users.set(subject, sequence);
    for (const { number } of changesIn(details)) this.#changes.set(number, sequence);
  }

  firstBad(database: DatabaseSync): Fault {
    return inSnapshot(database, () => this.#firstBad(database));
  }

  #firstBad(database: DatabaseSync): Fault {
    // What was appended since the walk: the tables have it already.
    const newer = database.prepare('SELECT body FROM audit WHERE sequence > ? ORDER BY sequence');
    for (const { body } of newer.all(this.#seen)) this.see(JSON.parse(body as string) as AuditEntry);
    const entry = database.prepare('SELECT body FROM audit WHERE sequence = ?');
    const detailsOf = (sequence: number): AuditEntry['details'] =>
      (JSON.parse(entry.get(sequence)?.body as string) as AuditEntry).details;
    return this.#firstBadUser(database, detailsOf) ?? this.#firstBadChange(database, detailsOf);
  }

  #firstBadUser(database: DatabaseSync, detailsOf: (sequence: number) => AuditEntry['details']): Fault {
    let found = 0;
    for (const row of database.prepare('SELECT * FROM user_policy ORDER BY user_id').iterate()) {
      const record = `user ${row.user_id}`;
      const sequence = this.#users.get(row.user_id as string);
      if (sequence === undefined) return { record, reason: 'nothing was audited' };
      found += 1;
      const audited = { ...LATER_SETTINGS, ...detailsOf(sequence) };
      if (canonicalJson(userPolicy(row)) !== canonicalJson(audited))
        return { record, reason: `it is not as audit entry ${sequence} says` };
    }
    if (found === this.#users.size) return null;
    const has = database.prepare('SELECT 1 FROM user_policy WHERE user_id = ?');
    const missing = [...this.#users.keys()].find((userId) => has.get(userId) === undefined);
    return { record: `user ${missing}`, reason: 'it is missing' };
  }

  #firstBadChange(database: DatabaseSync, detailsOf: (sequence: number) => AuditEntry['details']): Fault {
    const rows = new Map(
      database
        .prepare('SELECT * FROM governance_change ORDER BY number')
        .all()
        .map((row) => [row.number as number, row]),
    );
    for (const [number, sequence] of [...this.#changes].sort(([a], [b]) => a - b)) {
      const change = changesIn(detailsOf(sequence)).find((one) => one.number === number);
      const row = rows.get(number);
      if (change === undefined || row === undefined)
        return { record: `change ${number}`, reason: 'it is missing' };
      if (row.audit_sequence !== sequence || !isRowOf(row, change))
        return { record: change.id, reason: `it is not as audit entry ${sequence} says` };
      rows.delete(number);
    }
    const [unknown] = rows.values();
    return unknown === undefined ? null : { record: String(unknown.id), reason: 'nothing was audited' };
  }
}

function changesIn(details: AuditEntry['details']): readonly Change[] {
  return (details.changes ?? []) as readonly Change[];
}
