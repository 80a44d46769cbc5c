import { join } from 'node:path';
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type {
  AuditDraft,
  AuditEntry,
  ChainVerification,
  FeedDraft,
  HistoryEntry,
  StateStore,
  TrackPoint,
  TrainingRun,
  UserPolicy,
  WatchEntry,
} from '../src/control/ports.ts';
import { PlimsollError } from '../src/errors.ts';
import { canonicalBook, canonicalJson, chainHashOfText, GENESIS_HASH } from '../src/limits/chain.ts';
import type { Checkpoint, PublicKeys } from '../src/limits/checkpoint.ts';
import type { EncodedInputs } from '../src/limits/decision-inputs.ts';
import type { LimitBook } from '../src/limits/types.ts';
import { type SchedulesBySymbol, scheduleChanges, schedulesOf } from './schedule-changes.ts';
import { SqliteAnsweredWrites } from './sqlite-answered-writes.ts';
import { openStateFile, STATE_FILE_NAME, type StateFileOptions } from './sqlite-database.ts';
import { asStoreError, inTransaction, translateErrors } from './sqlite-file.ts';
import { SqliteGovernanceStore } from './sqlite-governance.ts';
import { SqliteKeyStore } from './sqlite-key-store.ts';
import { SqliteOutbox } from './sqlite-outbox.ts';
import { type ProofOptions, SqliteProof } from './sqlite-proof.ts';
import { type Row, trainingRun, userPolicy } from './sqlite-rows.ts';
import { SqliteTrack } from './sqlite-track.ts';
import { verifyStateFile } from './sqlite-verify.ts';
import { ChainLookup } from './verify-proof.ts';

/**
 * The state store on SQLite: one file in the data folder, read by any number of processes while the service writes.
 * A commit is on disk when a call returns. Books and audit entries are kept as the canonical JSON that was hashed,
 * and a book is handed out only if its hash still holds.
 *
 * SQLite works in the calling thread; each call is a few small statements, and a write waits for one disk flush.
 */
export class SqliteStateStore implements StateStore {
  readonly governance: SqliteGovernanceStore;
  readonly keys: SqliteKeyStore;
  readonly answers: SqliteAnsweredWrites;
  readonly outbox: SqliteOutbox;
  readonly #database: DatabaseSync;
  readonly #path: string;
  readonly #statements: Statements;
  readonly #proof: SqliteProof;
  readonly #track: SqliteTrack;
  /** The brackets of the newest book, so that publishing does not read back what was just written. */
  #latest: { readonly hash: string; readonly schedules: SchedulesBySymbol } | undefined;

