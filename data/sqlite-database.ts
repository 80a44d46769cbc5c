import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type ErrorCode, PlimsollError } from '../src/errors.ts';

/**
 * The file behind the state store: how it is opened, what tables it has, and what SQLite's failures mean. The tables
 * are strict, so that a value of the wrong type is refused by the database and not found later by a reader.
 */
export const STATE_FILE_NAME = 'state.sqlite';

/** Written into the header of the file ("PLIM"), so that another program's database is not taken for ours. */
const APPLICATION_ID = 0x504c494d;

/**
 * Entry i takes the file from schema version i to i + 1. An entry is never changed once it was released; a new need
 * is a new entry at the end.
 */
const MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE audit (
    sequence      INTEGER PRIMARY KEY,
    previous_hash TEXT NOT NULL,
    hash          TEXT NOT NULL UNIQUE,
    -- Canonical JSON of the entry without its hash: the bytes that were hashed.
    body          TEXT NOT NULL
  ) STRICT;

  CREATE TABLE book (
    version        INTEGER PRIMARY KEY,
    hash           TEXT NOT NULL UNIQUE,
    previous_hash  TEXT NOT NULL,
    decided_at     INTEGER NOT NULL,
    effective_at   INTEGER NOT NULL,
    audit_sequence INTEGER NOT NULL UNIQUE REFERENCES audit (sequence),
    -- Canonical JSON of the book without its hash: the bytes that were hashed. Last, so that the short columns are
    -- read without following the pages that a long body spills over.
    body           TEXT NOT NULL
  ) STRICT;
  CREATE INDEX book_by_effective_at ON book (effective_at, version);

  -- One row where a market's brackets differ from the book before. Derived from the books and verified against them.
  CREATE TABLE schedule_change (
    symbol        TEXT NOT NULL,
    version       INTEGER NOT NULL REFERENCES book (version),
    max_leverage  REAL NOT NULL,
    binding_bound TEXT NOT NULL,
    move          TEXT NOT NULL,
    reasons       TEXT NOT NULL,
    PRIMARY KEY (symbol, version)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX schedule_change_by_version ON schedule_change (version);

  CREATE TABLE user_policy (
    user_id                     TEXT PRIMARY KEY,
    max_leverage                REAL,
    account_created_at          INTEGER,
    own_initial_margin_rate_ppm INTEGER,
    updated_at                  INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE training_run (
    id            TEXT PRIMARY KEY,
    started_at    INTEGER NOT NULL,
    finished_at   INTEGER,
    result        TEXT NOT NULL CHECK (result IN ('running', 'succeeded', 'failed')),
    model_version TEXT,
    "trigger"     TEXT NOT NULL CHECK ("trigger" IN ('command', 'schedule', 'api')),
    message       TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX training_run_by_start ON training_run (started_at);
  `,
  `
  -- More triggers; a check is changed by a new table.
  CREATE TABLE training_run_2 (
    id            TEXT PRIMARY KEY,
    started_at    INTEGER NOT NULL,
    finished_at   INTEGER,
    result        TEXT NOT NULL CHECK (result IN ('running', 'succeeded', 'failed')),
    model_version TEXT,
    "trigger"     TEXT NOT NULL
      CHECK ("trigger" IN ('command', 'schedule', 'api', 'drift', 'coverage', 'new-market')),
    message       TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;
  INSERT INTO training_run_2 SELECT id, started_at, finished_at, result, model_version, "trigger", message
    FROM training_run;
  DROP TABLE training_run;
  ALTER TABLE training_run_2 RENAME TO training_run;
  CREATE INDEX training_run_by_start ON training_run (started_at);

  -- What the watches of live forecasts go on from after a restart.
  CREATE TABLE watch_entry (
    name TEXT PRIMARY KEY,
    body TEXT NOT NULL
  ) STRICT;
  `,
  `
  -- Where each change that people made stands. What it says is in its audit entry; the columns only find it.
  CREATE TABLE governance_change (
    number         INTEGER PRIMARY KEY,
    id             TEXT NOT NULL UNIQUE,
    requested_at   INTEGER NOT NULL,
    -- When it ends if nobody does anything more.
    ends_at        INTEGER NOT NULL,
    -- Of the last step.
    revision       INTEGER NOT NULL,
    stepped_at     INTEGER NOT NULL,
    audit_sequence INTEGER NOT NULL REFERENCES audit (sequence)
  ) STRICT;
  CREATE INDEX governance_change_by_end ON governance_change (ends_at);
  CREATE INDEX governance_change_by_revision ON governance_change (revision);

  CREATE TABLE idempotency_key (
    actor          TEXT NOT NULL,
    key            TEXT NOT NULL,
    request_hash   TEXT NOT NULL,
    revision       INTEGER NOT NULL,
    audit_sequence INTEGER NOT NULL REFERENCES audit (sequence),
    PRIMARY KEY (actor, key)
  ) STRICT;
  CREATE INDEX idempotency_key_by_age ON idempotency_key (audit_sequence);
  `,
  `
  -- What books were decided from, in parts that are kept once for all books that share them.
  CREATE TABLE input_part (
    -- SHA-256 of the bytes before they were compressed.
    hash         TEXT PRIMARY KEY,
    -- The newest book that was decided from it.
    last_version INTEGER NOT NULL,
    -- Zstandard.
    body         BLOB NOT NULL
  ) STRICT;
  CREATE INDEX input_part_by_last_version ON input_part (last_version);

  CREATE TABLE decision_input (
    version INTEGER PRIMARY KEY REFERENCES book (version),
    -- Canonical JSON of the hashes of its parts; its own hash is in the book.
    body    TEXT NOT NULL
  ) STRICT;

  CREATE TABLE checkpoint (
    number INTEGER PRIMARY KEY,
    -- JSON of the whole checkpoint, its signature included.
    body   TEXT NOT NULL
  ) STRICT;
  `,
  `
  ALTER TABLE user_policy ADD COLUMN notional_coef_micros INTEGER;
  `,
];

export interface StateFileOptions {
  /** Never writes, never creates: for verbs that only look while the service runs. */
  readonly readOnly?: boolean;
  /** How long a statement waits for another process that writes, in milliseconds. */
  readonly busyTimeoutMilliseconds?: number;
}

/**
 * Opens `<dataDir>/state.sqlite`, makes it where it is missing and brings its schema up to date.
 *
 * @throws PlimsollError NOT_FOUND (read-only and no file), CONFIG_INVALID (schema of another Plimsoll version),
 *   STORE_DAMAGED (not a Plimsoll state store, or unreadable as one), IO_FAILED, LOCKED.
 */
export function openStateFile(dataDir: string, options: StateFileOptions = {}): DatabaseSync {
  const path = join(dataDir, STATE_FILE_NAME);
  const readOnly = options.readOnly ?? false;
  if (readOnly && !existsSync(path)) {
    throw new PlimsollError('NOT_FOUND', `there is no state store at ${path}`, {
      remedy: 'Start the service once (plimsoll serve), or name its folder with --data-dir.',
    });
  }
  return translateErrors(path, () => {
    if (!readOnly) mkdirSync(dataDir, { recursive: true });
    const database = new DatabaseSync(path, { readOnly });
    try {
      configure(database, readOnly, options.busyTimeoutMilliseconds ?? 5_000);
      checkOwner(database, path);
      migrate(database, path, readOnly);
      return database;
    } catch (thrown) {
      database.close();
      throw thrown;
    }
  });
}

function configure(database: DatabaseSync, readOnly: boolean, busyTimeoutMilliseconds: number): void {
  database.exec(`PRAGMA busy_timeout = ${busyTimeoutMilliseconds}; PRAGMA foreign_keys = ON;`);
  if (readOnly) return;
  // FULL makes every commit wait for the disk: in WAL mode the default would lose the last commits with the power.
  // On macOS only fullfsync reaches the platter. The size limit lets a log that a long reader held up shrink again.
  database.exec(`
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL;
    PRAGMA fullfsync = ON;
    PRAGMA journal_size_limit = 67108864;
  `);
}

function checkOwner(database: DatabaseSync, path: string): void {
  const applicationId = pragmaNumber(database, 'application_id');
  if (applicationId === APPLICATION_ID) return;
  const isEmpty = applicationId === 0 && pragmaNumber(database, 'schema_version') === 0;
  if (isEmpty) return;
  throw new PlimsollError('STORE_DAMAGED', `${path} is a database, but not a Plimsoll state store`, {
    remedy: 'Move the file away, or name another folder with --data-dir.',
  });
}

function migrate(database: DatabaseSync, path: string, readOnly: boolean): void {
  const wanted = MIGRATIONS.length;
  const found = checkedSchemaVersion(database, path);
  if (found === wanted) return;
  if (readOnly) {
    throw new PlimsollError(
      'CONFIG_INVALID',
      `${path} has schema version ${found}, this Plimsoll reads ${wanted}`,
      {
        remedy: 'Start the service of this version once; it brings the file up to date.',
      },
    );
  }
  inTransaction(database, () => {
    // Read again under the write lock: another process may have migrated in between.
    for (let version = checkedSchemaVersion(database, path); version < wanted; version++) {
      database.exec(MIGRATIONS[version]);
    }
    database.exec(`PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${wanted};`);
  });
}

function checkedSchemaVersion(database: DatabaseSync, path: string): number {
  const found = pragmaNumber(database, 'user_version');
  if (found <= MIGRATIONS.length) return found;
  throw new PlimsollError(
    'CONFIG_INVALID',
    `${path} has schema version ${found}, written by a newer Plimsoll; this one knows up to ${MIGRATIONS.length}`,
    { remedy: 'Run the newer Plimsoll, or restore the copy of the data folder from before the upgrade.' },
  );
}

function pragmaNumber(database: DatabaseSync, name: string): number {
  return Number(database.prepare(`PRAGMA ${name}`).get()?.[name] ?? 0);
}

/** Runs `work` with the write lock held from its start, so that what it reads still holds when it writes. */
export function inTransaction<T>(database: DatabaseSync, work: () => T): T {
  database.exec('BEGIN IMMEDIATE');
  try {
    const result = work();
    database.exec('COMMIT');
    return result;
  } catch (thrown) {
    // A full disk makes SQLite roll back by itself; a second ROLLBACK would hide the reason.
    if (database.isTransaction) database.exec('ROLLBACK');
    throw thrown;
  }
}

/** Runs `work`, which only reads, on the state of one moment: what another process commits meanwhile is not seen. */
export function inSnapshot<T>(database: DatabaseSync, work: () => T): T {
  database.exec('BEGIN');
  try {
    return work();
  } finally {
    database.exec('ROLLBACK');
  }
}

/** Runs `work`; a failure of SQLite or of the file system leaves as a PlimsollError that says what to do. */
export function translateErrors<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (thrown) {
    throw asStoreError(path, thrown);
  }
}

const LOCK_REMEDY = 'Try again; if it stays so, find the process that holds the file open for writing.';
const IO_REMEDY =
  'Check free space, permissions and the health of the disk, then try again; nothing was half-written.';
const DAMAGE_REMEDY = 'Stop the service, keep a copy of the folder, and restore the last good backup.';

/** Primary result codes of SQLite (https://sqlite.org/rescode.html) that have a meaning for the operator. */
const MEANING_BY_RESULT_CODE: Readonly<
  Record<number, { readonly code: ErrorCode; readonly remedy: string }>
> = {
  3: { code: 'IO_FAILED', remedy: IO_REMEDY }, // PERM
  5: { code: 'LOCKED', remedy: LOCK_REMEDY }, // BUSY
  6: { code: 'LOCKED', remedy: LOCK_REMEDY }, // LOCKED
  8: { code: 'IO_FAILED', remedy: IO_REMEDY }, // READONLY
  10: { code: 'IO_FAILED', remedy: IO_REMEDY }, // IOERR
  11: { code: 'STORE_DAMAGED', remedy: DAMAGE_REMEDY }, // CORRUPT
  13: { code: 'IO_FAILED', remedy: IO_REMEDY }, // FULL
  14: { code: 'IO_FAILED', remedy: IO_REMEDY }, // CANTOPEN
  26: { code: 'STORE_DAMAGED', remedy: DAMAGE_REMEDY }, // NOTADB
};

/** A failure of SQLite or of the file system as a PlimsollError; anything else as it is. */
export function asStoreError(path: string, thrown: unknown): unknown {
  if (thrown instanceof PlimsollError || !(thrown instanceof Error)) return thrown;
  const { errcode, syscall } = thrown as Error & { errcode?: number; syscall?: string };
  if (errcode === undefined) {
    if (syscall === undefined) return thrown;
    return new PlimsollError('IO_FAILED', `${path}: ${thrown.message}`, { remedy: IO_REMEDY, cause: thrown });
  }
  const meaning = MEANING_BY_RESULT_CODE[errcode & 0xff];
  return new PlimsollError(meaning?.code ?? 'INTERNAL', `${path}: ${thrown.message} (SQLite ${errcode})`, {
    ...(meaning === undefined ? {} : { remedy: meaning.remedy }),
    details: { path, sqliteCode: errcode },
    cause: thrown,
  });
}
