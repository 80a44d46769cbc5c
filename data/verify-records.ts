import type { AuditEntry, ChainVerification, Change } from '../src/control/ports.ts';
import { canonicalJson } from '../src/limits/chain.ts';
import { type ChainReader, PAGE_ROWS, type RecordTables } from './chain-reader.ts';
import { isRowOf, userPolicy } from './state-rows.ts';

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

  firstBad(reader: Pick<ChainReader, 'inSnapshot'>): Promise<Fault> {
    return reader.inSnapshot((tables) => this.#firstBad(tables));
  }

  async #firstBad(tables: RecordTables): Promise<Fault> {
    // What was appended since the walk: the tables have it already.
    for (;;) {
      const newer = await tables.auditPage(this.#seen);
      for (const { body } of newer) this.see(JSON.parse(body as string) as AuditEntry);
      if (newer.length < PAGE_ROWS) break;
    }
    return (await this.#firstBadUser(tables)) ?? this.#firstBadChange(tables);
  }

  async #firstBadUser(tables: RecordTables): Promise<Fault> {
    let found = 0;
    for (let after = ''; ; ) {
      const rows = await tables.userPage(after);
      const details = await detailsBySequence(
        tables,
        rows.flatMap(({ user_id }) => this.#users.get(user_id as string) ?? []),
      );
      for (const row of rows) {
        after = row.user_id as string;
        const record = `user ${after}`;
        const sequence = this.#users.get(after);
        if (sequence === undefined) return { record, reason: 'nothing was audited' };
        found += 1;
        const audited = { ...LATER_SETTINGS, ...details.get(sequence) };
        if (canonicalJson(userPolicy(row)) !== canonicalJson(audited))
          return { record, reason: `it is not as audit entry ${sequence} says` };
      }
      if (rows.length < PAGE_ROWS) break;
    }
    if (found === this.#users.size) return null;
    for (const userId of this.#users.keys())
      if (!(await tables.hasUser(userId))) return { record: `user ${userId}`, reason: 'it is missing' };
    return null;
  }

  async #firstBadChange(tables: RecordTables): Promise<Fault> {
    const rows = new Map((await tables.changes()).map((row) => [row.number as number, row]));
    const details = await detailsBySequence(tables, [...new Set(this.#changes.values())]);
    for (const [number, sequence] of [...this.#changes].sort(([a], [b]) => a - b)) {
      const change = changesIn(details.get(sequence) ?? {}).find((one) => one.number === number);
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

async function detailsBySequence(
  tables: RecordTables,
  sequences: readonly number[],
): Promise<ReadonlyMap<number, AuditEntry['details']>> {
  const bodies = await tables.auditBodies(sequences);
  return new Map([...bodies].map(([sequence, body]) => [sequence, (JSON.parse(body) as AuditEntry).details]));
}

function changesIn(details: AuditEntry['details']): readonly Change[] {
  return (details.changes ?? []) as readonly Change[];
}
