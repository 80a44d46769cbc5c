/**
 * One step of the schema. It runs while processes of the version before are at work, so it only adds: a column that may be
 * absent, a table, an index. What nobody reads any more is taken away by a step of a later release, which says from which schema
 * version on programs can live with that.
 */
export interface Migration {
  readonly sql: string;
  /** The schema version that a program must know at least to work on the result. */
  readonly worksFrom: number;
}

/** Entry i takes the schema from version i to i + 1. An entry is never changed once it was released. */
export const MIGRATIONS: readonly Migration[] = [
  {
    worksFrom: 1,
    sql: `
    -- Whoever writes a chain holds this row; a publication names the term that it was made in.
    CREATE TABLE writer (
      id     integer PRIMARY KEY CHECK (id = 1),
      term   bigint NOT NULL,
      -- Who took the term, for people.
      leader text NOT NULL,
      since  timestamptz NOT NULL
    );
    INSERT INTO writer VALUES (1, 0, '', now());

    CREATE TABLE audit (
      sequence      bigint PRIMARY KEY,
      previous_hash text NOT NULL,
      hash          text NOT NULL UNIQUE,
      -- Canonical JSON of the entry without its hash: the bytes that were hashed.
      body          text NOT NULL
    );

    CREATE TABLE book (
      version        bigint PRIMARY KEY,
      hash           text NOT NULL UNIQUE,
      previous_hash  text NOT NULL,
      decided_at     bigint NOT NULL,
      effective_at   bigint NOT NULL,
      audit_sequence bigint NOT NULL UNIQUE REFERENCES audit (sequence),
      -- Of the leader that published it.
      term           bigint NOT NULL,
      -- Canonical JSON of the book without its hash: the bytes that were hashed.
      body           text NOT NULL
    );
    CREATE INDEX book_by_effective_at ON book (effective_at, version);

    -- One row where a market's brackets differ from the book before. Derived from the books and verified against them.
    CREATE TABLE schedule_change (
      symbol        text COLLATE "C" NOT NULL,
      version       bigint NOT NULL REFERENCES book (version),
      max_leverage  double precision NOT NULL,
      binding_bound text NOT NULL,
      move          text NOT NULL,
      reasons       text NOT NULL,
      PRIMARY KEY (symbol, version)
    );
    CREATE INDEX schedule_change_by_version ON schedule_change (version);

    CREATE TABLE user_policy (
      user_id                     text COLLATE "C" PRIMARY KEY,
      max_leverage                double precision,
      account_created_at          bigint,
      own_initial_margin_rate_ppm bigint,
      notional_coef_micros        bigint,
      experience_class            text,
      override_max_leverage       double precision,
      override_expires_at         bigint,
      override_reason             text,
      updated_at                  bigint NOT NULL,
      -- The entry that set it: whoever follows reads what is newer than what it has.
      audit_sequence              bigint NOT NULL REFERENCES audit (sequence)
    );
    CREATE INDEX user_policy_by_audit_sequence ON user_policy (audit_sequence);

    CREATE TABLE training_run (
      id            text COLLATE "C" PRIMARY KEY,
      started_at    bigint NOT NULL,
      finished_at   bigint,
      result        text NOT NULL CHECK (result IN ('running', 'succeeded', 'failed')),
      model_version text,
      "trigger"     text NOT NULL,
      message       text NOT NULL
    );
    CREATE INDEX training_run_by_start ON training_run (started_at);

    -- What the watches of live forecasts go on from after a restart.
    CREATE TABLE watch_entry (
      name text COLLATE "C" PRIMARY KEY,
      body text NOT NULL
    );

    -- Where each change that people made stands. What it says is in its audit entry; the columns only find it.
    CREATE TABLE governance_change (
      number         bigint PRIMARY KEY,
      id             text NOT NULL UNIQUE,
      requested_at   bigint NOT NULL,
      -- When it ends if nobody does anything more.
      ends_at        bigint NOT NULL,
      -- Of the last step.
      revision       bigint NOT NULL,
      stepped_at     bigint NOT NULL,
      audit_sequence bigint NOT NULL REFERENCES audit (sequence)
    );
    CREATE INDEX governance_change_by_end ON governance_change (ends_at);
    CREATE INDEX governance_change_by_revision ON governance_change (revision);

    CREATE TABLE idempotency_key (
      actor          text NOT NULL,
      key            text NOT NULL,
      request_hash   text NOT NULL,
      revision       bigint NOT NULL,
      audit_sequence bigint NOT NULL REFERENCES audit (sequence),
      PRIMARY KEY (actor, key)
    );
    CREATE INDEX idempotency_key_by_age ON idempotency_key (audit_sequence);

    -- What books were decided from, in parts that are kept once for all books that share them.
    CREATE TABLE input_part (
      -- SHA-256 of the bytes before they were compressed.
      hash         text PRIMARY KEY,
      -- The newest book that was decided from it.
      last_version bigint NOT NULL,
      -- Zstandard.
      body         bytea NOT NULL
    );
    ALTER TABLE input_part ALTER COLUMN body SET STORAGE EXTERNAL;
    CREATE INDEX input_part_by_last_version ON input_part (last_version);

    CREATE TABLE decision_input (
      version bigint PRIMARY KEY REFERENCES book (version),
      -- Canonical JSON of the hashes of its parts; its own hash is in the book.
      body    text NOT NULL
    );

    CREATE TABLE checkpoint (
      number bigint PRIMARY KEY,
      -- JSON of the whole checkpoint, its signature included.
      body   text NOT NULL
    );

    -- What is pushed, in the order in which it is told.
    CREATE TABLE outbox (
      sequence            bigint PRIMARY KEY,
      kind                text NOT NULL,
      at                  bigint NOT NULL,
      -- The accounts that it comes from, and its sequence there, where it tells an intervention.
      intervention_source text,
      intervention        bigint,
      body                text NOT NULL,
      UNIQUE (intervention_source, intervention)
    );

    -- How far each reader that is called by us has come, and how far interventions were taken over.
    CREATE TABLE outbox_cursor (
      reader   text PRIMARY KEY,
      sequence bigint NOT NULL
    );

    -- Events that a reader could not be given, with why.
    CREATE TABLE outbox_buried (
      reader   text NOT NULL,
      sequence bigint NOT NULL,
      reason   text NOT NULL,
      at       bigint NOT NULL,
      PRIMARY KEY (reader, sequence)
    );

    -- Keys that commands made. Rows stay when a key is over: a service that had keys does not open again.
    CREATE TABLE api_key (
      -- The beginning of the SHA-256, which everybody may see.
      id             text COLLATE "C" PRIMARY KEY,
      name           text NOT NULL,
      role           text NOT NULL,
      -- JSON lists; NULL for all of the role, and for all users and accounts.
      scopes         text,
      subjects       text,
      sha256         text NOT NULL UNIQUE,
      -- Encrypted by signing.key of the data folder; NULL where nothing need be signed.
      sealed_secret  bytea,
      created_at     bigint NOT NULL,
      expires_at     bigint,
      revoked_at     bigint,
      -- The entry of its last change.
      audit_sequence bigint NOT NULL REFERENCES audit (sequence)
    );
    CREATE INDEX api_key_by_audit_sequence ON api_key (audit_sequence);

    -- Answers to writes that named an Idempotency-Key, for those that come again.
    CREATE TABLE answered_write (
      actor        text NOT NULL,
      key          text NOT NULL,
      request_hash text NOT NULL,
      at           bigint NOT NULL,
      status       integer NOT NULL,
      body         text NOT NULL,
      PRIMARY KEY (actor, key)
    );
    CREATE INDEX answered_write_by_age ON answered_write (at);

    -- What each decision allowed of each market, and forecast of it.
    CREATE TABLE market_track (
      version             bigint NOT NULL REFERENCES book (version),
      symbol              text COLLATE "C" NOT NULL,
      as_of               bigint NOT NULL,
      close               float8,
      max_leverage        float8 NOT NULL,
      binding_bound       text NOT NULL,
      horizon_hours       float8 NOT NULL,
      confidence          float8 NOT NULL,
      long_value_at_risk  float8,
      short_value_at_risk float8,
      PRIMARY KEY (version, symbol)
    );
    CREATE INDEX market_track_by_time ON market_track (as_of);

    -- Nonces of signed requests, so that one that came to one process does not come again to another.
    CREATE TABLE used_nonce (
      nonce text PRIMARY KEY,
      -- Beyond its time a signed request is refused without this.
      until bigint NOT NULL
    );
    CREATE INDEX used_nonce_by_end ON used_nonce (until);
    `,
  },
  {
    worksFrom: 1,
    sql: `
    -- Trainings that workers share. Their jobs are in a schema of their own; what came of them is in training_run.
    CREATE TABLE shared_training (
      run        text COLLATE "C" PRIMARY KEY REFERENCES training_run (id),
      -- Bars before this time are looked at, epoch milliseconds.
      window_end bigint NOT NULL,
      -- Whoever is not done by then has failed.
      deadline   timestamptz NOT NULL,
      state      text NOT NULL CHECK (state IN ('asked', 'open', 'succeeded', 'failed')),
      -- JSON of what whoever asked holds the result to.
      terms      text NOT NULL,
      -- JSON of what its pieces are made of and what they are; NULL until a worker has looked at its bars.
      plan       text
    );
    -- One run for each window of data, unless that failed, and one at a time.
    CREATE UNIQUE INDEX shared_training_by_window ON shared_training (window_end) WHERE state <> 'failed';
    CREATE UNIQUE INDEX shared_training_at_work ON shared_training ((true)) WHERE state IN ('asked', 'open');

    -- Finished pieces of a run that is at work.
    CREATE TABLE training_piece (
      run    text COLLATE "C" NOT NULL REFERENCES shared_training (run),
      name   text COLLATE "C" NOT NULL,
      sha256 text NOT NULL,
      -- Who made it, for people.
      worker text NOT NULL,
      body   bytea NOT NULL,
      PRIMARY KEY (run, name)
    );
    ALTER TABLE training_piece ALTER COLUMN body SET STORAGE EXTERNAL;

    -- Versions that were trained or promoted anywhere, file by file.
    CREATE TABLE model_version (
      version text COLLATE "C" PRIMARY KEY,
      at      timestamptz NOT NULL DEFAULT now()
    );
    CREATE TABLE model_file (
      version text COLLATE "C" NOT NULL REFERENCES model_version (version),
      name    text COLLATE "C" NOT NULL,
      sha256  text NOT NULL,
      body    bytea NOT NULL,
      PRIMARY KEY (version, name)
    );

    -- Who is champion and challenger.
    CREATE TABLE model_alias (
      id       integer PRIMARY KEY CHECK (id = 1),
      -- Counts changes.
      revision bigint NOT NULL,
      body     text NOT NULL
    );
    `,
  },
];
