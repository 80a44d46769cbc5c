import type { Worker } from 'node:worker_threads';
import { type ErrorCode, PlimsollError } from '../errors.ts';
import { keepCanonicalMarkets, type MarketBytes } from '../limits/canonical-bytes.ts';
import type { GovernanceState } from '../limits/governance.ts';
import type { SystemStressInput } from '../limits/market-input.ts';
import type { LimitBook, MarketLimit } from '../limits/types.ts';
import type { MarketCorrelations } from '../risk/portfolio/common-correlations.ts';
import { endFromOutside, endOfThread, isUninterruptible, startThread } from '../thread.ts';
import { type BookProposer, decidedMarkets, type Proposal } from './decision-cycle.ts';
import type { Preview, Trial } from './governance/trials.ts';
import type { IntrabarReport } from './guard/intrabar-guard.ts';
import { type ActivityReport, NO_ACTIVITY } from './guard/live-activity.ts';
import type { ReadTrack, TrackReading, TrackRequest } from './track-reading.ts';

/** What goes to the worker: everything is plain data. */
export interface ProposeRequest {
  /** `proposed` for the book of this worker's last proposal: it is large, and the worker has it. */
  readonly previous: LimitBook | 'proposed' | null;
  readonly now: number;
  readonly governance: GovernanceState;
  readonly intrabar: IntrabarReport | undefined;
  readonly systemStress: SystemStressInput | null;
  readonly activity: ActivityReport;
}

export interface PreviewRequest {
  readonly book: LimitBook;
  readonly now: number;
  readonly trials: readonly Trial[];
}

export interface TrackQuestion {
  readonly track: TrackRequest;
}

export type WorkerRequest = ProposeRequest | PreviewRequest | TrackQuestion;

/** What a worker says without being asked. */
export interface CorrelationsMade {
  readonly correlations: MarketCorrelations;
}

export type WorkerAnswer =
  | {
      readonly proposal: Proposal | null;
      /** Of the markets of its book, see `canonicalMarkets`. */
      readonly bytes?: MarketBytes;
    }
  | { readonly markets: readonly (MarketLimit | null)[] }
  | { readonly track: TrackReading | null }
  | {
      readonly error: {
        readonly code: ErrorCode;
        readonly message: string;
        readonly remedy: string | undefined;
      };
    };

interface Waiting {
  readonly isProposal: boolean;
  readonly resolve: (answer: WorkerAnswer) => void;
  readonly reject: (error: PlimsollError) => void;
  readonly deadline: NodeJS.Timeout;
}

/** Asks the worker to close what it has open and to end, once what it does is done. */
export const END_REQUEST = null;

/** Far beyond what a worker has begun; one that hangs is then ended from outside. */
const END_DEADLINE_MILLISECONDS = 20_000;

/** Far beyond any decision; a first start that makes the simulated markets is a few seconds. */
const DEFAULT_DEADLINE_MILLISECONDS = 300_000;

/** A look ahead or back is not worth waiting for longer; its answer is dropped when it comes. */
const LOOK_DEADLINE_MILLISECONDS = 10_000;

/** Looks that wait at once; a decision comes after those that were asked before it. */
const MOST_LOOKS = 32;

/**
 * Proposes in a worker thread, so that features, forecasts and brackets never hold up a read. A worker that dies, also
 * between two requests, is reported as a failed cycle and started anew by the next one. Answers come in the order of the requests; one proposal is made at a time.
 */
export class WorkerProposer implements BookProposer {
  readonly #entry: URL;
  readonly #workerData: unknown;
  readonly #deadlineMilliseconds: number;
  #worker: Worker | undefined;
  /** One that was given up. A second one beside it would hang where it hangs. */
  #retired: Worker | null = null;
  /** Hash of the book that the worker proposed last. */
  #proposed: string | null = null;
  /** Those that have no answer yet, oldest first. */
  #waiting: Waiting[] = [];
  #onCorrelations: (correlations: MarketCorrelations) => void = () => {};

  /** @param deadlineMilliseconds a worker that has not answered by then is taken for hung and ended. */
  constructor(entry: URL, workerData: unknown, deadlineMilliseconds = DEFAULT_DEADLINE_MILLISECONDS) {
    this.#entry = entry;
    this.#workerData = workerData;
    this.#deadlineMilliseconds = deadlineMilliseconds;
  }

  /** Is told of correlations that the worker has measured beside its decisions. */
  whenCorrelated(listener: (correlations: MarketCorrelations) => void): void {
    this.#onCorrelations = listener;
  }

  async propose(
    previous: LimitBook | null,
    now: number,
    governance: GovernanceState,
    intrabar?: IntrabarReport,
    systemStress: SystemStressInput | null = null,
    activity: ActivityReport = NO_ACTIVITY,
  ): Promise<Proposal | null> {
    if (this.#waiting.some(({ isProposal }) => isProposal))
      throw new PlimsollError('CONFLICT', 'the decision worker has a proposal to make already');
    if (this.#retired !== null && isUninterruptible(this.#retired)) throw readsBars();
    this.#worker ??= this.#start();
    const known = previous !== null && previous.hash === this.#proposed ? 'proposed' : previous;
    const answer = await this.#ask(this.#worker, {
      ...{ previous: known, now, governance, intrabar, systemStress, activity },
    });
    if (!('proposal' in answer)) throw failureOf(answer);
    const { proposal } = answer;
    if (proposal === null) return null;
    this.#proposed = proposal.book.hash;
    if (answer.bytes !== undefined) keepCanonicalMarkets(proposal.book.markets, answer.bytes);
    return { ...proposal, book: withCarriedOn(proposal, previous) };
  }

