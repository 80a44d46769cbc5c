import type { Worker } from 'node:worker_threads';
import type { MarketTerms } from '../../accounts/book/market-rows.ts';
import type { Intervention } from '../../accounts/interventions/intervention.ts';
import type { Clock } from '../../clock.ts';
import { PlimsollError } from '../../errors.ts';
import { startThread } from '../../thread.ts';
import type { AccountMessage, AccountRequests, RequestKind, ShardState } from './worker-messages.ts';

interface Waiting {
  readonly resolve: (answer: unknown) => void;
  readonly reject: (error: PlimsollError) => void;
}

/** More requests than this do not wait for the thread: whoever asks is told to come again. */
const MOST_WAITING = 10_000;

const END_DEADLINE_MILLISECONDS = 60_000;

export interface WorkerAccountsOptions {
  readonly entry: URL;
  readonly workerData: unknown;
  readonly clock: Clock;
  readonly onTold: (interventions: readonly Intervention[]) => void;
  /** Where the accounts come in streams: what has become of the partition that the thread was told to hold. */
  readonly onShard?: (shard: ShardState) => void;
  /** The thread is gone; the next request starts another, which recovers what is stored. */
  readonly onLost: (error: PlimsollError) => void;
}

/**
 * The accounts, in a thread of their own: a price that re-margins a million of them holds up no read of limits. What was
 * acknowledged is durable; a thread that dies takes nothing with it but the requests that had no answer.
 */
export class WorkerAccounts {
  readonly #options: WorkerAccountsOptions;
  readonly #waiting = new Map<number, Waiting>();
  #worker: Worker | null = null;
  #nextId = 1;
  #isClosed = false;
  /** For a thread that starts anew. */
  #terms: { readonly terms: readonly MarketTerms[]; readonly version: number } | null = null;

  constructor(options: WorkerAccountsOptions) {
    this.#options = options;
  }

  /** Starts the thread, so that it has recovered before anybody asks. */
  start(): void {
    this.#worker ??= this.#begin();
  }

  ask<Kind extends RequestKind>(
    kind: Kind,
    request: Omit<AccountRequests[Kind]['ask'], 'at'>,
  ): Promise<AccountRequests[Kind]['answer']> {
    if (this.#isClosed)
      return Promise.reject(new PlimsollError('OVERLOADED', 'the service ends', { remedy: 'Come again.' }));
    if (this.#waiting.size >= MOST_WAITING)
      return Promise.reject(
        new PlimsollError('OVERLOADED', 'too many requests wait for the accounts', {
          remedy: 'Come again in a second; send larger batches and fewer of them.',
        }),
      );
    this.#worker ??= this.#begin();
    return this.#post(this.#worker, kind, request) as Promise<AccountRequests[Kind]['answer']>;
  }

  /** The tables that hold open positions. */
  async setTerms(terms: readonly MarketTerms[], version: number): Promise<void> {
    this.#terms = { terms, version };
    await this.ask('terms', this.#terms);
  }

  /** Everything that was asked for is answered; the thread writes a snapshot and ends. */
  async close(): Promise<void> {
    this.#isClosed = true;
    const worker = this.#worker;
    if (worker === null) return;
    const ended = new Promise<void>((resolve) => worker.once('exit', () => resolve()));
    await this.#post(worker, 'end', {}).catch(() => undefined);
    this.#worker = null;
    const deadline = setTimeout(() => void worker.terminate(), END_DEADLINE_MILLISECONDS);
    await ended;
    clearTimeout(deadline);
  }

  #post(worker: Worker, kind: RequestKind, request: object): Promise<unknown> {
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      worker.postMessage({ id, kind, at: this.#options.clock.now(), ...request });
    });
  }

  #begin(): Worker {
    const worker = startThread(this.#options.entry, this.#options.workerData);
    worker.on('message', (message: AccountMessage) => {
      if (worker === this.#worker) this.#receive(message);
    });
    worker.on('error', (cause) =>
      this.#lose(worker, `died: ${cause instanceof Error ? cause.message : cause}`),
    );
    worker.on('exit', (code) => this.#lose(worker, `ended with code ${code}`, code));
    this.#worker = worker;
    if (this.#terms !== null) void this.#post(worker, 'terms', this.#terms).catch(() => undefined);
    return worker;
  }

  #receive(message: AccountMessage): void {
    if ('told' in message) {
      this.#options.onTold(message.told);
      return;
    }
    if ('shard' in message) {
      this.#options.onShard?.(message.shard);
      return;
    }
    const waiting = this.#waiting.get(message.id);
    this.#waiting.delete(message.id);
    if ('failure' in message) {
      const { code, message: text, remedy } = message.failure;
      waiting?.reject(new PlimsollError(code, text, remedy === undefined ? {} : { remedy }));
    } else waiting?.resolve(message.answer);
  }

  #lose(worker: Worker, what: string, code?: number): void {
    if (worker !== this.#worker) return;
    this.#worker = null;
    const error = new PlimsollError('INTERNAL', `the thread of the accounts ${what}`, {
      remedy: 'Send it again: what had no answer may not have been taken.',
    });
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
    // One that was asked to end is gone before its last answer was read.
    if (!this.#isClosed || code !== 0) this.#options.onLost(error);
  }
}
