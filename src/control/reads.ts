import type { AccountFault } from '../accounts/book/account-line.ts';
import type { Intervention } from '../accounts/interventions/intervention.ts';
import type { Netting } from '../accounts/portfolio-cap.ts';
import type { SystemShape } from '../accounts/system/shapes.ts';
import type { Checkpoint } from '../limits/checkpoint.ts';
import type { GovernanceState } from '../limits/governance.ts';
import type { Policy } from '../limits/policy.ts';
import type { LimitBook } from '../limits/types.ts';
import type { AccountReading, AccountSummary, BatchReport } from './accounts/account-desk.ts';
import type { InterventionFilter } from './accounts/ports.ts';
import type { StressAnswer, StressRequest } from './accounts/system-desk.ts';
import type { CoverageReport } from './coverage-report.ts';
import type { FeedEvent } from './feed/feed-event.ts';
import type { Change } from './governance/change.ts';
import type { Acted, Conditions } from './governance/desk.ts';
import type { AnnouncedTable, Impact } from './governance/impact.ts';
import type { Actor, Command } from './governance/rules.ts';
import type { ActivityIntake } from './guard/live-activity.ts';
import type { MarkPrice, PriceIntake } from './guard/prices.ts';
import type { TrackWindow } from './market-track.ts';
import type { ModelDetail } from './model-detail.ts';
import type { AuditEntry, HistoryEntry, TrainingRun, UserPolicy } from './ports.ts';
import type { ShadowSummary } from './shadow-record.ts';
import type { TrackedMarket } from './tracked-market.ts';

/** How the service is, beside what it says. */
export interface ControlStatus {
  /** There is a book to answer from. */
  readonly ready: boolean;
  readonly degraded: boolean;
  readonly reasons: readonly string[];
  /** Close of the newest bar used, epoch milliseconds. */
  readonly dataAsOf: number | null;
  readonly lastDecisionAt: number | null;
  /** Whether this process decides. */
  readonly leads: boolean;
}

export interface ModelSummary {
  readonly name: string;
  readonly version: string;
  readonly aliases: readonly string[];
  /** ISO 8601. */
  readonly createdAt: string;
  readonly dataFrom: string;
  readonly dataTo: string;
  readonly markets: number;
  readonly simulated: boolean;
  readonly shipped: boolean;
  /** What the gates of promotion said; `none` where the version was never held against them. */
  readonly gates: 'passed' | 'failed' | 'none';
  /** How it did beside the present champion in the live service; null where it never ran in its shadow. */
  readonly shadow: ShadowSummary | null;
}

export type { CoverageReport } from './coverage-report.ts';
export type { Change } from './governance/change.ts';
export { endOf, statusOf } from './governance/change.ts';
export type { Acted, Conditions } from './governance/desk.ts';
export type { AnnouncedTable, Impact } from './governance/impact.ts';
export { type Actor, APPROVER_REMEDY, type Command } from './governance/rules.ts';
export {
  ACTIVITY_CODES,
  type ActivityCode,
  type ActivityOutcome,
  activityOutcomeOf,
  type ObservedActivity,
} from './guard/live-activity.ts';
export { type MarkPrice, outcomeOf, PRICE_CODES, type PriceCode, type PriceOutcome } from './guard/prices.ts';
export type { ModelDetail } from './model-detail.ts';

/** What people decide about limits: what is in force, and how to change it. */
export interface GovernanceAccess {
  state(): GovernanceState;
  /** The time that its rules count with; never before one that is recorded. Epoch milliseconds. */
  time(): number;
  /** Counts the steps that were made. */
  revision(): number;
  /** Those that are not over, oldest first. */
  open(): readonly Change[];
  /** Newest first; those with a number below `before`. */
  page(before: number, limit: number): Promise<readonly Change[]>;
  onChange(listener: () => void): () => void;
  /** What each change would do if it were in force now, by its id. */
  impacts(wanted: readonly Change[]): Promise<ReadonlyMap<string, Impact>>;
  /** The tables that open positions will be held to, and what they will do. */
  announced(): Promise<readonly AnnouncedTable[]>;
  /** What a command would do, if the rules allow it; nothing is written. */
  tried(
    actor: Actor,
    command: Command,
  ): Promise<{ readonly changes: readonly [Change, ...Change[]]; readonly impact: Impact | null }>;
  /** Durable when it returns. */
  act(actor: Actor, command: Command, conditions?: Conditions): Promise<Acted>;
}

export type { AccountReading, AccountSummary, BatchReport, RefusedLine } from './accounts/account-desk.ts';
export type { InterventionFilter } from './accounts/ports.ts';

