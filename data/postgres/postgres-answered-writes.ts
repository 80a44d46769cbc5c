import type { AnsweredWrite, AnsweredWriteStore } from '../../src/control/ports.ts';
import { MOST_ANSWERED_WRITES } from '../state-rows.ts';
import type { PostgresDatabase } from './database.ts';

export class PostgresAnsweredWrites implements AnsweredWriteStore {
  readonly #database: PostgresDatabase;

  constructor(database: PostgresDatabase) {
    this.#database = database;
  }

  async recall(actor: string, key: string, since: number): Promise<AnsweredWrite | null> {
    const row = await this.#database.row(
      `SELECT request_hash, at, status, body FROM answered_write
       WHERE actor = $1 AND key = $2 AND at >= $3`,
      [actor, key, since],
    );
    if (row === undefined) return null;
    return {
      actor,
      key,
      requestHash: row.request_hash as string,
      at: row.at as number,
      status: row.status as number,
      body: row.body as string,
    };
  }

  async keep({ actor, key, requestHash, at, status, body }: AnsweredWrite, since: number): Promise<void> {
    await this.#database.transaction(async (session) => {
      await session.rows(
        `INSERT INTO answered_write (actor, key, request_hash, at, status, body)
         VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (actor, key) DO UPDATE SET request_hash = excluded.request_hash, at = excluded.at,
           status = excluded.status, body = excluded.body`,
        [actor, key, requestHash, at, status, body],
      );
      await session.rows('DELETE FROM answered_write WHERE at < $1', [since]);
      await session.rows(
        `DELETE FROM answered_write WHERE at <
           (SELECT at FROM answered_write ORDER BY at DESC LIMIT 1 OFFSET $1)`,
        [MOST_ANSWERED_WRITES],
      );
    });
  }
}