  /** See `Preview`; fails where no worker runs. */
  preview: Preview = async (book, now, trials) => {
    if (this.#worker === undefined) throw new PlimsollError('INTERNAL', 'no decision worker runs');
    const asked = new Set(trials.map(({ symbol }) => symbol));
    const part = { ...book, markets: book.markets.filter(({ symbol }) => asked.has(symbol)) };
    const answer = await this.#ask(this.#worker, { book: part, now, trials });
    if ('markets' in answer) return answer.markets;
    throw failureOf(answer);
  };

  /** See `ReadTrack`. @throws PlimsollError NOT_READY where no worker runs, OVERLOADED where it has too much to do. */
  readTrack: ReadTrack = async (track) => {
    if (this.#worker === undefined)
      throw new PlimsollError('NOT_READY', 'no decision worker runs yet', {
        remedy: 'Come again after Retry-After.',
      });
    const looks = this.#waiting.filter(({ isProposal }) => !isProposal).length;
    if (looks >= MOST_LOOKS) throw isBusy();
    const answer = await this.#ask(this.#worker, { track });
    if ('track' in answer) return answer.track;
    throw failureOf(answer);
  };

  /**
   * A proposal that runs is given up and fails. The worker is asked to end by itself, with what it has begun.
   */
  async close(): Promise<void> {
    const worker = this.#worker;
    if (worker === undefined) return;
    this.#lose(worker, 'was closed');
    const ended = endOfThread(worker, END_DEADLINE_MILLISECONDS);
    worker.postMessage(END_REQUEST);
    await ended;
  }

  #ask(worker: Worker, request: WorkerRequest): Promise<WorkerAnswer> {
    const isProposal = 'previous' in request;
    return new Promise<WorkerAnswer>((resolve, reject) => {
      worker.postMessage(request);
      const onDeadline = (): void => {
        this.#lose(worker, `gave no answer in ${this.#deadlineMilliseconds / 1000} seconds`);
        this.#retire(worker);
      };
      const giveUp = (): void => reject(isBusy());
      const deadline = isProposal
        ? setTimeout(onDeadline, this.#deadlineMilliseconds)
        : setTimeout(giveUp, LOOK_DEADLINE_MILLISECONDS);
      this.#waiting.push({ isProposal, resolve, reject, deadline });
    });
  }

  /** Listens for as long as the worker lives: one that dies unheard would leave the next request without an answer. */
  #start(): Worker {
    const worker = startThread(this.#entry, this.#workerData);
    worker.on('message', (answer: WorkerAnswer | CorrelationsMade) => {
      if (worker !== this.#worker) return;
      if ('correlations' in answer) {
        this.#onCorrelations(answer.correlations);
        return;
      }
      const waiting = this.#waiting.shift();
      clearTimeout(waiting?.deadline);
      waiting?.resolve(answer);
    });
    worker.on('messageerror', (error) => {
      this.#lose(worker, `sent what cannot be read: ${error.message}`, error);
      this.#retire(worker);
    });
    worker.on('error', (error) => this.#lose(worker, `died: ${textOf(error)}`, error));
    worker.on('exit', (code) => this.#lose(worker, `ended with code ${code}`));
    return worker;
  }

  #retire(worker: Worker): void {
    this.#retired = worker;
    void endFromOutside(worker);
  }

  #lose(worker: Worker, what: string, cause?: unknown): void {
    if (worker !== this.#worker) return;
    this.#worker = undefined;
    this.#proposed = null;
    for (const { reject, deadline } of this.#waiting.splice(0)) {
      clearTimeout(deadline);
      reject(new PlimsollError('INTERNAL', `the decision worker ${what}`, { cause }));
    }
  }
}

/** A proposal of the guard without the markets that it only carries on: whoever asked has them. */
export function withoutCarriedOn({ book, facts, ...rest }: Proposal): Proposal {
  return { ...rest, facts, book: { ...book, markets: decidedMarkets(book, facts) } };
}

function withCarriedOn({ book, facts }: Proposal, previous: LimitBook | null): LimitBook {
  if (facts.guarded === undefined || previous === null) return book;
  const decided = new Map(book.markets.map((market) => [market.symbol, market]));
  return { ...book, markets: previous.markets.map((market) => decided.get(market.symbol) ?? market) };
}

function failureOf(answer: WorkerAnswer): PlimsollError {
  if (!('error' in answer))
    return new PlimsollError('INTERNAL', 'the decision worker answered something else than was asked');
  const { code, message, remedy } = answer.error;
  return new PlimsollError(code, message, remedy === undefined ? {} : { remedy });
}

function isBusy(): PlimsollError {
  return new PlimsollError('OVERLOADED', 'the decision worker is busy', {
    remedy: 'Come again after Retry-After.',
  });
}

function readsBars(): PlimsollError {
  return new PlimsollError('IO_FAILED', 'the decision worker reads bars, and gets no answer', {
    remedy:
      'Look at the folder of the bars: a network folder that does not answer holds it up. Decisions go on when it does.',
  });
}

/** A worker can throw anything. */
function textOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