  private constructor(database: DatabaseSync, path: string, options: ProofOptions) {
    this.#database = database;
    this.#path = path;
    this.#statements = prepareStatements(database);
    this.#proof = new SqliteProof(database, options);
    this.outbox = new SqliteOutbox(database, (work) => this.#try(work));
    this.#track = new SqliteTrack(database, (work) => this.#try(work));
    this.governance = new SqliteGovernanceStore(database, {
      attempt: (work) => this.#try(work),
      insertAudit: (draft) => this.#insertAudit(draft),
      auditEntry: (sequence) => this.#auditEntry(this.#statements.auditEntry.get(sequence) ?? {}),
    });
    this.answers = new SqliteAnsweredWrites(database, (work) => this.#try(work));
    this.keys = new SqliteKeyStore(database, {
      attempt: (work) => this.#try(work),
      insertAudit: (draft) => this.#insertAudit(draft),
    });
  }

  /** See `openStateFile` for what it throws. */
  static open(dataDir: string, options: StateFileOptions & ProofOptions = {}): SqliteStateStore {
    const path = join(dataDir, STATE_FILE_NAME);
    const database = openStateFile(dataDir, options);
    return translateErrors(path, () => new SqliteStateStore(database, path, options));
  }

  async latestBook(): Promise<LimitBook | null> {
    return this.#try(() => this.#book(this.#statements.latestBook.get()));
  }

  async bookByVersion(version: number): Promise<LimitBook | null> {
    return this.#try(() => this.#book(this.#statements.bookByVersion.get(version)));
  }

  async bookAsOf(time: number): Promise<LimitBook | null> {
    return this.#try(() => this.#book(this.#statements.bookAsOf.get(time)));
  }

  async publish(
    book: LimitBook,
    audit: AuditDraft,
    inputs?: EncodedInputs,
    events: readonly FeedDraft[] = [],
    track: readonly TrackPoint[] = [],
  ): Promise<void> {
    const { hash, ...content } = book;
    const body = canonicalBook(content);
    if (chainHashOfText(book.previousHash, body) !== hash) {
      throw new PlimsollError(
        'CHAIN_BROKEN',
        `the hash of book ${book.version} is not the hash of its content`,
        {
          remedy: 'Seal the book after its last change.',
        },
      );
    }
    const schedules = schedulesOf(book);
    this.#try(() =>
      inTransaction(this.#database, () => {
        const previous = this.#requireSuccessor(book);
        const sequence = this.#insertAudit(audit).sequence;
        this.#statements.insertBook.run(
          book.version,
          hash,
          book.previousHash,
          book.decidedAt,
          book.effectiveAt,
          sequence,
          body,
        );
        for (const change of scheduleChanges(book, schedules, previous)) {
          this.#statements.insertChange.run(
            change.symbol,
            book.version,
            change.maxLeverage,
            change.bindingBound,
            change.move,
            canonicalJson(change.reasons),
          );
        }
        if (inputs !== undefined) this.#proof.insertInputs(book, inputs);
        if (events.length > 0) this.outbox.insert(events);
        this.#track.insert(track);
        this.#proof.insertCheckpoint(audit.at);
      }),
    );
    this.#latest = { hash, schedules };
  }

  /** Fails with CONFLICT unless `book` follows the newest stored one; returns the brackets that it replaces. */
  #requireSuccessor(book: LimitBook): SchedulesBySymbol {
    const head = this.#statements.bookHead.get();
    const version = head === undefined ? 0 : (head.version as number);
    const hash = head === undefined ? GENESIS_HASH : (head.hash as string);
    if (book.version !== version + 1 || book.previousHash !== hash) {
      throw new PlimsollError(
        'CONFLICT',
        `book ${book.version} after ${book.previousHash.slice(0, 12)} does not follow book ${version} with hash ${hash.slice(0, 12)}`,
        {
          remedy: 'Read the newest book and decide again from it.',
          details: { version: book.version, stored: version },
        },
      );
    }
    if (version === 0) return new Map();
    if (this.#latest?.hash === hash) return this.#latest.schedules;
    const previous = this.#book(this.#statements.latestBook.get());
    return previous === null ? new Map() : schedulesOf(previous);
  }

  async inputs(version: number): Promise<EncodedInputs | null> {
    return this.#try(() => this.#proof.inputs(version));
  }

  async history(
    symbol: string,
    limit: number,
    until = Number.MAX_SAFE_INTEGER,
  ): Promise<readonly HistoryEntry[]> {
    return this.#try(() =>
      this.#statements.history.all(symbol, until, limit).map((row) => ({
        version: row.version as number,
        decidedAt: row.decided_at as number,
        effectiveAt: row.effective_at as number,
        maxLeverage: row.max_leverage as number,
        bindingBound: row.binding_bound as string,
        move: row.move as string,
        reasons: JSON.parse(row.reasons as string) as string[],
        hash: row.hash as string,
      })),
    );
  }

  track(symbol: string, from: number, to: number, limit: number): Promise<readonly TrackPoint[]> {
    return this.#track.between(symbol, from, to, limit);
  }

  trackSince(asOf: number): Promise<readonly TrackPoint[]> {
    return this.#track.since(asOf);
  }

  async appendAudit(draft: AuditDraft): Promise<AuditEntry> {
    return this.#try(() => inTransaction(this.#database, () => this.#insertAudit(draft)));
  }

  /** Needs the write lock: the entry links to the newest one. */
  #insertAudit(draft: AuditDraft): AuditEntry {
    const head = this.#statements.auditHead.get();
    const previousHash = head === undefined ? GENESIS_HASH : (head.hash as string);
    const sequence = head === undefined ? 1 : (head.sequence as number) + 1;
    // Field by field: whatever else a caller's object carries must not reach the chain.
    const { at, kind, actor, subject, reason, details } = draft;
    const entry = { at, kind, actor, subject, reason, details, sequence, previousHash };
    const body = canonicalJson(entry);
    const hash = chainHashOfText(previousHash, body);
    this.#statements.insertAudit.run(sequence, previousHash, hash, body);
    return { ...entry, hash };
  }

  async auditAfter(sequence: number, limit: number): Promise<readonly AuditEntry[]> {
    return this.#try(() =>
      this.#statements.auditAfter.all(sequence, limit).map((row) => this.#auditEntry(row)),
    );
  }

  async auditEntry(sequence: number): Promise<AuditEntry | null> {
    return this.#try(() => {
      const row = this.#statements.auditEntry.get(sequence);
      return row === undefined ? null : this.#auditEntry(row);
    });
  }

  async auditLength(): Promise<number> {
    return this.#try(() => (this.#statements.auditHead.get()?.sequence as number | undefined) ?? 0);
  }

  async appendCheckpoint(at: number): Promise<void> {
    this.#try(() => inTransaction(this.#database, () => this.#proof.insertCheckpoint(at)));
  }

  async latestCheckpoint(): Promise<Checkpoint | null> {
    return this.#try(() => this.#proof.latestCheckpoint());
  }

  /** Whether both chains still go through what a checkpoint saw: null, or what is wrong. Its signature is not judged. */
  async checkpointFault(checkpoint: Checkpoint): Promise<string | null> {
    return this.#try(() => new ChainLookup(this.#database).faultOf(checkpoint));
  }

  async verify(keys: PublicKeys = new Map()): Promise<ChainVerification> {
    try {
      return await verifyStateFile(this.#database, this.#proof, keys);
    } catch (thrown) {
      throw asStoreError(this.#path, thrown);
    }
  }

  async putUser(policy: UserPolicy, audit: AuditDraft): Promise<void> {
    this.#try(() =>
      inTransaction(this.#database, () => {
        this.#insertAudit(audit);
        this.#statements.putUser.run(
          policy.userId,
          policy.maxLeverage,
          policy.accountCreatedAt,
          policy.ownInitialMarginRatePpm,
          policy.notionalCoefMicros,
          policy.experienceClass,
          policy.overrideMaxLeverage,
          policy.overrideExpiresAt,
          policy.overrideReason,
          policy.updatedAt,
        );
      }),
    );
  }

  async user(userId: string): Promise<UserPolicy | null> {
    return this.#try(() => {
      const row = this.#statements.user.get(userId);
      return row === undefined ? null : userPolicy(row);
    });
  }

  async users(): Promise<readonly UserPolicy[]> {
    return this.#try(() => this.#statements.users.all().map(userPolicy));
  }

  async recordTrainingRun(run: TrainingRun): Promise<void> {
    this.#try(() =>
      this.#statements.putTrainingRun.run(
        run.id,
        run.startedAt,
        run.finishedAt,
        run.result,
        run.modelVersion,
        run.trigger,
        run.message,
      ),
    );
  }

  async trainingRuns(limit: number): Promise<readonly TrainingRun[]> {
    return this.#try(() => this.#statements.trainingRuns.all(limit).map(trainingRun));
  }

  async watchEntries(prefix: string): Promise<readonly WatchEntry[]> {
    return this.#try(() =>
      this.#statements.watchEntries
        .all(prefix.length, prefix)
        .map((row) => ({ name: row.name as string, body: row.body as string })),
    );
  }

  async putWatchEntries(entries: readonly WatchEntry[]): Promise<void> {
    this.#try(() =>
      inTransaction(this.#database, () => {
        for (const { name, body } of entries) {
          if (body === null) this.#statements.removeWatchEntry.run(name);
          else this.#statements.putWatchEntry.run(name, body);
        }
      }),
    );
  }

  /** Moves the write-ahead log into the file. Closing twice is allowed. */
  async close(): Promise<void> {
    if (this.#database.isOpen) this.#try(() => this.#database.close());
  }

  #try<T>(work: () => T): T {
    return translateErrors(this.#path, work);
  }

  #book(row: Row | undefined): LimitBook | null {
    if (row === undefined) return null;
    const hash = row.hash as string;
    const content = this.#checkedContent(row, `book ${row.version}`);
    return { ...(content as Omit<LimitBook, 'hash'>), hash };
  }

  #auditEntry(row: Row): AuditEntry {
    const content = this.#checkedContent(row, `audit entry ${row.sequence}`);
    return { ...(content as Omit<AuditEntry, 'hash'>), hash: row.hash as string };
  }

  #checkedContent(row: Row, what: string): unknown {
    if (chainHashOfText(row.previous_hash as string, row.body as string) !== row.hash) {
      throw new PlimsollError(
        'CHAIN_BROKEN',
        `${this.#path}: the content of ${what} is not what was stored`,
        {
          remedy: 'Run plimsoll audit verify to see what else was changed; restore the last good backup.',
        },
      );
    }
    return JSON.parse(row.body as string);
  }
}

