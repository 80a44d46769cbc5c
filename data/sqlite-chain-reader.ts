import { DatabaseSync, type StatementSync } from 'node:sqlite';
import {
  type BookRow,
  type ChainCounts,
  type ChainReader,
  PAGE_ROWS,
  type RecordTables,
} from './chain-reader.ts';
import { unpackPart } from './proof-parts.ts';
import type { Row } from './state-rows.ts';

/** Reads a state file for its verification, through a connection of its own that cannot write. */
export class SqliteChainReader implements ChainReader, RecordTables {
  readonly #database: DatabaseSync;
  readonly #statements: ReturnType<typeof prepare>;

  constructor(path: string) {
    this.#database = new DatabaseSync(path, { readOnly: true, timeout: 5_000 });
    this.#statements = prepare(this.#database);
  }

  close(): void {
    this.#database.close();
  }

  async auditPage(after: number): Promise<readonly Row[]> {
    return this.#statements.audit.all(after);
  }

  async bookPage(after: number): Promise<readonly BookRow[]> {
    const { book, changes, track } = this.#statements;
    return book.all(after).map((row) => ({
      ...row,
      audited: row.audited === 1,
      inputs: row.inputs as string | null,
      changes: changes.all(row.position as number).map((change) => Object.values(change)),
      track: track.all(row.position as number),
    }));
  }

  async checkpointPage(after: number): Promise<readonly Row[]> {
    return this.#statements.checkpoint.all(after);
  }

  async bookHash(version: number): Promise<unknown> {
    return this.#statements.bookHash.get(version)?.hash;
  }

  async auditHash(sequence: number): Promise<unknown> {
    return this.#statements.auditHash.get(sequence)?.hash;
  }

  async part(hash: string): Promise<Uint8Array> {
    return unpackPart(hash, this.#statements.part.get(hash)?.body as Uint8Array | undefined);
  }

  async counts(): Promise<ChainCounts> {
    return {
      books: this.#count('book'),
      replayable: this.#count('decision_input'),
      auditEntries: this.#count('audit'),
      checkpoints: this.#count('checkpoint'),
    };
  }

  async inSnapshot<T>(work: (tables: RecordTables) => Promise<T>): Promise<T> {
    this.#database.exec('BEGIN');
    try {
      return await work(this);
    } finally {
      this.#database.exec('ROLLBACK');
    }
  }

  async auditBodies(sequences: readonly number[]): Promise<ReadonlyMap<number, string>> {
    const bodies = new Map<number, string>();
    for (const sequence of sequences) {
      const body = this.#statements.auditBody.get(sequence)?.body;
      if (body !== undefined) bodies.set(sequence, body as string);
    }
    return bodies;
  }

  async userPage(after: string): Promise<readonly Row[]> {
    return this.#statements.users.all(after);
  }

  async hasUser(userId: string): Promise<boolean> {
    return this.#statements.user.get(userId) !== undefined;
  }

  async changes(): Promise<readonly Row[]> {
    return this.#statements.governance.all();
  }

  #count(tableName: string): number {
    return Number(this.#database.prepare(`SELECT count(*) AS n FROM ${tableName}`).get()?.n ?? 0);
  }
}

function prepare(database: DatabaseSync) {
  const make = (sql: string): StatementSync => database.prepare(sql);
  const page = `LIMIT ${PAGE_ROWS}`;
  return {
    audit: make(
      `SELECT sequence AS position, hash, previous_hash, body FROM audit WHERE sequence > ? ORDER BY sequence ${page}`,
    ),
    book: make(
      `SELECT version AS position, hash, previous_hash, decided_at, effective_at, body,
         EXISTS (SELECT 1 FROM audit a WHERE a.sequence = b.audit_sequence) AS audited,
         (SELECT i.body FROM decision_input i WHERE i.version = b.version) AS inputs
       FROM book b WHERE version > ? ORDER BY version ${page}`,
    ),
    changes: make(
      `SELECT symbol, max_leverage, binding_bound, move, reasons
       FROM schedule_change WHERE version = ? ORDER BY symbol`,
    ),
    track: make('SELECT * FROM market_track WHERE version = ?'),
    checkpoint: make(`SELECT number, body FROM checkpoint WHERE number > ? ORDER BY number ${page}`),
    bookHash: make('SELECT hash FROM book WHERE version = ?'),
    auditHash: make('SELECT hash FROM audit WHERE sequence = ?'),
    auditBody: make('SELECT body FROM audit WHERE sequence = ?'),
    part: make('SELECT body FROM input_part WHERE hash = ?'),
    users: make(`SELECT * FROM user_policy WHERE user_id > ? ORDER BY user_id ${page}`),
    user: make('SELECT 1 FROM user_policy WHERE user_id = ?'),
    governance: make('SELECT * FROM governance_change ORDER BY number'),
  };
}