/** Accounts: what they hold, and what became of them. What goes in is durable when a promise is kept. */
export interface AccountAccess {
  /** NDJSON, an account a line. */
  takeLines(text: string): Promise<BatchReport>;
  /** One account, as parsed JSON. @returns why it is not taken; null where it is. */
  take(value: unknown): Promise<AccountFault | null>;
  /** Marks that are believed. */
  mark(prices: readonly MarkPrice[]): Promise<void>;
  /** Null where nothing has come in of it. */
  reading(accountId: string): Promise<AccountReading | null>;
  readingsOfUser(userId: string): Promise<readonly AccountReading[]>;
  /**
   * The same from memory, where they were asked for before and nothing of them has changed; null otherwise. The list is the same one until
   * then.
   */
  keptReadings(userId: string): readonly AccountReading[] | null;
  /** Whether a user may have an account: false only where none is known. Answered from memory. */
  mayHold(userId: string): boolean;
  interventionsAfter(
    sequence: number,
    limit: number,
    filter: InterventionFilter,
  ): Promise<readonly Intervention[]>;
  summary(): Promise<AccountSummary>;
  /** Everybody as one system, at the newest marks; not made anew for a few seconds. */
  system(): Promise<SystemShape>;
  /** What a shock would set off; changes nothing. */
  stress(request: StressRequest): Promise<StressAnswer>;
  /** Is told of interventions that are stored, in their order. */
  onTold(listener: (interventions: readonly Intervention[]) => void): () => void;
}

export { FEED_KINDS, type FeedEvent, type FeedKind, pushedMarket } from './feed/feed-event.ts';
export { changeShape } from './governance/change-shape.ts';
export { userShape } from './user-shape.ts';

/** All that is pushed, in one order. */
export interface FeedAccess {
  /** Sequence of the newest event that was told; 0 before the first. */
  readonly last: number;
  /** Returns when all is told that was stored before. */
  settled(): Promise<void>;
  /** Is told of events in their order, each once. */
  onEvents(listener: (events: readonly FeedEvent[]) => void): () => void;
  /** Sequence of the oldest event that is kept; null where there is none. */
  oldest(): Promise<number | null>;
  eventsAfter(sequence: number, limit: number): Promise<readonly FeedEvent[]>;
}

export type { TrackWindow } from './market-track.ts';
export type { TrackedDecision, TrackedMarket } from './tracked-market.ts';

/** A part of a market's past; epoch milliseconds. */
export interface TrackRange {
  readonly from: number;
  readonly to: number;
  /** At most so many bars and decisions; 2 at least. */
  readonly points: number;
}

/** The last week of all markets, from memory once it was filled. */
export interface MarketTrackAccess {
  readonly isFilled: boolean;
  /** @param asOf close of the newest bar, epoch milliseconds. */
  fill(asOf: number): Promise<void>;
  /** The week up to a time, epoch milliseconds. */
  window(asOf: number): TrackWindow;
}

/** The read side of control, all that HTTP knows of it. What returns no promise is answered from memory. */
export interface ControlReads {
  readonly governance: GovernanceAccess;
  readonly prices: PriceIntake;
  readonly activity: ActivityIntake;
  readonly accounts: AccountAccess;
  readonly feed: FeedAccess;
  readonly marketTrack: MarketTrackAccess;
  currentBook(): LimitBook | null;
  onPublish(listener: (book: LimitBook) => void): () => void;
  status(): ControlStatus;
  policy(): Policy;
  userNow(userId: string): UserPolicy | null;
  /** How positions in different markets net; null before correlations were measured. */
  netting(): Netting | null;
  /** The newest price of a market that is believed: posted since its newest bar closed, otherwise that close. */
  markOf(symbol: string): MarkPrice | null;
  bookAsOf(time: number): Promise<LimitBook | null>;
  /** What people had decided, as it was at a time. */
  governanceAsOf(time: number): Promise<GovernanceState>;
  /** See `StateStore`. */
  history(symbol: string, limit: number, until?: number): Promise<readonly HistoryEntry[]>;
  /**
   * Bars of a market and what was decided from them, beside what happened.
   *
   * @throws PlimsollError NOT_READY where no bars were read since the start, OVERLOADED.
   */
  track(symbol: string, range: TrackRange): Promise<TrackedMarket>;
  models(): Promise<readonly ModelSummary[]>;
  /** @throws PlimsollError VERSION_UNKNOWN, MODEL_DAMAGED. */
  model(version: string): Promise<ModelDetail>;
  /** How the published forecasts of the model in use hold. */
  coverage(): Promise<CoverageReport>;
  /**
   * Makes a version the champion; the next decision uses it. Durable and audited when it returns.
   *
   * @returns the champion before.
   * @throws PlimsollError GATE_FAILED, VERSION_UNKNOWN, CONFLICT.
   */
  promote(version: string, actor: string, reason: string): Promise<string | null>;
  trainingRuns(limit: number): Promise<readonly TrainingRun[]>;
  audit(after: number, limit: number): Promise<readonly AuditEntry[]>;
  /** Newest first, those with a sequence number below `before`. */
  auditBefore(before: number, limit: number): Promise<readonly AuditEntry[]>;
  auditLength(): Promise<number>;
  auditEntry(sequence: number): Promise<AuditEntry | null>;
  latestCheckpoint(): Promise<Checkpoint | null>;
  /** Durable when it returns. */
  putUser(policy: UserPolicy, actor: string): Promise<void>;
}
