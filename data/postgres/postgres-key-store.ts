import type { KeyStep, KeyStore, StoredKey } from '../../src/control/ports.ts';
import { addedKey, type KeyWrites, keyValues, revokedKeys, rotatedKey, storedKey } from '../key-steps.ts';
import { insertAudit, wakeFollowers } from './chain.ts';
import type { PostgresDatabase, Session } from './database.ts';

/** Keys at rest, by their SHA-256. */
export class PostgresKeyStore implements KeyStore {
  readonly #database: PostgresDatabase;

  constructor(database: PostgresDatabase) {
    this.#database = database;
  }

  all(): Promise<readonly StoredKey[]> {
    return allKeys(this.#database);
  }

  async dataVersion(): Promise<number> {
    const row = await this.#database.row('SELECT max(audit_sequence) AS sequence FROM api_key');
    return Number(row?.sequence ?? 0);
  }

  async add(key: StoredKey, step: KeyStep): Promise<void> {
    await this.#step((all) => ({ writes: addedKey(all, key, step) }));
  }

  async rotate(
    name: string,
    make: (present: StoredKey) => StoredKey,
    until: number,
    step: KeyStep,
  ): Promise<StoredKey> {
    return (await this.#step((all) => rotatedKey(all, name, make, until, step))).next;
  }

  async revoke(name: string, id: string | null, step: KeyStep): Promise<readonly StoredKey[]> {
    return (await this.#step((all) => revokedKeys(all, name, id, step))).ended;
  }

  #step<Decided extends { readonly writes: KeyWrites }>(
    decide: (all: readonly StoredKey[]) => Decided,
  ): Promise<Decided> {
    return this.#database.write(async (session) => {
      const decided = decide(await allKeys(session));
      await write(session, decided.writes);
      await wakeFollowers(session);
      return decided;
    });
  }
}

async function allKeys(session: Session): Promise<readonly StoredKey[]> {
  return (await session.rows('SELECT * FROM api_key ORDER BY created_at, id')).map(storedKey);
}

async function write(session: Session, { inserted, expired, revoked, audits }: KeyWrites): Promise<void> {
  let sequence = 0;
  for (const audit of audits) sequence = (await insertAudit(session, audit)).sequence;
  for (const { id, at } of expired)
    await session.rows('UPDATE api_key SET expires_at = $1, audit_sequence = $2 WHERE id = $3', [
      at,
      sequence,
      id,
    ]);
  for (const key of inserted)
    await session.rows(
      `INSERT INTO api_key
         (id, name, role, scopes, subjects, sha256, sealed_secret, created_at, expires_at, audit_sequence)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
      [...keyValues(key), sequence],
    );
  for (const { id, at } of revoked)
    await session.rows('UPDATE api_key SET revoked_at = $1, audit_sequence = $2 WHERE id = $3', [
      at,
      sequence,
      id,
    ]);
}
