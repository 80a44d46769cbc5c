import type { Clock } from '../clock.ts';
import { asPlimsollError, type PlimsollError } from '../errors.ts';
import type { EncodedInputs } from '../limits/decision-inputs.ts';
import { type GovernanceState, inForceKey, NO_GOVERNANCE } from '../limits/governance.ts';
import type { LiquidityInput, SystemStressInput } from '../limits/market-input.ts';
import type { LimitBook, MarketLimit } from '../limits/types.ts';
import type { OriginCount } from './coverage-alarms.ts';
import type { SeenByDecision } from './drift-watch.ts';
import { limitsEvent } from './feed/feed-event.ts';
import { type IntrabarReport, NO_PRICES } from './guard/intrabar-guard.ts';
import { type ActivityReport, NO_ACTIVITY } from './guard/live-activity.ts';
import type { BarClose } from './guard/price-window.ts';
import type { AuditDraft, StateStore } from './ports.ts';
import { type TrackPolicy, trackOf } from './track-point.ts';

/** What a cycle learned beside the book: for metrics, logs and the status that the service shows. */
export interface CycleFacts {
  /** Why the shock model does not decide, where it does not. */
  readonly fallbackReason: string | null;
  /** Close of the newest bar by source (venue), epoch milliseconds. */
  readonly lastObservationBySource: Readonly<Record<string, number>>;
  /** Forecasts that came due in this cycle, judged against what happened. */
  readonly coverage: readonly CoverageCount[];
  /** The shock model's forecasts among them, by origin. */
  readonly origins: readonly OriginCount[];
  /** What the model saw and how it did, for drift. */
  readonly seen: SeenByDecision;
  /** Wall time that the proposal took, in seconds. */
  readonly seconds: number;
  /** Where the bars ended that the book rests on, by market; absent where none were read for it. */
  readonly closes?: Readonly<Record<string, BarClose>>;
  /** What is known of each market's volume and depth; absent where none was read for it. */
  readonly liquidity?: Readonly<Record<string, LiquidityInput | null>>;
  /** The markets that were decided, where it was them alone: prices had left their bounds. Absent for all. */
  readonly guarded?: readonly string[];
}

export interface CoverageCount {
  readonly confidence: number;
  readonly horizonHours: number;
  readonly observations: number;
  readonly exceedances: number;
}

export interface Proposal {
  readonly book: LimitBook;
  /** What it was decided from: kept with it, so that it can be decided again. */
  readonly inputs?: EncodedInputs;
  readonly facts: CycleFacts;
}

/** Turns market data into the next book. Runs beside the event loop; see `decision-engine.ts`. */
export interface BookProposer {
  /**
   * Null when there is nothing to decide: no new bar, nothing that people changed, no price out of bounds, and a book that
   * is young enough.
   */
  propose(
    previous: LimitBook | null,
    now: number,
    governance: GovernanceState,
    intrabar?: IntrabarReport,
    systemStress?: SystemStressInput | null,
    activity?: ActivityReport,
  ): Promise<Proposal | null>;
}

/** Is told what the cycle does. Metrics, logs and the read side listen here. */
export interface CycleObserver {
  published(book: LimitBook, previous: LimitBook | null, facts: CycleFacts): void;
  failed(error: Error): void;
}

/**
 * Runs at its own pace: proposes, makes durable, then shows. A book is shown to nobody before it would survive a
 * crash; a cycle that fails changes nothing, and the last valid book stays in force.
 */
export class DecisionCycle {
  readonly #proposer: BookProposer;
  readonly #store: Pick<StateStore, 'publish' | 'latestBook'>;
  readonly #clock: Clock;
  readonly #policy: TrackPolicy;
  readonly #observer: CycleObserver;
  readonly #governance: () => GovernanceState;
  readonly #revision: () => number | undefined;
  readonly #refresh: () => Promise<void>;
  readonly #intrabar: () => IntrabarReport;
  readonly #systemStress: () => SystemStressInput | null;
  readonly #activity: (now: number) => ActivityReport;
  #current: LimitBook | null;
  /** Between cycles, once started. */
  #intervalMilliseconds: number | null = null;
  #isWoken = false;
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<LimitBook | null> | undefined;
  #stopped = false;

  constructor(options: {
    readonly proposer: BookProposer;
    readonly store: Pick<StateStore, 'publish' | 'latestBook'>;
    readonly clock: Clock;
    /** The one that the proposer decides by. */
    readonly policy: TrackPolicy;
    readonly observer: CycleObserver;
    /** The newest stored book: a start is a recovery. */
    readonly current: LimitBook | null;
    /** What people have decided about limits, as it is now. */
    readonly governance?: () => GovernanceState;
    /** Counts the steps of people. */
    readonly revision?: () => number;
    /** Reads again what others have written, where a publication was too late for it. */
    readonly refresh?: () => Promise<void>;
    /** What prices say between bars, as it is now. */
    readonly intrabar?: () => IntrabarReport;
    /** What all accounts together said last; null where nothing is said. */
    readonly systemStress?: () => SystemStressInput | null;
    /** Open interest and order books that were told live, as they are known at a time. */
    readonly activity?: (now: number) => ActivityReport;
  }) {
    this.#proposer = options.proposer;
    this.#store = options.store;
    this.#clock = options.clock;
    this.#policy = options.policy;
    this.#observer = options.observer;
    this.#governance = options.governance ?? (() => NO_GOVERNANCE);
    this.#revision = options.revision ?? (() => undefined);
    this.#refresh = options.refresh ?? (async () => {});
    this.#intrabar = options.intrabar ?? (() => NO_PRICES);
    this.#systemStress = options.systemStress ?? (() => null);
    this.#activity = options.activity ?? (() => NO_ACTIVITY);
    this.#current = options.current;
  }

