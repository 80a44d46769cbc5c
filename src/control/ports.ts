import type { UserLimits } from '../accounts/user-limits.ts';
import type { LevelState } from '../forecast/level-tracking.ts';
import type { Checkpoint, PublicKeys } from '../limits/checkpoint.ts';
import type { EncodedInputs } from '../limits/decision-inputs.ts';
import type { LimitBook } from '../limits/types.ts';
import type { AnsweredWriteStore } from './access/answered-writes.ts';
import type { KeyStore } from './access/keys.ts';
import type { FeedDraft, FeedEvent } from './feed/feed-event.ts';
import type { Change } from './governance/change.ts';
import type { TrackPoint } from './track-point.ts';

export interface BuriedEvent {
  readonly reader: string;
  readonly sequence: number;
  readonly reason: string;
  /** Epoch milliseconds. */
  readonly at: number;
}

/** Events to push, in one order. */
export interface OutboxStore {
  /** Durable when it returns. */
  appendEvents(drafts: readonly FeedDraft[]): Promise<void>;
  /** In their order, those after a sequence. */
  eventsAfter(sequence: number, limit: number): Promise<readonly FeedEvent[]>;
  /** Sequence of the newest event; 0 before the first. */
  lastEvent(): Promise<number>;
  /** Sequence of the oldest event that is kept; null where there is none. */
  oldestEvent(): Promise<number | null>;
  /** Sequence of the newest intervention that has an event; 0 before the first. */
  lastIntervention(): Promise<number>;
  /** How far somebody has read; null where that was never written down. */
  cursor(reader: string): Promise<number | null>;
  setCursor(reader: string, sequence: number): Promise<void>;
  /** An event that a reader could not be given. */
  bury(lost: BuriedEvent): Promise<void>;
  /** Newest first. */
  buried(limit: number): Promise<readonly BuriedEvent[]>;
}

/** What the control plane asks of the state store. */
export interface StateStore {
  readonly governance: GovernanceStore;
  readonly outbox: OutboxStore;
  latestBook(): Promise<LimitBook | null>;
  bookByVersion(version: number): Promise<LimitBook | null>;
  /** The book that was in force at a time (newest with effectiveAt ≤ time). */
  bookAsOf(time: number): Promise<LimitBook | null>;
  /**
   * Makes the book durable together with its audit entry, what it was decided from, what is told of it, the points of its
   * markets' tracks and a checkpoint, in one transaction; returns only once all would survive a crash. Fails with CONFLICT
   * unless the book's version and previousHash follow the latest stored one, and where people made a step beyond `revision`;
   * with NOT_LEADING where several processes share the store and another one decides.
   *
   * @param revision of governance that the book was decided with; not looked at without one.
   */
  publish(
    book: LimitBook,
    audit: AuditDraft,
    inputs?: EncodedInputs,
    events?: readonly FeedDraft[],
    track?: readonly TrackPoint[],
    revision?: number,
  ): Promise<void>;
  /** What a book was decided from; null where it is not kept. */
  inputs(version: number): Promise<EncodedInputs | null>;
  /** Where a market's schedule changed, newest first; only changes in force by `until` (epoch milliseconds). */
  history(symbol: string, limit: number, until?: number): Promise<readonly HistoryEntry[]>;
  /** Decisions of a market with `from` ≤ asOf ≤ `to` (epoch milliseconds): the newest `limit` of them, oldest first. */
  track(symbol: string, from: number, to: number, limit: number): Promise<readonly TrackPoint[]>;
  /** The same of all markets from a time on, oldest first. */
  trackSince(asOf: number): Promise<readonly TrackPoint[]>;
  appendAudit(draft: AuditDraft): Promise<AuditEntry>;
  auditAfter(sequence: number, limit: number): Promise<readonly AuditEntry[]>;
  auditEntry(sequence: number): Promise<AuditEntry | null>;
  /** How many entries the chain has. */
  auditLength(): Promise<number>;
  /** Signs how far both chains go, where they went on since the last checkpoint. Does nothing without a key. */
  appendCheckpoint(at: number): Promise<void>;
  latestCheckpoint(): Promise<Checkpoint | null>;
  /** Recomputes everything; the first that does not hold of each kind, or null. `keys` are those whose checkpoints are believed. */
  verify(keys?: PublicKeys): Promise<ChainVerification>;
  /**
   * Makes the policy durable together with its audit entry, in one transaction.
   *
   * @returns the number of that entry: of two policies of a user, the one with the higher is in force.
   */
  putUser(policy: UserPolicy, audit: AuditDraft, events?: readonly FeedDraft[]): Promise<number>;
  user(userId: string): Promise<UserPolicy | null>;
  users(): Promise<readonly UserPolicy[]>;
  recordTrainingRun(run: TrainingRun): Promise<void>;
  trainingRuns(limit: number): Promise<readonly TrainingRun[]>;
  /** What the watches of forecasts keep between starts, by the beginning of its name. */
  watchEntries(prefix: string): Promise<readonly WatchEntry[]>;
  /** Makes all of it durable in one transaction; a body of null removes the entry. */
  putWatchEntries(entries: readonly WatchEntry[]): Promise<void>;
  close(): Promise<void>;
}

