import { join } from 'node:path';
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type {
  AuditDraft,
  AuditEntry,
  ChainVerification,
  FeedDraft,
  HistoryEntry,
  ServiceStore,
  TrackPoint,
  TrainingRun,
  UserPolicy,
  WatchEntry,
} from '../src/control/ports.ts';
import { canonicalJson } from '../src/limits/chain.ts';
import type { Checkpoint, PublicKeys } from '../src/limits/checkpoint.ts';
import type { EncodedInputs } from '../src/limits/decision-inputs.ts';
import type { LimitBook } from '../src/limits/types.ts';
import { auditEntryOf, auditLink, bookOf, headOf, requireSuccessor, sealedBody } from './chain-rows.ts';
import type { ProofOptions } from './proof-parts.ts';
import { type SchedulesBySymbol, scheduleChanges, schedulesOf } from './schedule-changes.ts';
import { SqliteAnsweredWrites } from './sqlite-answered-writes.ts';
import { SqliteChainReader } from './sqlite-chain-reader.ts';
import { openStateFile, STATE_FILE_NAME, type StateFileOptions } from './sqlite-database.ts';
import { asStoreError, inTransaction, translateErrors } from './sqlite-file.ts';
import { SqliteGovernanceStore } from './sqlite-governance.ts';
import { SqliteKeyStore } from './sqlite-key-store.ts';
import { SqliteOutbox } from './sqlite-outbox.ts';
import { SqliteProof } from './sqlite-proof.ts';
import { SqliteTrack } from './sqlite-track.ts';
import { historyEntry, type Row, trainingRun, userPolicy } from './state-rows.ts';
import { verifyChains } from './verify-chains.ts';
import { chainFault } from './verify-proof.ts';

/**
 * The state store on SQLite: one file in the data folder, read by any number of processes while the service writes.
 * A commit is on disk when a call returns. Books and audit entries are kept as the canonical JSON that was hashed,
 * and a book is handed out only if its hash still holds.
 *
 * SQLite works in the calling thread; each call is a few small statements, and a write waits for one disk flush.
 */
export class SqliteStateStore implements ServiceStore {
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
      insertEvents: (events) => this.outbox.insert(events),
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
    revision?: number,
  ): Promise<void> {
    const body = sealedBody(book);
    const schedules = schedulesOf(book);
    this.#try(() =>
      inTransaction(this.#database, () => {
        const previous = this.#requireSuccessor(book);
        if (revision !== undefined) this.governance.requireRevision(revision);
        const sequence = this.#insertAudit(audit).sequence;
        this.#statements.insertBook.run(
          book.version,
          book.hash,
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
    this.#latest = { hash: book.hash, schedules };
  }

  /** Fails with CONFLICT unless `book` follows the newest stored one; returns the brackets that it replaces. */
  #requireSuccessor(book: LimitBook): SchedulesBySymbol {
    const head = headOf(this.#statements.bookHead.get());
    requireSuccessor(book, head);
    if (head.position === 0) return new Map();
    if (this.#latest?.hash === head.hash) return this.#latest.schedules;
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
    return this.#try(() => this.#statements.history.all(symbol, until, limit).map(historyEntry));
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
    const { entry, body } = auditLink(draft, headOf(this.#statements.auditHead.get()));
    this.#statements.insertAudit.run(entry.sequence, entry.previousHash, entry.hash, body);
    return entry;
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
    return this.#try(() => headOf(this.#statements.auditHead.get()).position);
  }

  async appendCheckpoint(at: number): Promise<void> {
    this.#try(() => inTransaction(this.#database, () => this.#proof.insertCheckpoint(at)));
  }

  async latestCheckpoint(): Promise<Checkpoint | null> {
    return this.#try(() => this.#proof.latestCheckpoint());
  }

  async checkpointFault(checkpoint: Checkpoint): Promise<string | null> {
    return this.#readChains((reader) => chainFault(reader, checkpoint));
  }

  async verify(keys: PublicKeys = new Map()): Promise<ChainVerification> {
    return this.#readChains((reader) => verifyChains(reader, keys));
  }

  /** With a connection of its own, so that what is written meanwhile is no part of its snapshot. */
  async #readChains<T>(work: (reader: SqliteChainReader) => Promise<T>): Promise<T> {
    const reader = this.#try(() => new SqliteChainReader(this.#path));
    try {
      return await work(reader);
    } catch (thrown) {
      throw asStoreError(this.#path, thrown);
    } finally {
      reader.close();
    }
  }

  async putUser(policy: UserPolicy, audit: AuditDraft, events: readonly FeedDraft[] = []): Promise<number> {
    return this.#try(() =>
      inTransaction(this.#database, () => {
        const { sequence } = this.#insertAudit(audit);
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
        if (events.length > 0) this.outbox.insert(events);
        return sequence;
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
    return bookOf(row, this.#path);
  }

  #auditEntry(row: Row): AuditEntry {
    return auditEntryOf(row, this.#path);
  }
}

type Statements = ReturnType<typeof prepareStatements>;

function prepareStatements(database: DatabaseSync) {
  const prepare = (sql: string): StatementSync => database.prepare(sql);
  const book = 'version, hash, previous_hash, body FROM book';
  const audit = 'sequence, hash, previous_hash, body FROM audit';
  return {
    bookHead: prepare('SELECT version AS position, hash FROM book ORDER BY version DESC LIMIT 1'),
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
    auditHead: prepare('SELECT sequence AS position, hash FROM audit ORDER BY sequence DESC LIMIT 1'),
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
