import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { KeyStep, KeyStore, StoredKey } from '../src/control/ports.ts';
import type { ChainAccess } from './chain-access.ts';
import { addedKey, type KeyWrites, keyValues, revokedKeys, rotatedKey, storedKey } from './key-steps.ts';
import { inTransaction } from './sqlite-file.ts';

/**
 * Keys at rest, by their SHA-256. A slow hash is for what people make up; 256 random bits cannot be guessed, and a key is
 * looked up at every request.
 */
export class SqliteKeyStore implements KeyStore {
  readonly #database: DatabaseSync;
  readonly #chain: ChainAccess;
  readonly #statements: ReturnType<typeof prepare>;

  constructor(database: DatabaseSync, chain: ChainAccess) {
    this.#database = database;
    this.#chain = chain;
    this.#statements = prepare(database);
  }

  async all(): Promise<readonly StoredKey[]> {
    return this.#chain.attempt(() => this.#all());
  }

  async dataVersion(): Promise<number> {
    return this.#chain.attempt(() => Number(this.#statements.dataVersion.get()?.data_version));
  }

  async add(key: StoredKey, step: KeyStep): Promise<void> {
    this.#step((all) => ({ writes: addedKey(all, key, step) }));
  }

  async rotate(
    name: string,
    make: (present: StoredKey) => StoredKey,
    until: number,
    step: KeyStep,
  ): Promise<StoredKey> {
    return this.#step((all) => rotatedKey(all, name, make, until, step)).next;
  }

  async revoke(name: string, id: string | null, step: KeyStep): Promise<readonly StoredKey[]> {
    return this.#step((all) => revokedKeys(all, name, id, step)).ended;
  }

  #step<Decided extends { readonly writes: KeyWrites }>(
    decide: (all: readonly StoredKey[]) => Decided,
  ): Decided {
    return this.#chain.attempt(() =>
      inTransaction(this.#database, () => {
        const decided = decide(this.#all());
        this.#write(decided.writes);
        return decided;
      }),
    );
  }

  #write({ inserted, expired, revoked, audits }: KeyWrites): void {
    const { insert, expire, revoke } = this.#statements;
    for (const { id, at } of expired) expire.run(at, id);
    for (const key of inserted) insert.run(...keyValues(key));
    for (const { id, at } of revoked) revoke.run(at, id);
    for (const audit of audits) this.#chain.insertAudit(audit);
  }

  #all(): readonly StoredKey[] {
    return this.#statements.all.all().map(storedKey);
  }
}

function prepare(
  database: DatabaseSync,
): Record<'all' | 'dataVersion' | 'insert' | 'expire' | 'revoke', StatementSync> {
  return {
    all: database.prepare('SELECT * FROM api_key ORDER BY created_at, id'),
    dataVersion: database.prepare('PRAGMA data_version'),
    insert: database.prepare(
      `INSERT INTO api_key
         (id, name, role, scopes, subjects, sha256, sealed_secret, created_at, expires_at, revoked_at)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, NULL)`,
    ),
    expire: database.prepare('UPDATE api_key SET expires_at = ? WHERE id = ?'),
    revoke: database.prepare('UPDATE api_key SET revoked_at = ? WHERE id = ?'),
  };
}