/** All that a service keeps in one place. Adapters: `data/sqlite-state-store.ts`, `data/postgres`. */
export interface ServiceStore extends StateStore {
  readonly keys: KeyStore;
  readonly answers: AnsweredWriteStore;
  /** Whether both chains still go through what a checkpoint saw: null, or what is wrong. Its signature is not judged. */
  checkpointFault(checkpoint: Checkpoint): Promise<string | null>;
}

/** Where the parts of a store have come to; what is the same as before need not be read. */
export interface StoreHeads {
  /** Version and hash of the newest book; 0 and the genesis hash before the first. */
  readonly version: number;
  readonly hash: string;
  /** Of governance. */
  readonly revision: number;
  /** Audit entry of the newest user's policy. */
  readonly users: number;
  /** Sequence of the newest event. */
  readonly events: number;
}

/** A store that other processes write too. */
export interface SharedStore extends ServiceStore {
  heads(): Promise<StoreHeads>;
  /** Null where there is no such book. */
  bookHash(version: number): Promise<string | null>;
  /** Policies that were set after an audit entry, in their order. */
  usersAfter(
    sequence: number,
    limit: number,
  ): Promise<readonly { readonly policy: UserPolicy; readonly sequence: number }[]>;
  /** Whether a nonce is new to all processes; it is kept until then. */
  claimNonce(nonce: string, until: number, now: number): Promise<boolean>;
}

export type { Intervention } from '../accounts/interventions/intervention.ts';
export type { AnsweredWrite, AnsweredWriteStore } from './access/answered-writes.ts';
export {
  isLive,
  KEY_ID_DIGITS,
  type KeyStep,
  type KeyStore,
  type KnownKey,
  keyIdOf,
  type StoredKey,
} from './access/keys.ts';
export { ACCESS_REFUSALS, type AccessRefusal } from './access/refusals.ts';
export {
  isWriteScope,
  ROLE_SCOPES,
  ROLES,
  type Role,
  SCOPES,
  type Scope,
  scopesOf,
  widestOf,
} from './access/roles.ts';
export type {
  AccountBatch,
  AccountStore,
  InterventionFilter,
  Positions,
  StoredBatch,
  StoredSnapshot,
} from './accounts/ports.ts';
export type { FeedDraft, FeedEvent } from './feed/feed-event.ts';
export type { WebhookPost } from './feed/webhooks.ts';
export { type Change, endOf } from './governance/change.ts';
export {
  type AppendOptions,
  type Broker,
  type EventLog,
  type Extent,
  type Following,
  type Lease,
  type Leases,
  type LogEntry,
  type TakeEntries,
  type Topic,
  topicsOf,
} from './streams/event-log.ts';
export { nobodyAnswers, shardLost, shardNotHeld, streamLost } from './streams/failures.ts';
export type { AnswerQuestion, Questions } from './streams/questions.ts';
export type { TrackPoint } from './track-point.ts';

/** What people decided about limits. Every record is part of an audit entry, and read back from there. */
export interface GovernanceStore {
  /**
   * Makes a step durable together with its audit entry, in one transaction; the entry's details hold the changes. With
   * an idempotency key the same request finds them again. Fails with CONFLICT unless `revision` is the newest one.
   *
   * @returns the new revision.
   */
  record(step: GovernanceStep): Promise<number>;
  /** Counts the steps; 0 before the first. */
  revision(): Promise<number>;
  /** Newest first; those with a number below `before`. */
  changes(before: number, limit: number): Promise<readonly Change[]>;
  change(id: string): Promise<Change | null>;
  /** Those that had begun and were not over at a time, oldest first. */
  changesAt(time: number): Promise<readonly Change[]>;
  /** The highest number of a change, and the newest time of a step; 0 before the first. */
  newestChange(): Promise<{ readonly number: number; readonly at: number }>;
  /** What the request with this key has done, null where there was none. */
  recalled(actor: string, idempotencyKey: string): Promise<RecalledStep | null>;
}