type Statements = ReturnType<typeof prepareStatements>;

function prepareStatements(database: DatabaseSync) {
  const prepare = (sql: string): StatementSync => database.prepare(sql);
  const book = 'version, hash, previous_hash, body FROM book';
  const audit = 'sequence, hash, previous_hash, body FROM audit';
  return {
    bookHead: prepare('SELECT version, hash FROM book ORDER BY version DESC LIMIT 1'),
    latestBook: prepare(`SELECT ${book} ORDER BY version DESC LIMIT 1`),
    bookByVersion: prepare(`SELECT ${book} WHERE version = ?`),
    // A later version replaces an earlier one that was announced for a later time: the version decides, not the time.
    bookAsOf: prepare(
      `SELECT ${book} WHERE version = (SELECT max(version) FROM book WHERE effective_at <= ?)`,
    ),
    insertBook: prepare(
      `INSERT INTO book (version, hash, previous_hash, decided_at, effective_at, audit_sequence, body)
       VALUES (?, ?, ?, ?, ?, ?, ?)`,
    ),
    insertChange: prepare(
      `INSERT INTO schedule_change (symbol, version, max_leverage, binding_bound, move, reasons)
       VALUES (?, ?, ?, ?, ?, ?)`,
    ),
    history: prepare(
      `SELECT c.version, b.decided_at, b.effective_at, c.max_leverage, c.binding_bound, c.move, c.reasons, b.hash
       FROM schedule_change c JOIN book b ON b.version = c.version
       WHERE c.symbol = ? AND b.effective_at <= ? ORDER BY c.version DESC LIMIT ?`,
    ),
    auditHead: prepare('SELECT sequence, hash FROM audit ORDER BY sequence DESC LIMIT 1'),
    auditAfter: prepare(`SELECT ${audit} WHERE sequence > ? ORDER BY sequence LIMIT ?`),
    auditEntry: prepare(`SELECT ${audit} WHERE sequence = ?`),
    insertAudit: prepare('INSERT INTO audit (sequence, previous_hash, hash, body) VALUES (?, ?, ?, ?)'),
    putUser: prepare(
      `INSERT OR REPLACE INTO user_policy
         (user_id, max_leverage, account_created_at, own_initial_margin_rate_ppm, notional_coef_micros,
          experience_class, override_max_leverage, override_expires_at, override_reason, updated_at)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    ),
    user: prepare('SELECT * FROM user_policy WHERE user_id = ?'),
    users: prepare('SELECT * FROM user_policy ORDER BY user_id'),
    putTrainingRun: prepare(
      `INSERT OR REPLACE INTO training_run
         (id, started_at, finished_at, result, model_version, "trigger", message)
       VALUES (?, ?, ?, ?, ?, ?, ?)`,
    ),
    watchEntries: prepare('SELECT name, body FROM watch_entry WHERE substr(name, 1, ?) = ? ORDER BY name'),
    putWatchEntry: prepare('INSERT OR REPLACE INTO watch_entry (name, body) VALUES (?, ?)'),
    removeWatchEntry: prepare('DELETE FROM watch_entry WHERE name = ?'),
    trainingRuns: prepare('SELECT * FROM training_run ORDER BY started_at DESC, id DESC LIMIT ?'),
  };
}
