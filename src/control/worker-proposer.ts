import { Worker } from 'node:worker_threads';
import { type ErrorCode, PlimsollError } from '../errors.ts';
import type { GovernanceState } from '../limits/governance.ts';
import type { LimitBook } from '../limits/types.ts';
import type { BookProposer, Proposal } from './decision-cycle.ts';

/** What goes to the worker: everything is plain data. */
export interface ProposeRequest {
  readonly previous: LimitBook | null;
  readonly now: number;
  readonly governance: GovernanceState;
}

export type ProposeAnswer =
  | { readonly proposal: Proposal | null }
  | {
      readonly error: {
        readonly code: ErrorCode;
        readonly message: string;
        readonly remedy: string | undefined;
      };
    };

interface Waiting {
  readonly resolve: (answer: ProposeAnswer) => void;
  readonly reject: (error: PlimsollError) => void;
  readonly deadline: NodeJS.Timeout;
}

/** Asks the worker to close what it has open and to end, once what it does is done. */
export const END_REQUEST = null;

/** Far beyond what a worker has begun; one that hangs is then ended from outside. */
const END_DEADLINE_MILLISECONDS = 20_000;

/** Far beyond any decision; a first start that makes the simulated markets is a few seconds. */
const DEFAULT_DEADLINE_MILLISECONDS = 300_000;

/**
 * Proposes in a worker thread, so that features, forecasts and brackets never hold up a read. A worker that dies, also
 * between two requests, is reported as a failed cycle and started anew by the next one. One request runs at a time.
 */
export class WorkerProposer implements BookProposer {
  readonly #entry: URL;
  readonly #workerData: unknown;
  readonly #deadlineMilliseconds: number;
  #worker: Worker | undefined;
  #waiting: Waiting | undefined;

  /** @param deadlineMilliseconds a worker that has not answered by then is taken for hung and ended. */
  constructor(entry: URL, workerData: unknown, deadlineMilliseconds = DEFAULT_DEADLINE_MILLISECONDS) {
    this.#entry = entry;
    this.#workerData = workerData;
    this.#deadlineMilliseconds = deadlineMilliseconds;
  }

  async propose(
    previous: LimitBook | null,
    now: number,
    governance: GovernanceState,
  ): Promise<Proposal | null> {
    const answer = await this.#ask({ previous, now, governance });
    if ('error' in answer) {
      const { code, message, remedy } = answer.error;
      throw new PlimsollError(code, message, remedy === undefined ? {} : { remedy });
    }
    return answer.proposal;
  }

  /**
   * A proposal that runs is given up and fails. The worker is asked to end by itself, with what it has begun: ended from
   * outside in the midst of a native call, it would take the process with it.
   */
  async close(): Promise<void> {
    const worker = this.#worker;
    if (worker === undefined) return;
    const ended = new Promise<void>((resolve) => worker.once('exit', () => resolve()));
    this.#lose(worker, 'was closed');
    worker.postMessage(END_REQUEST);
    const deadline = setTimeout(() => void worker.terminate(), END_DEADLINE_MILLISECONDS);
    await ended;
    clearTimeout(deadline);
  }

  #ask(request: ProposeRequest): Promise<ProposeAnswer> {
    if (this.#waiting !== undefined)
      throw new PlimsollError('CONFLICT', 'the decision worker has a proposal to make already');
    this.#worker ??= this.#start();
    const worker = this.#worker;
    return new Promise<ProposeAnswer>((resolve, reject) => {
      worker.postMessage(request);
      const deadline = setTimeout(() => {
        this.#lose(worker, `gave no answer in ${this.#deadlineMilliseconds / 1000} seconds`);
        void worker.terminate();
      }, this.#deadlineMilliseconds);
      this.#waiting = { resolve, reject, deadline };
    });
  }

  /** Listens for as long as the worker lives: one that dies unheard would leave the next request without an answer. */
  #start(): Worker {
    const worker = new Worker(this.#entry, { workerData: this.#workerData });
    worker.on('message', (answer: ProposeAnswer) => {
      if (worker === this.#worker) this.#settle()?.resolve(answer);
    });
    worker.on('messageerror', (error) => {
      this.#lose(worker, `sent what cannot be read: ${error.message}`, error);
      void worker.terminate();
    });
    worker.on('error', (error) => this.#lose(worker, `died: ${textOf(error)}`, error));
    worker.on('exit', (code) => this.#lose(worker, `ended with code ${code}`));
    return worker;
  }

  #lose(worker: Worker, what: string, cause?: unknown): void {
    if (worker !== this.#worker) return;
    this.#worker = undefined;
    this.#settle()?.reject(new PlimsollError('INTERNAL', `the decision worker ${what}`, { cause }));
  }

  #settle(): Waiting | undefined {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    clearTimeout(waiting?.deadline);
    return waiting;
  }
}

/** A worker can throw anything. */
function textOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
