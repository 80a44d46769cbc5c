import {
  type BookRow,
  type ChainCounts,
  type ChainReader,
  PAGE_ROWS,
  type RecordTables,
} from '../chain-reader.ts';
import type { Row } from '../state-rows.ts';
import type { PostgresDatabase, Session } from './database.ts';
import type { PostgresProof } from './postgres-proof.ts';

const PAGE = `LIMIT ${PAGE_ROWS}`;

/** Reads a database for its verification. */
export class PostgresChainReader implements ChainReader {
  readonly #database: PostgresDatabase;
  readonly #proof: PostgresProof;

  constructor(database: PostgresDatabase, proof: PostgresProof) {
    this.#database = database;
    this.#proof = proof;
  }

  auditPage(after: number): Promise<readonly Row[]> {
    return auditPage(this.#database, after);
  }

  async bookPage(after: number): Promise<readonly BookRow[]> {
    const books = await this.#database.rows(
      `SELECT version AS position, hash, previous_hash, decided_at, effective_at, body,
         EXISTS (SELECT 1 FROM audit a WHERE a.sequence = b.audit_sequence) AS audited,
         (SELECT i.body FROM decision_input i WHERE i.version = b.version) AS inputs
       FROM book b WHERE version > $1 ORDER BY version ${PAGE}`,
      [after],
    );
    const changes = await this.#database.rows(
      `SELECT version, symbol, max_leverage, binding_bound, move, reasons FROM schedule_change
       WHERE version > $1 AND version <= $2 ORDER BY version, symbol`,
      [after, books.at(-1)?.position ?? after],
    );
    const byVersion = Map.groupBy(changes, ({ version }) => version);
    const points = await this.#database.rows(
      'SELECT * FROM market_track WHERE version > $1 AND version <= $2',
      [after, books.at(-1)?.position ?? after],
    );
    const tracks = Map.groupBy(points, ({ version }) => version);
    return books.map((row) => ({
      ...row,
      audited: row.audited === true,
      inputs: row.inputs as string | null,
      changes: (byVersion.get(row.position) ?? []).map(({ version: _, ...change }) => Object.values(change)),
      track: tracks.get(row.position) ?? [],
    }));
  }

  checkpointPage(after: number): Promise<readonly Row[]> {
    return this.#database.rows(
      `SELECT number, body FROM checkpoint WHERE number > $1 ORDER BY number ${PAGE}`,
      [after],
    );
  }

  async bookHash(version: number): Promise<unknown> {
    return (await this.#database.row('SELECT hash FROM book WHERE version = $1', [version]))?.hash;
  }

  async auditHash(sequence: number): Promise<unknown> {
    return (await this.#database.row('SELECT hash FROM audit WHERE sequence = $1', [sequence]))?.hash;
  }

  part(hash: string): Promise<Uint8Array> {
    return this.#proof.part(this.#database, hash);
  }

  async counts(): Promise<ChainCounts> {
    const row = await this.#database.row(
      `SELECT (SELECT count(*) FROM book) AS books, (SELECT count(*) FROM decision_input) AS replayable,
         (SELECT count(*) FROM audit) AS entries, (SELECT count(*) FROM checkpoint) AS checkpoints`,
    );
    return {
      books: Number(row?.books),
      replayable: Number(row?.replayable),
      auditEntries: Number(row?.entries),
      checkpoints: Number(row?.checkpoints),
    };
  }

  inSnapshot<T>(work: (tables: RecordTables) => Promise<T>): Promise<T> {
    return this.#database.snapshot((session) => work(tablesOf(session)));
  }
}

function auditPage(session: Session, after: number): Promise<readonly Row[]> {
  return session.rows(
    `SELECT sequence AS position, hash, previous_hash, body FROM audit
     WHERE sequence > $1 ORDER BY sequence ${PAGE}`,
    [after],
  );
}

function tablesOf(session: Session): RecordTables {
  return {
    auditPage: (after) => auditPage(session, after),
    auditBodies: async (sequences) => {
      const rows = await session.rows('SELECT sequence, body FROM audit WHERE sequence = ANY ($1)', [
        sequences,
      ]);
      return new Map(rows.map(({ sequence, body }) => [sequence as number, body as string]));
    },
    userPage: (after) =>
      session.rows(`SELECT * FROM user_policy WHERE user_id > $1 ORDER BY user_id ${PAGE}`, [after]),
    hasUser: async (userId) =>
      (await session.row('SELECT 1 FROM user_policy WHERE user_id = $1', [userId])) !== undefined,
    changes: () => session.rows('SELECT * FROM governance_change ORDER BY number'),
  };
}
