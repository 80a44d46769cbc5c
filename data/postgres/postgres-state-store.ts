import type {
  AuditDraft,
  AuditEntry,
  ChainVerification,
  FeedDraft,
  HistoryEntry,
  SharedStore,
  StoreHeads,
  TrackPoint,
  TrainingRun,
  UserPolicy,
  WatchEntry,
} from '../../src/control/ports.ts';
import { PlimsollError } from '../../src/errors.ts';
import { canonicalJson, GENESIS_HASH } from '../../src/limits/chain.ts';
import type { Checkpoint, PublicKeys } from '../../src/limits/checkpoint.ts';
import type { EncodedInputs } from '../../src/limits/decision-inputs.ts';
import type { LimitBook } from '../../src/limits/types.ts';
import { auditEntryOf, bookOf, type ChainHead, requireSuccessor, sealedBody } from '../chain-rows.ts';
import { requireRevision } from '../governance-rows.ts';
import type { ProofOptions } from '../proof-parts.ts';
import {
  type ScheduleChange,
  type SchedulesBySymbol,
  scheduleChanges,
  schedulesOf,
} from '../schedule-changes.ts';
import { historyEntry, trainingRun, userPolicy } from '../state-rows.ts';
import { verifyChains } from '../verify-chains.ts';
import { chainFault } from '../verify-proof.ts';
import { auditHead, bookHead, insertAudit, wakeFollowers } from './chain.ts';
import { type DatabaseOptions, PostgresDatabase, type Session } from './database.ts';
import { prepareDatabase } from './migrate.ts';
import type { Migration } from './migrations.ts';
import { PostgresAnsweredWrites } from './postgres-answered-writes.ts';
import { PostgresChainReader } from './postgres-chain-reader.ts';
import { newestRevision, PostgresGovernanceStore } from './postgres-governance.ts';
import { PostgresKeyStore } from './postgres-key-store.ts';
import { PostgresOutbox } from './postgres-outbox.ts';
import { PostgresProof } from './postgres-proof.ts';
import { insertTrack, trackBetween, trackSince } from './postgres-track.ts';

export interface PostgresStoreOptions extends ProofOptions, Omit<DatabaseOptions, 'settings'> {
  /** The term in which this process leads; null while it does not. Without one it never publishes. */
  readonly term?: () => number | null;
  /** Names the accounts whose interventions this process tells. */
  readonly source?: () => string;
  /** Without it a schema that is older than this program is refused. */
  readonly mayMigrate?: boolean;
  readonly migrations?: readonly Migration[];
}

const BOOK = 'version, hash, previous_hash, body FROM book';
const AUDIT = 'sequence, hash, previous_hash, body FROM audit';

/**
 * The state store on PostgreSQL, for any number of processes. A commit is on the server's disk when a call returns. All who write a
 * chain do so one after the other, and a book is published only by whoever has the newest term. Books and audit entries are kept as
 * the canonical JSON that was hashed, and a book is handed out only if its hash still holds.
 */
export class PostgresStateStore implements SharedStore {
  readonly governance: PostgresGovernanceStore;
  readonly keys: PostgresKeyStore;
  readonly answers: PostgresAnsweredWrites;
  readonly outbox: PostgresOutbox;
  readonly #database: PostgresDatabase;
  readonly #proof: PostgresProof;
  readonly #term: () => number | null;
  /** The brackets of the newest book, so that publishing does not read back what was just written. */
  #latest: { readonly hash: string; readonly schedules: SchedulesBySymbol } | undefined;

  private constructor(database: PostgresDatabase, options: PostgresStoreOptions) {
    this.#database = database;
    this.#proof = new PostgresProof(options);
    this.#term = options.term ?? (() => null);
    this.outbox = new PostgresOutbox(database, options.source ?? (() => ''));
    this.governance = new PostgresGovernanceStore(database, this.outbox);
    this.keys = new PostgresKeyStore(database);
    this.answers = new PostgresAnsweredWrites(database);
  }

