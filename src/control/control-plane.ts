import { type Netting, nettingOf } from '../accounts/portfolio-cap.ts';
import type { Clock } from '../clock.ts';
import { PlimsollError } from '../errors.ts';
import type { Checkpoint } from '../limits/checkpoint.ts';
import type { GovernanceState } from '../limits/governance.ts';
import type { Policy } from '../limits/policy.ts';
import type { LimitBook } from '../limits/types.ts';
import type { MarketCorrelations } from '../risk/portfolio/common-correlations.ts';
import type { Accounts } from './accounts/account-access.ts';
import { type CycleFacts, decidedMarkets } from './decision-cycle.ts';
import { Feed } from './feed/feed.ts';
import { userEvent } from './feed/feed-event.ts';
import { governanceOf } from './governance/change.ts';
import { GovernanceDesk, type GovernanceObserver } from './governance/desk.ts';
import type { Preview } from './governance/trials.ts';
import { IntrabarGuard, type PriceObserver } from './guard/intrabar-guard.ts';
import { type ActivityObserver, LiveActivity } from './guard/live-activity.ts';
import type { BarClose } from './guard/price-window.ts';
import type { MarkPrice } from './guard/prices.ts';
import { MarketTrack } from './market-track.ts';
import type { AuditDraft, AuditEntry, HistoryEntry, StateStore, TrainingRun, UserPolicy } from './ports.ts';
import type {
  ControlReads,
  ControlStatus,
  CoverageReport,
  ModelDetail,
  ModelSummary,
  TrackedMarket,
  TrackRange,
} from './reads.ts';
import { storedCloses } from './stored-closes.ts';
import { trackOf } from './track-point.ts';
import type { ReadTrack } from './track-reading.ts';
import { trackedMarket } from './tracked-market.ts';

/**
 * What the service knows right now, in memory: the book in force, the users' policies and the state of the cycle.
 * Reads that a request needs at once are answered from here; older books, history and audit come from the store.
 */
export class ControlPlane implements ControlReads {
  /** Freezes, overrides and emergencies. */
  readonly governance: GovernanceDesk;
  /** Mark prices between bars. */
  readonly prices: IntrabarGuard;
  /** Open interest and order books. */
  readonly activity: LiveActivity;
  readonly accounts: Accounts;
  /** What is pushed. */
  readonly feed: Feed;
  /** The last week of all markets. */
  readonly marketTrack: MarketTrack;
  readonly #store: StateStore;
  readonly #clock: Clock;
  readonly #policy: Policy;
  readonly #listModels: () => Promise<readonly ModelSummary[]>;
  readonly #modelDetail: ControlReads['model'];
  readonly #coverage: ControlReads['coverage'];
  readonly #promoteModel: ControlReads['promote'];
  readonly #readTrack: ReadTrack;
  readonly #listeners = new Set<(book: LimitBook) => void>();
  /** Beside each policy the audit entry that set it; 0 for those that the start has read. */
  readonly #users = new Map<string, { readonly policy: UserPolicy; readonly sequence: number }>();
  readonly #storeReasons: () => readonly string[];
  readonly #leads: () => boolean;
  readonly #inForce: { book: LimitBook | null };
  #netting: Netting | null = null;
  #lastDecisionAt: number | null = null;
  #lastFailure: string | null = null;
  #fallbackReason: string | null = null;
  #isStorageFailing = false;

  private constructor(
    options: ControlPlaneOptions,
    inForce: { book: LimitBook | null },
    users: readonly UserPolicy[],
    governance: GovernanceDesk,
    feed: Feed,
    closes: Readonly<Record<string, BarClose>>,
  ) {
    this.governance = governance;
    this.feed = feed;
    this.marketTrack = new MarketTrack((asOf) => options.store.trackSince(asOf));
    this.prices = new IntrabarGuard(options.policy.guard, options.priceObserver);
    this.activity = new LiveActivity(options.policy.bounds, options.activityObserver);
    this.accounts = options.accounts;
    if (inForce.book !== null) {
      this.prices.published(inForce.book, closes);
      this.activity.published(inForce.book);
      this.accounts.published(inForce.book, options.policy, { closes });
      // Where no accounts are kept, or cannot be asked yet, the closes of the bars stand.
      this.accounts.marks().then(
        (marks) => this.prices.restore(marks),
        () => undefined,
      );
    }
    this.#store = options.store;
    this.#clock = options.clock;
    this.#policy = options.policy;
    this.#listModels = options.listModels;
    this.#modelDetail = options.modelDetail ?? noVersion;
    this.#coverage = options.coverage ?? (async () => ({ model: null, tiers: [], drift: null }));
    this.#promoteModel = options.promoteModel ?? noVersion;
    this.#readTrack = options.readTrack ?? (async () => null);
    this.#inForce = inForce;
    this.#storeReasons = options.storeReasons ?? (() => []);
    this.#leads = options.leads ?? (() => true);
    for (const user of users) this.#users.set(user.userId, { policy: user, sequence: 0 });
  }

