import type { DatabaseSync } from 'node:sqlite';

/** What each schema version added: tables, and columns of users' policies. */
const ADDED: Readonly<
  Record<number, { readonly tables: readonly string[]; readonly userColumns: readonly string[] }>
> = {
  2: { tables: ['watch_entry'], userColumns: [] },
  3: { tables: ['governance_change', 'idempotency_key'], userColumns: [] },
  4: { tables: ['input_part', 'decision_input', 'checkpoint'], userColumns: [] },
  5: { tables: [], userColumns: ['notional_coef_micros'] },
  6: {
    tables: [],
    userColumns: ['experience_class', 'override_max_leverage', 'override_expires_at', 'override_reason'],
  },
  7: { tables: ['outbox', 'outbox_cursor'], userColumns: [] },
  8: { tables: ['outbox_buried'], userColumns: [] },
  9: { tables: ['api_key', 'answered_write'], userColumns: [] },
  10: { tables: ['market_track'], userColumns: [] },
};

/** Makes a state file what it was at an older schema version, as far as what came later is concerned. */
export function takeBackTo(database: DatabaseSync, version: number): void {
  for (const [added, { tables, userColumns }] of Object.entries(ADDED)) {
    if (Number(added) <= version) continue;
    for (const table of tables) database.exec(`DROP TABLE ${table}`);
    for (const column of userColumns) database.exec(`ALTER TABLE user_policy DROP COLUMN ${column}`);
  }
  database.exec(`PRAGMA user_version = ${version}`);
}
