import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type ErrorCode, PlimsollError } from '../src/errors.ts';

/** A database file of ours: how its header is told from another program's, and how its schema came to be. */
export interface SqliteFile {
  readonly path: string;
  /** For messages: "state store". */
  readonly what: string;
  /** Written into the header of the file, so that another program's database is not taken for ours. */
  readonly applicationId: number;
  /**
   * Entry i takes the file from schema version i to i + 1. An entry is never changed once it was released; a new need is a
   * new entry at the end.
   */
  readonly migrations: readonly string[];
}

export interface SqliteFileOptions {
  /** Never writes, never creates: for verbs that only look while the service runs. */
  readonly readOnly?: boolean;
  /** How long a statement waits for another process that writes, in milliseconds. */
  readonly busyTimeoutMilliseconds?: number;
}

/**
 * Opens a database file, makes it where it is missing and brings its schema up to date.
 *
 * @throws PlimsollError CONFIG_INVALID (schema of another Plimsoll version), STORE_DAMAGED (another program's, or
 *   unreadable), IO_FAILED, LOCKED.
 */
export function openSqliteFile(file: SqliteFile, options: SqliteFileOptions = {}): DatabaseSync {
  const { path } = file;
  const readOnly = options.readOnly ?? false;
  return translateErrors(path, () => {
    if (!readOnly) mkdirSync(dirname(path), { recursive: true });
    const database = new DatabaseSync(path, { readOnly });
    try {
      configure(database, readOnly, options.busyTimeoutMilliseconds ?? 5_000);
      checkOwner(database, file);
      migrate(database, file, readOnly);
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

function checkOwner(database: DatabaseSync, { path, what, applicationId: ours }: SqliteFile): void {
  const applicationId = pragmaNumber(database, 'application_id');
  if (applicationId === ours) return;
  const isEmpty = applicationId === 0 && pragmaNumber(database, 'schema_version') === 0;
  if (isEmpty) return;
  throw new PlimsollError('STORE_DAMAGED', `${path} is a database, but not a Plimsoll ${what}`, {
    remedy: 'Move the file away, or name another folder with --data-dir.',
  });
}

function migrate(database: DatabaseSync, file: SqliteFile, readOnly: boolean): void {
  const { path, migrations, applicationId } = file;
  const wanted = migrations.length;
  const found = checkedSchemaVersion(database, file);
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
    for (let version = checkedSchemaVersion(database, file); version < wanted; version++) {
      database.exec(migrations[version]);
    }
    database.exec(`PRAGMA application_id = ${applicationId}; PRAGMA user_version = ${wanted};`);
  });
}

function checkedSchemaVersion(database: DatabaseSync, { path, migrations }: SqliteFile): number {
  const found = pragmaNumber(database, 'user_version');
  if (found <= migrations.length) return found;
  throw new PlimsollError(
    'CONFIG_INVALID',
    `${path} has schema version ${found}, written by a newer Plimsoll; this one knows up to ${migrations.length}`,
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
