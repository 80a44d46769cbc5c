import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { PlimsollError } from '../src/errors.ts';
import { openSqliteFile, type SqliteFileOptions } from './sqlite-file.ts';

/**
 * The file behind the state store. Its tables are strict, so that a value of the wrong type is refused by the database and
 * not found later by a reader.
 */
export const STATE_FILE_NAME = 'state.sqlite';

/** Written into the header of the file ("PLIM"), so that another program's database is not taken for ours. */
const APPLICATION_ID = 0x504c494d;

/** See `SqliteFile`. */
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
  `
  ALTER TABLE user_policy ADD COLUMN experience_class TEXT;
  ALTER TABLE user_policy ADD COLUMN override_max_leverage REAL;
  ALTER TABLE user_policy ADD COLUMN override_expires_at INTEGER;
  ALTER TABLE user_policy ADD COLUMN override_reason TEXT;
  `,
  `
  -- What is pushed, in the order in which it is told.
  CREATE TABLE outbox (
    sequence     INTEGER PRIMARY KEY,
    kind         TEXT NOT NULL,
    at           INTEGER NOT NULL,
    -- Sequence of the intervention that it tells.
    intervention INTEGER UNIQUE,
    body         TEXT NOT NULL
  ) STRICT;

  -- How far each reader that is called by us has come, and how far interventions were taken over.
  CREATE TABLE outbox_cursor (
    reader   TEXT PRIMARY KEY,
    sequence INTEGER NOT NULL
  ) STRICT;
  `,
  `
  -- Events that a reader could not be given, with why.
  CREATE TABLE outbox_buried (
    reader   TEXT NOT NULL,
    sequence INTEGER NOT NULL,
    reason   TEXT NOT NULL,
    at       INTEGER NOT NULL,
    PRIMARY KEY (reader, sequence)
  ) STRICT;
  `,
  `
  -- Keys that commands made. Rows stay when a key is over: a service that had keys does not open again.
  CREATE TABLE api_key (
    -- The beginning of the SHA-256, which everybody may see.
    id            TEXT PRIMARY KEY,
    name          TEXT NOT NULL,
    role          TEXT NOT NULL,
    -- JSON lists; NULL for all of the role, and for all users and accounts.
    scopes        TEXT,
    subjects      TEXT,
    sha256        TEXT NOT NULL UNIQUE,
    -- Encrypted by signing.key of the data folder; NULL where nothing need be signed.
    sealed_secret BLOB,
    created_at    INTEGER NOT NULL,
    expires_at    INTEGER,
    revoked_at    INTEGER
  ) STRICT;

  -- Answers to writes that named an Idempotency-Key, for those that come again.
  CREATE TABLE answered_write (
    actor        TEXT NOT NULL,
    key          TEXT NOT NULL,
    request_hash TEXT NOT NULL,
    at           INTEGER NOT NULL,
    status       INTEGER NOT NULL,
    body         TEXT NOT NULL,
    PRIMARY KEY (actor, key)
  ) STRICT;
  CREATE INDEX answered_write_by_age ON answered_write (at);
  `,
  `
  -- Each decision of each market, by version so that a book's rows go together. Derived from the books but for the close, and verified against them.
  CREATE TABLE market_track (
    version             INTEGER NOT NULL REFERENCES book (version),
    symbol              TEXT NOT NULL,
    as_of               INTEGER NOT NULL,
    close               REAL,
    max_leverage        REAL NOT NULL,
    binding_bound       TEXT NOT NULL,
    horizon_hours       REAL NOT NULL,
    confidence          REAL NOT NULL,
    long_value_at_risk  REAL,
    short_value_at_risk REAL,
    PRIMARY KEY (version, symbol)
  ) STRICT, WITHOUT ROWID;
  `,
];

export type StateFileOptions = SqliteFileOptions;

/**
 * Opens `<dataDir>/state.sqlite`, makes it where it is missing and brings its schema up to date.
 *
 * @throws PlimsollError NOT_FOUND (read-only and no file), and what `openSqliteFile` throws.
 */
export function openStateFile(dataDir: string, options: StateFileOptions = {}): DatabaseSync {
  const path = join(dataDir, STATE_FILE_NAME);
  if (options.readOnly && !existsSync(path)) {
    throw new PlimsollError('NOT_FOUND', `there is no state store at ${path}`, {
      remedy: 'Start the service once (plimsoll serve), or name its folder with --data-dir.',
    });
  }
  return openSqliteFile(
    { path, what: 'state store', applicationId: APPLICATION_ID, migrations: MIGRATIONS },
    options,
  );
}