  /** Recovers the newest book, the users and what people decided from the store: every start is a recovery. */
  static async recover(options: ControlPlaneOptions): Promise<ControlPlane> {
    const { store, clock, policy, governanceObserver: observer } = options;
    const [book, users] = await Promise.all([store.latestBook(), store.users()]);
    const inForce = { book };
    const governance = await GovernanceDesk.recover({
      ...{ store, clock, policy, observer },
      // It comes and goes with the lead.
      get preview() {
        return options.preview;
      },
      book: () => inForce.book,
      accountsOf: (symbol, before, after) => options.accounts.impact(symbol, before, after),
    });
    const { accounts, onFailure } = options;
    const feed = await Feed.recover({
      outbox: store.outbox,
      interventionsAfter: (sequence, limit) => accounts.interventionsAfter(sequence, limit, {}),
      onFailure,
    });
    accounts.onTold(() => void feed.pump());
    governance.onChange(() => void feed.pump());
    const closes = book === null || options.decides === false ? {} : await storedCloses(book, store);
    return new ControlPlane(options, inForce, users, governance, feed, closes);
  }

  currentBook(): LimitBook | null {
    return this.#inForce.book;
  }

  onPublish(listener: (book: LimitBook) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * Shows a book that is already durable. A listener that fails does not keep the others from seeing it; what it threw
   * is thrown on once all were told.
   */
  show(book: LimitBook, facts: CycleFacts): void {
    // Whoever follows the store may have seen it before whoever wrote it.
    const isKnown = this.#inForce.book?.hash === book.hash;
    this.#inForce.book = book;
    this.#lastDecisionAt = book.decidedAt;
    this.#lastFailure = null;
    this.#fallbackReason = facts.fallbackReason;
    this.prices.published(book, facts.closes);
    this.activity.published(book);
    this.accounts.published(book, this.#policy, facts);
    const decided = decidedMarkets(book, facts);
    this.marketTrack.published(trackOf(book.version, decided, facts.closes, this.#policy));
    if (!isKnown) this.#tell(book);
    else void this.feed.pump();
  }

  /** Shows a book that another process has published. One that is not newer than what is shown changes nothing. */
  follow(book: LimitBook): void {
    if (book.version <= (this.#inForce.book?.version ?? 0)) return;
    this.#inForce.book = book;
    this.#lastDecisionAt = book.decidedAt;
    this.#lastFailure = null;
    this.#fallbackReason = null;
    this.prices.published(book);
    this.activity.published(book);
    this.accounts.published(book, this.#policy);
    // What its bars closed at is known where it was decided alone.
    this.marketTrack.published(trackOf(book.version, book.markets, undefined, this.#policy));
    this.#tell(book);
  }

  #tell(book: LimitBook): void {
    const failures: unknown[] = [];
    for (const listener of this.#listeners) {
      try {
        listener(book);
      } catch (thrown) {
        failures.push(thrown);
      }
    }
    void this.feed.pump();
    if (failures.length > 0) throw failures[0];
  }

  /** Whether nothing can be stored: a full disk, or one that may only be read. */
  storageFailing(isFailing: boolean): void {
    this.#isStorageFailing = isFailing;
  }

  decisionFailed(error: Error): void {
    this.#lastFailure = error.message;
  }

  status(): ControlStatus {
    const book = this.#inForce.book;
    const reasons: string[] = [];
    if (book === null) reasons.push('NOTHING_PUBLISHED');
    if (book !== null && this.#clock.now() > book.validUntil) reasons.push('LIMITS_EXPIRED');
    if (this.#lastFailure !== null) reasons.push('DECISION_FAILED');
    if (this.#isStorageFailing) reasons.push('STORAGE_FAILED');
    if (this.#fallbackReason !== null) reasons.push('CLASSICAL_FALLBACK');
    if (book?.degraded) reasons.push(...book.reasons);
    reasons.push(...this.#storeReasons());
    return {
      ready: book !== null,
      degraded: book === null || book.degraded || reasons.length > 0,
      reasons: [...new Set(reasons)],
      dataAsOf: book?.asOf ?? null,
      lastDecisionAt: this.#lastDecisionAt ?? book?.decidedAt ?? null,
      leads: this.#leads(),
    };
  }

  policy(): Policy {
    return this.#policy;
  }

  markOf(symbol: string): MarkPrice | null {
    return this.prices.markOf(symbol);
  }

  bookAsOf(time: number): Promise<LimitBook | null> {
    return this.#store.bookAsOf(time);
  }

  async governanceAsOf(time: number): Promise<GovernanceState> {
    return governanceOf(await this.#store.governance.changesAt(time), time);
  }

  history(symbol: string, limit: number, until?: number): Promise<readonly HistoryEntry[]> {
    return this.#store.history(symbol, limit, until);
  }

  async track(symbol: string, { from, to, points }: TrackRange): Promise<TrackedMarket> {
    const decisions = await this.#store.track(symbol, from, to, MOST_DECISIONS);
    const reading = await this.#readTrack({
      ...{ symbol, from, to, points },
      origins: Float64Array.from(decisions, ({ asOf }) => asOf),
      horizonsHours: Float64Array.from(decisions, ({ horizonHours }) => horizonHours),
    });
    if (reading === null)
      throw new PlimsollError('NOT_READY', 'no bars have been read since the start', {
        remedy: 'Come again after Retry-After.',
      });
    return trackedMarket(decisions, reading, points);
  }

  models(): Promise<readonly ModelSummary[]> {
    return this.#listModels();
  }

  model(version: string): Promise<ModelDetail> {
    return this.#modelDetail(version);
  }

  coverage(): Promise<CoverageReport> {
    return this.#coverage();
  }

  promote(version: string, actor: string, reason: string): Promise<string | null> {
    return this.#promoteModel(version, actor, reason);
  }

  trainingRuns(limit: number): Promise<readonly TrainingRun[]> {
    return this.#store.trainingRuns(limit);
  }

  audit(after: number, limit: number): Promise<readonly AuditEntry[]> {
    return this.#store.auditAfter(after, limit);
  }

  /** Sequence numbers have no gaps, so the newest are those after all others. */
  async auditBefore(before: number, limit: number): Promise<readonly AuditEntry[]> {
    const newest = Math.min(before - 1, await this.#store.auditLength());
    const oldest = Math.max(0, newest - limit);
    if (newest <= oldest) return [];
    return (await this.#store.auditAfter(oldest, newest - oldest)).toReversed();
  }

  auditLength(): Promise<number> {
    return this.#store.auditLength();
  }

  auditEntry(sequence: number): Promise<AuditEntry | null> {
    return this.#store.auditEntry(sequence);
  }

  latestCheckpoint(): Promise<Checkpoint | null> {
    return this.#store.latestCheckpoint();
  }

  userNow(userId: string): UserPolicy | null {
    return this.#users.get(userId)?.policy ?? null;
  }

  netting(): Netting | null {
    return this.#netting;
  }

  /** Correlations between markets were measured. */
  correlated(correlations: MarketCorrelations): void {
    this.#netting = nettingOf(correlations);
  }

  /** Durable first, then visible. */
  async putUser(policy: UserPolicy, actor: string): Promise<void> {
    if (this.#users.size >= MAXIMUM_USERS && !this.#users.has(policy.userId)) {
      throw new PlimsollError('CONFLICT', `there are ${MAXIMUM_USERS} users already`, {
        remedy: 'Remove users that are gone; the service keeps every user policy in memory.',
      });
    }
    const audit: AuditDraft = {
      at: this.#clock.now(),
      kind: 'user-policy',
      actor,
      subject: policy.userId,
      reason: 'user policy set',
      details: { ...policy },
    };
    const sequence = await this.#store.putUser(policy, audit, [userEvent(policy)]);
    this.userSet(policy, sequence);
    void this.feed.pump();
  }

  /** A policy that is stored, by us or by another process; of two the later entry counts, however late it is told. */
  userSet(policy: UserPolicy, sequence: number): void {
    if (sequence < (this.#users.get(policy.userId)?.sequence ?? 0)) return;
    this.#users.set(policy.userId, { policy, sequence });
  }
}

/** Everything has a limit: policies live in memory, a few hundred bytes each. */
const MAXIMUM_USERS = 1_000_000;

/** More than two years of hourly decisions; of more the newest. */
const MOST_DECISIONS = 20_000;

export interface ControlPlaneOptions {
  readonly store: StateStore;
  readonly clock: Clock;
  readonly policy: Policy;
  readonly listModels: () => Promise<readonly ModelSummary[]>;
  /** Without one no version is known here. */
  readonly modelDetail?: ControlReads['model'];
  /** Without one no forecasts are watched here. */
  readonly coverage?: ControlReads['coverage'];
  /** Without one no version can be promoted here. */
  readonly promoteModel?: ControlReads['promote'];
  readonly governanceObserver?: GovernanceObserver;
  readonly preview?: Preview | null;
  /** Whoever has the bars. Without one none are told of. */
  readonly readTrack?: ReadTrack;
  readonly priceObserver?: PriceObserver;
  readonly activityObserver?: ActivityObserver;
  readonly accounts: Accounts;
  /** What is wrong with the way to the store; nothing where it is our own. */
  readonly storeReasons?: () => readonly string[];
  /** Whether this process decides; without it, it is the only one. */
  readonly leads?: () => boolean;
  /** Whether it may ever decide, and so judge prices by the bars of its decisions; without it, it may. */
  readonly decides?: boolean;
  /** Is told when what nobody waits for goes wrong. */
  readonly onFailure: (error: Error) => void;
}

async function noVersion(version: string): Promise<never> {
  throw new PlimsollError('VERSION_UNKNOWN', `there is no version ${version}`, {
    remedy: 'List the versions that there are: GET /v1/models.',
  });
}