export interface GovernanceStep {
  readonly changes: readonly Change[];
  readonly audit: AuditDraft;
  /** The newest revision as far as whoever decided knows. */
  readonly revision: number;
  readonly idempotency: { readonly key: string; readonly requestHash: string } | null;
  /** Told to readers of the feed. */
  readonly events?: readonly FeedDraft[];
}

export interface RecalledStep {
  readonly requestHash: string;
  readonly changes: readonly Change[];
  readonly revision: number;
}

export interface HistoryEntry {
  readonly version: number;
  /** Epoch milliseconds. */
  readonly decidedAt: number;
  readonly effectiveAt: number;
  readonly maxLeverage: number;
  readonly bindingBound: string;
  readonly move: string;
  readonly reasons: readonly string[];
  readonly hash: string;
}

export interface AuditDraft {
  /** Epoch milliseconds. */
  readonly at: number;
  readonly kind:
    | 'decision'
    | 'promotion'
    | 'rollback'
    | 'user-policy'
    | 'training'
    | 'start'
    | 'key'
    | GovernanceEntryKind;
  readonly actor: string;
  readonly subject: string;
  readonly reason: string;
  readonly details: Readonly<Record<string, unknown>>;
}

export const GOVERNANCE_ENTRY_KINDS = [
  'override',
  'approval',
  'rejection',
  'withdrawal',
  'freeze',
  'thaw',
  'emergency',
  'emergency-end',
  /** Somebody known tried what the rules forbid. */
  'refusal',
] as const;
export type GovernanceEntryKind = (typeof GOVERNANCE_ENTRY_KINDS)[number];

export interface AuditEntry extends AuditDraft {
  /** 1, 2, 3, … without gaps. */
  readonly sequence: number;
  readonly previousHash: string;
  /** SHA-256 of the previous hash and the canonical JSON of the entry without its hash. */
  readonly hash: string;
}

export interface ChainVerification {
  readonly books: number;
  /** Books whose inputs are kept, so that they can be decided again. */
  readonly replayable: number;
  readonly auditEntries: number;
  readonly checkpoints: number;
  readonly firstBadBook: { readonly version: number; readonly reason: string } | null;
  readonly firstBadAuditEntry: { readonly sequence: number; readonly reason: string } | null;
  readonly firstBadCheckpoint: { readonly number: number; readonly reason: string } | null;
  /** A user's policy or a change of people that is not as it was audited; null also where the audit chain itself is bad. */
  readonly firstBadRecord: { readonly record: string; readonly reason: string } | null;
}

/** What does not hold, in words: the first of each kind; empty where everything does. */
export function verificationFaults(found: ChainVerification): string[] {
  const { firstBadBook, firstBadAuditEntry, firstBadCheckpoint, firstBadRecord } = found;
  return [
    ...(firstBadBook === null ? [] : [`book ${firstBadBook.version}: ${firstBadBook.reason}`]),
    ...(firstBadAuditEntry === null
      ? []
      : [`audit entry ${firstBadAuditEntry.sequence}: ${firstBadAuditEntry.reason}`]),
    ...(firstBadCheckpoint === null
      ? []
      : [`checkpoint ${firstBadCheckpoint.number}: ${firstBadCheckpoint.reason}`]),
    ...(firstBadRecord === null ? [] : [`${firstBadRecord.record}: ${firstBadRecord.reason}`]),
  ];
}

/** The house's and the user's own choices about one user. */
export interface UserPolicy extends UserLimits {
  readonly userId: string;
  /** Null without an override. */
  readonly overrideReason: string | null;
  readonly updatedAt: number;
}

/** A small piece of state under a name: `shadow/record/…`. */
export interface WatchEntry {
  readonly name: string;
  readonly body: string | null;
}

/** What a training was started by: a person, the clock, drift of what the model sees or scores, lost coverage, a market that became old enough. */
export const TRAINING_TRIGGERS = ['command', 'schedule', 'api', 'drift', 'coverage', 'new-market'] as const;
export type TrainingTrigger = (typeof TRAINING_TRIGGERS)[number];

export interface TrainingRun {
  readonly id: string;
  readonly startedAt: number;
  readonly finishedAt: number | null;
  readonly result: 'running' | 'succeeded' | 'failed';
  readonly modelVersion: string | null;
  readonly trigger: TrainingTrigger;
  readonly message: string;
}

/** Where the levels of the forecasts are kept. A store that fails costs what was learned since, never a decision. */
export interface LevelStore {
  /** Null where there is nothing, or nothing whole. */
  load(): Promise<LevelState | null>;
  save(state: LevelState): Promise<void>;
}