  /** Runs a cycle now and then every `intervalMilliseconds`, counted from the end of the one before. */
  start(intervalMilliseconds: number): void {
    this.#intervalMilliseconds = intervalMilliseconds;
    void this.#tick();
  }

  /** Runs a cycle at once; where one runs already, another right after it. Does nothing before the start. */
  wake(): void {
    if (this.#intervalMilliseconds === null || this.#stopped) return;
    this.#isWoken = true;
    if (this.#running === undefined) void this.#tick();
  }

  async #tick(): Promise<void> {
    clearTimeout(this.#timer);
    do {
      this.#isWoken = false;
      await this.runOnce();
    } while (this.#isWoken && !this.#stopped);
    clearTimeout(this.#timer);
    if (!this.#stopped) this.#timer = setTimeout(() => void this.#tick(), this.#intervalMilliseconds ?? 0);
  }

  /** Lets a running cycle end and starts no other. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#running;
  }

  /** One cycle; overlapping calls share the one that runs. Returns the book that it published, if any. */
  async runOnce(): Promise<LimitBook | null> {
    this.#running ??= this.#cycle().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  async #cycle(): Promise<LimitBook | null> {
    const previous = this.#current;
    let proposal: Proposal | null;
    try {
      const governance = this.#governance();
      const revision = this.#revision();
      const now = this.#clock.now();
      proposal = await this.#proposer.propose(
        previous,
        now,
        governance,
        this.#intrabar(),
        this.#systemStress(),
        this.#activity(now),
      );
      if (proposal === null) return null;
      if (this.#isOvertaken(governance, proposal.book.decidedAt)) {
        this.#isWoken = true;
        return null;
      }
      const { book: next, inputs, facts } = proposal;
      const events = [limitsEvent(next, previous)];
      const track = trackOf(next.version, decidedMarkets(next, facts), facts.closes, this.#policy);
      await this.#store.publish(next, decisionAudit(proposal, previous), inputs, events, track, revision);
    } catch (thrown) {
      await this.#failed(asPlimsollError(thrown));
      return null;
    }
    const { book, facts } = proposal;
    this.#current = book;
    try {
      this.#observer.published(book, previous, facts);
    } catch (thrown) {
      // The book is in force all the same.
      await this.#failed(asPlimsollError(thrown));
    }
    return book;
  }

  /** Whether people changed something while the book was made: no freeze that was acknowledged may see a limit move. */
  #isOvertaken(governance: GovernanceState, decidedAt: number): boolean {
    return inForceKey(governance, decidedAt) !== inForceKey(this.#governance(), decidedAt);
  }

  /** Never rejects: a cycle that cannot even say that it failed must not end the process. */
  async #failed(error: PlimsollError): Promise<void> {
    try {
      this.#observer.failed(error);
      if (error.code !== 'CONFLICT') return;
      await this.#refresh();
      this.#current = await this.#store.latestBook();
    } catch {
      // Whoever listens has failed, or the store cannot be read: the next cycle meets the same and says so.
    }
  }
}

function decisionAudit({ book, facts }: Proposal, previous: LimitBook | null): AuditDraft {
  const { guarded } = facts;
  return {
    at: book.decidedAt,
    kind: 'decision',
    actor: 'decision-cycle',
    subject: `book ${book.version}`,
    reason: previous === null ? 'first decision' : guarded === undefined ? 'cycle' : 'intrabar guard',
    details: {
      hash: book.hash,
      inputsHash: book.inputsHash,
      policyHash: book.policyHash,
      model: book.model,
      degraded: book.degraded,
      moves: movesOf(decidedMarkets(book, facts)),
      ...(guarded === undefined ? {} : { guarded }),
    },
  };
}

/** The markets that a book was made for; those that it only carries on are left out. */
export function decidedMarkets(book: LimitBook, { guarded }: CycleFacts): readonly MarketLimit[] {
  if (guarded === undefined) return book.markets;
  const symbols = new Set(guarded);
  return book.markets.filter(({ symbol }) => symbols.has(symbol));
}

/** How many markets moved in which direction. */
export function movesOf(markets: readonly MarketLimit[]): Record<string, number> {
  const moves: Record<string, number> = {};
  for (const { governor } of markets) moves[governor.move] = (moves[governor.move] ?? 0) + 1;
  return moves;
}
