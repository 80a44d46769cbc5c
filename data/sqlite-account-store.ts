import { join } from 'node:path';
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { setImmediate } from 'node:timers/promises';
import type {
  AccountBatch,
  AccountStore,
  Intervention,
  InterventionFilter,
  Positions,
  StoredBatch,
  StoredSnapshot,
} from '../src/control/ports.ts';
import { PlimsollError } from '../src/errors.ts';
import { inTransaction, openSqliteFile, translateErrors } from './sqlite-file.ts';

export const ACCOUNTS_FILE_NAME = 'accounts.sqlite';

/** "PLAC" */
const APPLICATION_ID = 0x504c4143;

/** A few hundred bytes each. The feed has told them long before. */
const KEPT_INTERVENTIONS = 2_000_000;

const MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE batch (
    sequence INTEGER PRIMARY KEY,
    body     BLOB NOT NULL
  ) STRICT;

  -- A snapshot is whole once its row is there.
  CREATE TABLE snapshot (
    number INTEGER PRIMARY KEY,
    up_to  INTEGER NOT NULL,
    chunks INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE snapshot_chunk (
    number INTEGER NOT NULL,
    part   INTEGER NOT NULL,
    body   BLOB NOT NULL,
    PRIMARY KEY (number, part)
  ) STRICT;

  CREATE TABLE intervention (
    sequence   INTEGER PRIMARY KEY,
    account_id TEXT NOT NULL,
    user_id    TEXT NOT NULL,
    kind       TEXT NOT NULL,
    -- JSON of all of it.
    body       TEXT NOT NULL
  ) STRICT;
  CREATE INDEX intervention_by_account ON intervention (account_id, sequence);
  CREATE INDEX intervention_by_user ON intervention (user_id, sequence);
  `,
  `
  -- How far streams have been taken in: part of the same transaction as what they caused.
  CREATE TABLE position (
    name     TEXT PRIMARY KEY,
    sequence INTEGER NOT NULL
  ) STRICT;
  `,
];

/**
 * Accounts on SQLite, in a file of their own beside the state store, so that a stream of accounts and a publication never
 * wait for each other. A commit is on disk when a call returns.
 */
export class SqliteAccountStore implements AccountStore {
  readonly #database: DatabaseSync;
  readonly #path: string;
  readonly #statements: Statements;
  readonly #keptInterventions: number;
  #lastBatch: number;

  private constructor(database: DatabaseSync, path: string, keptInterventions: number) {
    this.#keptInterventions = keptInterventions;
    this.#database = database;
    this.#path = path;
    this.#statements = prepareStatements(database);
    const newest = Math.max(
      Number(this.#statements.lastBatch.get()?.sequence ?? 0),
      Number(this.#statements.newestSnapshot.get()?.up_to ?? 0),
    );
    this.#lastBatch = newest;
  }

  /** See `openSqliteFile` for what it throws. @param keptInterventions older ones are dropped. */
  static open(dataDir: string, keptInterventions = KEPT_INTERVENTIONS): SqliteAccountStore {
    const path = join(dataDir, ACCOUNTS_FILE_NAME);
    const what = 'account store';
    const database = openSqliteFile({ path, what, applicationId: APPLICATION_ID, migrations: MIGRATIONS });
    return translateErrors(path, () => new SqliteAccountStore(database, path, keptInterventions));
  }

  async append(batches: readonly AccountBatch[]): Promise<number> {
    let sequence = this.#lastBatch;
    this.#try(() =>
      inTransaction(this.#database, () => {
        for (const { body, interventions, positions = {} } of batches) {
          this.#statements.insertBatch.run(++sequence, body);
          for (const one of interventions) this.#insert(one);
          this.#setPositions(positions);
        }
        this.#statements.forgetInterventions.run(this.#keptInterventions);
      }),
    );
    this.#lastBatch = sequence;
    return sequence;
  }

  positions(): Positions {
    const rows = this.#try(() => this.#statements.positions.all());
    return Object.fromEntries(rows.map(({ name, sequence }) => [String(name), Number(sequence)]));
  }

  *batchesAfter(sequence: number): Iterable<StoredBatch> {
    let expected = sequence;
    for (const row of this.#statements.batchesAfter.iterate(sequence)) {
      expected++;
      if (row.sequence !== expected) throw damaged(this.#path, `batch ${expected} is missing`);
      yield { sequence: expected, body: row.body as Uint8Array };
    }
  }

  async saveSnapshot({ upTo, chunks, positions }: StoredSnapshot): Promise<void> {
    const number = Number(this.#statements.newestSnapshot.get()?.number ?? 0) + 1;
    // What an earlier try has left.
    this.#try(() => this.#statements.dropOtherChunks.run(number - 1));
    let part = 0;
    for (const body of chunks) {
      this.#try(() => this.#statements.insertChunk.run(number, part, body));
      part++;
      await setImmediate();
    }
    this.#try(() =>
      inTransaction(this.#database, () => {
        this.#statements.dropSnapshots.run();
        this.#statements.insertSnapshot.run(number, upTo, part);
        this.#statements.dropBatches.run(upTo);
        if (positions !== undefined) this.#setPositions(positions);
      }),
    );
    this.#lastBatch = Math.max(this.#lastBatch, upTo);
    this.#try(() => this.#statements.dropOtherChunks.run(number));
  }

  snapshot(): StoredSnapshot | null {
    const row = this.#try(() => this.#statements.newestSnapshot.get());
    if (row === undefined) return null;
    return { upTo: Number(row.up_to), chunks: this.#chunksOf(Number(row.number), Number(row.chunks)) };
  }

  lastIntervention(): number {
    const stored = Number(this.#try(() => this.#statements.lastIntervention.get())?.sequence ?? 0);
    return Math.max(stored, this.positions().interventions ?? 0);
  }

  interventionsAfter(
    sequence: number,
    limit: number,
    { accountId, userId, kind }: InterventionFilter = {},
  ): readonly Intervention[] {
    const { byAccount, byUser, all } = this.#statements;
    const only = kind ?? null;
    const rows = this.#try(() => {
      if (accountId !== undefined) return byAccount.all(accountId, sequence, userId ?? null, only, limit);
      if (userId !== undefined) return byUser.all(userId, sequence, only, limit);
      return all.all(sequence, only, limit);
    });
    return rows.map(({ body }) => JSON.parse(String(body)) as Intervention);
  }

  close(): void {
    this.#database.close();
  }

  #setPositions(positions: Positions): void {
    for (const [name, sequence] of Object.entries(positions))
      this.#statements.setPosition.run(name, sequence);
  }

  #insert(one: Intervention): void {
    const { sequence, accountId, userId, kind } = one;
    this.#statements.insertIntervention.run(sequence, accountId, userId, kind, JSON.stringify(one));
  }

  *#chunksOf(number: number, chunks: number): Iterable<Uint8Array> {
    let part = 0;
    for (const row of this.#statements.chunks.iterate(number)) {
      if (row.part !== part++) break;
      yield row.body as Uint8Array;
    }
    if (part !== chunks) throw damaged(this.#path, 'a piece of the snapshot is missing');
  }

  #try<T>(work: () => T): T {
    return translateErrors(this.#path, work);
  }
}

function damaged(path: string, what: string): PlimsollError {
  return new PlimsollError('STORE_DAMAGED', `${path}: ${what}`, {
    remedy: 'Stop the service, keep a copy of the folder, and restore the last good backup.',
  });
}

interface Statements {
  readonly lastBatch: StatementSync;
  readonly insertBatch: StatementSync;
  readonly batchesAfter: StatementSync;
  readonly dropBatches: StatementSync;
  readonly positions: StatementSync;
  readonly setPosition: StatementSync;
  readonly newestSnapshot: StatementSync;
  readonly insertSnapshot: StatementSync;
  readonly dropSnapshots: StatementSync;
  readonly insertChunk: StatementSync;
  readonly chunks: StatementSync;
  readonly dropOtherChunks: StatementSync;
  readonly insertIntervention: StatementSync;
  readonly lastIntervention: StatementSync;
  readonly forgetInterventions: StatementSync;
  readonly byAccount: StatementSync;
  readonly byUser: StatementSync;
  readonly all: StatementSync;
}

function prepareStatements(database: DatabaseSync): Statements {
  const prepare = (sql: string): StatementSync => database.prepare(sql);
  return {
    lastBatch: prepare('SELECT max(sequence) AS sequence FROM batch'),
    insertBatch: prepare('INSERT INTO batch (sequence, body) VALUES (?, ?)'),
    batchesAfter: prepare('SELECT sequence, body FROM batch WHERE sequence > ? ORDER BY sequence'),
    dropBatches: prepare('DELETE FROM batch WHERE sequence <= ?'),
    positions: prepare('SELECT name, sequence FROM position'),
    setPosition: prepare(
      `INSERT INTO position (name, sequence) VALUES (?, ?)
       ON CONFLICT (name) DO UPDATE SET sequence = excluded.sequence`,
    ),
    newestSnapshot: prepare('SELECT number, up_to, chunks FROM snapshot ORDER BY number DESC LIMIT 1'),
    insertSnapshot: prepare('INSERT INTO snapshot (number, up_to, chunks) VALUES (?, ?, ?)'),
    dropSnapshots: prepare('DELETE FROM snapshot'),
    insertChunk: prepare('INSERT INTO snapshot_chunk (number, part, body) VALUES (?, ?, ?)'),
    chunks: prepare('SELECT part, body FROM snapshot_chunk WHERE number = ? ORDER BY part'),
    dropOtherChunks: prepare('DELETE FROM snapshot_chunk WHERE number <> ?'),
    insertIntervention: prepare(
      'INSERT INTO intervention (sequence, account_id, user_id, kind, body) VALUES (?, ?, ?, ?, ?)',
    ),
    lastIntervention: prepare('SELECT max(sequence) AS sequence FROM intervention'),
    forgetInterventions: prepare(
      'DELETE FROM intervention WHERE sequence <= (SELECT max(sequence) FROM intervention) - ?',
    ),
    byAccount: prepare(
      `SELECT body FROM intervention WHERE account_id = ?1 AND sequence > ?2 AND (?3 IS NULL OR user_id = ?3)
       AND (?4 IS NULL OR kind = ?4) ORDER BY sequence LIMIT ?5`,
    ),
    byUser: prepare(
      `SELECT body FROM intervention WHERE user_id = ?1 AND sequence > ?2 AND (?3 IS NULL OR kind = ?3)
       ORDER BY sequence LIMIT ?4`,
    ),
    all: prepare(
      'SELECT body FROM intervention WHERE sequence > ?1 AND (?2 IS NULL OR kind = ?2) ORDER BY sequence LIMIT ?3',
    ),
  };
}
