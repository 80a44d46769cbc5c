import type { DatabaseSync } from 'node:sqlite';
import {
  isLive,
  type KeyStep,
  type KeyStore,
  type Role,
  type Scope,
  type StoredKey,
} from '../src/control/ports.ts';
import { PlimsollError } from '../src/errors.ts';
import type { ChainAccess } from './chain-access.ts';
import { inTransaction } from './sqlite-file.ts';
import type { Row } from './sqlite-rows.ts';

/** More than that nobody keeps apart; it bounds what a service holds in memory. */
const MOST_LIVE_KEYS = 1000;

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

  dataVersion(): number {
    return this.#chain.attempt(() => Number(this.#statements.dataVersion.get()?.data_version));
  }

  async add(key: StoredKey, step: KeyStep): Promise<void> {
    this.#write(() => {
      const live = this.#all().filter((one) => isLive(one, step.at));
      if (live.some(({ name }) => name === key.name)) {
        throw new PlimsollError('CONFLICT', `there is a key of ${key.name} already`, {
          remedy: `Make a second one that takes its place: plimsoll keys rotate ${key.name}.`,
        });
      }
      requireRoom(live);
      this.#insert(key);
      this.#tell('add', key, step, {});
    });
  }

  async rotate(
    name: string,
    make: (present: StoredKey) => StoredKey,
    until: number,
    step: KeyStep,
  ): Promise<StoredKey> {
    return this.#write(() => {
      const all = this.#all().filter((one) => isLive(one, step.at));
      const live = all.filter((one) => one.name === name);
      if (live.length === 0) throw unknownKey(name);
      if (live.length > 1) {
        throw new PlimsollError('CONFLICT', `there are two keys of ${name} already`, {
          remedy: `Wait until the older one ends, or end it: plimsoll keys revoke ${name} --id ${live[0].id}.`,
        });
      }
      requireRoom(all);
      const [present] = live;
      const next = make(present);
      const endsAt = Math.min(until, present.expiresAt ?? until);
      this.#statements.expire.run(endsAt, present.id);
      this.#insert(next);
      this.#tell('rotate', next, step, { replaces: present.id, endsAt });
      return next;
    });
  }

  async revoke(name: string, id: string | null, step: KeyStep): Promise<readonly StoredKey[]> {
    return this.#write(() => {
      const ended = this.#all().filter(
        (one) => one.name === name && (id === null || one.id === id) && isLive(one, step.at),
      );
      if (ended.length === 0) throw unknownKey(name);
      for (const key of ended) {
        this.#statements.revoke.run(step.at, key.id);
        this.#tell('revoke', key, step, {});
      }
      return ended;
    });
  }

  #write<T>(work: () => T): T {
    return this.#chain.attempt(() => inTransaction(this.#database, work));
  }

  #all(): readonly StoredKey[] {
    return this.#statements.all.all().map(storedKey);
  }

  #insert(key: StoredKey): void {
    this.#statements.insert.run(
      key.id,
      key.name,
      key.role,
      key.scopes === null ? null : JSON.stringify(key.scopes),
      key.subjects === null ? null : JSON.stringify(key.subjects),
      key.sha256,
      key.sealedSecret,
      key.createdAt,
      key.expiresAt,
    );
  }

  #tell(act: string, key: StoredKey, { at, actor, reason }: KeyStep, more: Record<string, unknown>): void {
    const { id, name, role, scopes, subjects, expiresAt, sealedSecret } = key;
    const isSigned = sealedSecret !== null;
    const details = { act, id, role, scopes, subjects, expiresAt, isSigned, ...more };
    this.#chain.insertAudit({ at, kind: 'key', actor, subject: name, reason, details });
  }
}

function requireRoom(live: readonly StoredKey[]): void {
  if (live.length < MOST_LIVE_KEYS) return;
  throw new PlimsollError('CONFLICT', `there are ${MOST_LIVE_KEYS} live keys already`, {
    remedy: 'Revoke those that nobody needs: plimsoll keys list.',
  });
}

function unknownKey(name: string): PlimsollError {
  return new PlimsollError('KEY_UNKNOWN', `there is no live key of ${name} in this data folder`, {
    remedy: 'List those that there are: plimsoll keys list.',
  });
}

function storedKey(row: Row): StoredKey {
  const list = <T>(value: unknown): readonly T[] | null =>
    value === null ? null : (JSON.parse(value as string) as T[]);
  return {
    id: row.id as string,
    name: row.name as string,
    role: row.role as Role,
    scopes: list<Scope>(row.scopes),
    subjects: list<string>(row.subjects),
    sha256: row.sha256 as string,
    sealedSecret: row.sealed_secret as Uint8Array | null,
    createdAt: row.created_at as number,
    expiresAt: row.expires_at as number | null,
    revokedAt: row.revoked_at as number | null,
  };
}

function prepare(database: DatabaseSync) {
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
