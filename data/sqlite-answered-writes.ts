import type { DatabaseSync } from 'node:sqlite';
import type { AnsweredWrite, AnsweredWriteStore } from '../src/control/ports.ts';
import { inTransaction } from './sqlite-file.ts';
import { MOST_ANSWERED_WRITES } from './state-rows.ts';

export class SqliteAnsweredWrites implements AnsweredWriteStore {
  readonly #database: DatabaseSync;
  readonly #attempt: <T>(work: () => T) => T;
  readonly #statements: ReturnType<typeof prepare>;

  /** @param attempt the store's way of telling failures. */
  constructor(database: DatabaseSync, attempt: <T>(work: () => T) => T) {
    this.#database = database;
    this.#attempt = attempt;
    this.#statements = prepare(database);
  }

  async recall(actor: string, key: string, since: number): Promise<AnsweredWrite | null> {
    return this.#attempt(() => {
      const row = this.#statements.find.get(actor, key, since);
      if (row === undefined) return null;
      return {
        actor,
        key,
        requestHash: row.request_hash as string,
        at: row.at as number,
        status: row.status as number,
        body: row.body as string,
      };
    });
  }

  async keep({ actor, key, requestHash, at, status, body }: AnsweredWrite, since: number): Promise<void> {
    this.#attempt(() =>
      inTransaction(this.#database, () => {
        this.#statements.put.run(actor, key, requestHash, at, status, body);
        this.#statements.forgetOld.run(since);
        this.#statements.forgetMost.run(MOST_ANSWERED_WRITES);
      }),
    );
  }
}

function prepare(database: DatabaseSync) {
  return {
    find: database.prepare(
      'SELECT request_hash, at, status, body FROM answered_write WHERE actor = ? AND key = ? AND at >= ?',
    ),
    put: database.prepare(
      `INSERT OR REPLACE INTO answered_write (actor, key, request_hash, at, status, body)
       VALUES (?, ?, ?, ?, ?, ?)`,
    ),
    forgetOld: database.prepare('DELETE FROM answered_write WHERE at < ?'),
    forgetMost: database.prepare(
      `DELETE FROM answered_write WHERE at <
         (SELECT at FROM answered_write ORDER BY at DESC LIMIT 1 OFFSET ?)`,
    ),
  };
}