  /** See `prepareDatabase` for what it throws. */
  static async open(options: PostgresStoreOptions): Promise<PostgresStateStore> {
    const { settings } = await prepareDatabase(options.url, options.mayMigrate, options.migrations);
    return new PostgresStateStore(new PostgresDatabase({ ...options, settings }), options);
  }

  async latestBook(): Promise<LimitBook | null> {
    return this.#book(`SELECT ${BOOK} ORDER BY version DESC LIMIT 1`);
  }

  async bookByVersion(version: number): Promise<LimitBook | null> {
    return this.#book(`SELECT ${BOOK} WHERE version = $1`, [version]);
  }

  async bookAsOf(time: number): Promise<LimitBook | null> {
    // A later version replaces an earlier one that was announced for a later time: the version decides, not the time.
    return this.#book(
      `SELECT ${BOOK} WHERE version = (SELECT max(version) FROM book WHERE effective_at <= $1)`,
      [time],
    );
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
    const packed = inputs === undefined ? null : await this.#proof.pack(this.#database, book, inputs);
    await this.#database.write(async (session, newestTerm) => {
      const term = this.#requireTerm(newestTerm);
      const head = await bookHead(session);
      requireSuccessor(book, head);
      if (revision !== undefined) requireRevision(await newestRevision(session), revision);
      const previous = await this.#schedulesAt(session, head);
      const { sequence } = await insertAudit(session, audit);
      await session.rows(
        `INSERT INTO book
           (version, hash, previous_hash, decided_at, effective_at, audit_sequence, term, body)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
        [book.version, book.hash, book.previousHash, book.decidedAt, book.effectiveAt, sequence, term, body],
      );
      await insertChanges(session, book.version, scheduleChanges(book, schedules, previous));
      if (packed !== null) await this.#proof.insertInputs(session, book, packed);
      if (events.length > 0) await this.outbox.insert(session, events);
      if (track.length > 0) await insertTrack(session, track);
      await this.#proof.insertCheckpoint(session, audit.at);
      await wakeFollowers(session);
    });
    this.#latest = { hash: book.hash, schedules };
  }

  /** The fence: whoever was paused, or cut off, and comes back finds that a later term was taken. */
  #requireTerm(newest: number): number {
    const mine = this.#term();
    if (mine !== null && mine === newest) return mine;
    const what = mine === null ? 'this process does not lead' : `term ${mine} is over`;
    throw new PlimsollError('NOT_LEADING', `${what}: term ${newest} is the newest`, {
      remedy: 'Nothing need be done: whoever leads publishes, and this process takes over when it can.',
      details: { term: mine, newest },
    });
  }

  async #schedulesAt(session: Session, { position, hash }: ChainHead): Promise<SchedulesBySymbol> {
    if (position === 0) return new Map();
    if (this.#latest?.hash === hash) return this.#latest.schedules;
    const row = await session.row(`SELECT ${BOOK} WHERE version = $1`, [position]);
    const previous = bookOf(row, this.#database.where);
    return previous === null ? new Map() : schedulesOf(previous);
  }

  async inputs(version: number): Promise<EncodedInputs | null> {
    return this.#proof.inputs(this.#database, version);
  }

  async history(
    symbol: string,
    limit: number,
    until = Number.MAX_SAFE_INTEGER,
  ): Promise<readonly HistoryEntry[]> {
    const rows = await this.#database.rows(
      `SELECT c.version, b.decided_at, b.effective_at, c.max_leverage, c.binding_bound, c.move, c.reasons, b.hash
       FROM schedule_change c JOIN book b ON b.version = c.version
       WHERE c.symbol = $1 AND b.effective_at <= $2 ORDER BY c.version DESC LIMIT $3`,
      [symbol, until, limit],
    );
    return rows.map(historyEntry);
  }

  track(symbol: string, from: number, to: number, limit: number): Promise<readonly TrackPoint[]> {
    return trackBetween(this.#database, symbol, from, to, limit);
  }

  trackSince(asOf: number): Promise<readonly TrackPoint[]> {
    return trackSince(this.#database, asOf);
  }

  async appendAudit(draft: AuditDraft): Promise<AuditEntry> {
    return this.#database.write((session) => insertAudit(session, draft));
  }

  async auditAfter(sequence: number, limit: number): Promise<readonly AuditEntry[]> {
    const rows = await this.#database.rows(`SELECT ${AUDIT} WHERE sequence > $1 ORDER BY sequence LIMIT $2`, [
      sequence,
      limit,
    ]);
    return rows.map((row) => auditEntryOf(row, this.#database.where));
  }

  async auditEntry(sequence: number): Promise<AuditEntry | null> {
    const row = await this.#database.row(`SELECT ${AUDIT} WHERE sequence = $1`, [sequence]);
    return row === undefined ? null : auditEntryOf(row, this.#database.where);
  }

  async auditLength(): Promise<number> {
    return (await auditHead(this.#database)).position;
  }

  async appendCheckpoint(at: number): Promise<void> {
    await this.#database.write((session) => this.#proof.insertCheckpoint(session, at));
  }

  async latestCheckpoint(): Promise<Checkpoint | null> {
    return this.#proof.latestCheckpoint(this.#database);
  }

  async checkpointFault(checkpoint: Checkpoint): Promise<string | null> {
    return chainFault(this.#chains(), checkpoint);
  }

  async verify(keys: PublicKeys = new Map()): Promise<ChainVerification> {
    return verifyChains(this.#chains(), keys);
  }

  async putUser(policy: UserPolicy, audit: AuditDraft, events: readonly FeedDraft[] = []): Promise<number> {
    return this.#database.write(async (session) => {
      const { sequence } = await insertAudit(session, audit);
      await session.rows(
        `INSERT INTO user_policy
           (user_id, max_leverage, account_created_at, own_initial_margin_rate_ppm, notional_coef_micros,
            experience_class, override_max_leverage, override_expires_at, override_reason, updated_at, audit_sequence)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
         ON CONFLICT (user_id) DO UPDATE SET max_leverage = excluded.max_leverage,
           account_created_at = excluded.account_created_at,
           own_initial_margin_rate_ppm = excluded.own_initial_margin_rate_ppm,
           notional_coef_micros = excluded.notional_coef_micros, experience_class = excluded.experience_class,
           override_max_leverage = excluded.override_max_leverage,
           override_expires_at = excluded.override_expires_at, override_reason = excluded.override_reason,
           updated_at = excluded.updated_at, audit_sequence = excluded.audit_sequence`,
        [
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
          sequence,
        ],
      );
      if (events.length > 0) await this.outbox.insert(session, events);
      await wakeFollowers(session);
      return sequence;
    });
  }

  async user(userId: string): Promise<UserPolicy | null> {
    const row = await this.#database.row('SELECT * FROM user_policy WHERE user_id = $1', [userId]);
    return row === undefined ? null : userPolicy(row);
  }

  async users(): Promise<readonly UserPolicy[]> {
    return (await this.#database.rows('SELECT * FROM user_policy ORDER BY user_id')).map(userPolicy);
  }

  async recordTrainingRun(run: TrainingRun): Promise<void> {
    await this.#database.rows(
      `INSERT INTO training_run (id, started_at, finished_at, result, model_version, "trigger", message)
       VALUES ($1, $2, $3, $4, $5, $6, $7)
       ON CONFLICT (id) DO UPDATE SET started_at = excluded.started_at, finished_at = excluded.finished_at,
         result = excluded.result, model_version = excluded.model_version, "trigger" = excluded."trigger",
         message = excluded.message`,
      [run.id, run.startedAt, run.finishedAt, run.result, run.modelVersion, run.trigger, run.message],
    );
  }

  async trainingRuns(limit: number): Promise<readonly TrainingRun[]> {
    const rows = await this.#database.rows(
      'SELECT * FROM training_run ORDER BY started_at DESC, id DESC LIMIT $1',
      [limit],
    );
    return rows.map(trainingRun);
  }

  async watchEntries(prefix: string): Promise<readonly WatchEntry[]> {
    const rows = await this.#database.rows(
      'SELECT name, body FROM watch_entry WHERE starts_with(name, $1) ORDER BY name',
      [prefix],
    );
    return rows.map(({ name, body }) => ({ name: name as string, body: body as string }));
  }

  async putWatchEntries(entries: readonly WatchEntry[]): Promise<void> {
    await this.#database.transaction(async (session) => {
      for (const { name, body } of entries) {
        if (body === null) await session.rows('DELETE FROM watch_entry WHERE name = $1', [name]);
        else
          await session.rows(
            `INSERT INTO watch_entry (name, body) VALUES ($1, $2)
             ON CONFLICT (name) DO UPDATE SET body = excluded.body`,
            [name, body],
          );
      }
    });
  }

  async heads(): Promise<StoreHeads> {
    const row = await this.#database.rowNow(
      `SELECT b.version, b.hash,
         (SELECT max(revision) FROM governance_change) AS revision,
         (SELECT max(audit_sequence) FROM user_policy) AS users,
         (SELECT max(sequence) FROM outbox) AS events
       FROM (SELECT 1) AS always LEFT JOIN
         (SELECT version, hash FROM book ORDER BY version DESC LIMIT 1) AS b ON true`,
    );
    return {
      version: Number(row?.version ?? 0),
      hash: (row?.hash as string | null | undefined) ?? GENESIS_HASH,
      revision: Number(row?.revision ?? 0),
      users: Number(row?.users ?? 0),
      events: Number(row?.events ?? 0),
    };
  }

  async bookHash(version: number): Promise<string | null> {
    return ((await this.#chains().bookHash(version)) as string | undefined) ?? null;
  }

  async usersAfter(sequence: number, limit: number) {
    const rows = await this.#database.rows(
      'SELECT * FROM user_policy WHERE audit_sequence > $1 ORDER BY audit_sequence LIMIT $2',
      [sequence, limit],
    );
    return rows.map((row) => ({ policy: userPolicy(row), sequence: row.audit_sequence as number }));
  }

  async claimNonce(nonce: string, until: number, now: number): Promise<boolean> {
    await this.#database.rows('DELETE FROM used_nonce WHERE until < $1', [now]);
    const taken = await this.#database.rows(
      'INSERT INTO used_nonce (nonce, until) VALUES ($1, $2) ON CONFLICT DO NOTHING RETURNING nonce',
      [nonce, until],
    );
    return taken.length > 0;
  }

  /** Waits for what runs. Closing twice is allowed. */
  async close(): Promise<void> {
    await this.#database.close();
  }

  #chains(): PostgresChainReader {
    return new PostgresChainReader(this.#database, this.#proof);
  }

  async #book(sql: string, values: readonly unknown[] = []): Promise<LimitBook | null> {
    return bookOf(await this.#database.row(sql, values), this.#database.where);
  }
}

async function insertChanges(
  session: Session,
  version: number,
  changes: readonly ScheduleChange[],
): Promise<void> {
  if (changes.length === 0) return;
  await session.rows(
    `INSERT INTO schedule_change (version, symbol, max_leverage, binding_bound, move, reasons)
     SELECT $1, * FROM unnest($2::text[], $3::double precision[], $4::text[], $5::text[], $6::text[])`,
    [
      version,
      changes.map(({ symbol }) => symbol),
      changes.map(({ maxLeverage }) => maxLeverage),
      changes.map(({ bindingBound }) => bindingBound),
      changes.map(({ move }) => move),
      changes.map(({ reasons }) => canonicalJson(reasons)),
    ],
  );
}
