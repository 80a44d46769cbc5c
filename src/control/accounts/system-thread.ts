import type { Worker } from 'node:worker_threads';
import { type BookPicture, memoryOf } from '../../accounts/book/picture.ts';
import { PlimsollError } from '../../errors.ts';
import type { Policy } from '../../limits/policy.ts';
import { endOfThread, startThread } from '../../thread.ts';
import type { SystemPicture, SystemQuestion } from './system-desk.ts';

/** What goes to the thread and comes back: plain data. */
export interface SystemRequest {
  readonly id: number;
  readonly question: SystemQuestion;
  /** Of the parts of all accounts. */
  readonly pictures: readonly BookPicture[];
  readonly liquidity: SystemPicture['liquidity'];
}

export type SystemReply =
  | { readonly id: number; readonly answer: unknown }
  | { readonly id: number; readonly failure: string };

/** Asks the thread to end, once it has answered what was asked before. */
export const SYSTEM_END = null;

interface Waiting {
  readonly resolve: (answer: unknown) => void;
  readonly reject: (error: PlimsollError) => void;
}

/** Beyond the few looks that wait at once. It only computes, and may be ended in the midst of that. */
const END_DEADLINE_MILLISECONDS = 10_000;

/** Looks at all accounts together in a thread of its own, which takes the pictures over. It starts with the first question. */
export class SystemThread {
  readonly #entry: URL;
  readonly #policy: Policy;
  readonly #waiting = new Map<number, Waiting>();
  #worker: Worker | null = null;
  #nextId = 1;

  constructor(entry: URL, policy: Policy) {
    this.#entry = entry;
    this.#policy = policy;
  }

  ask(
    question: SystemQuestion,
    pictures: readonly BookPicture[],
    liquidity: SystemPicture['liquidity'],
  ): Promise<unknown> {
    this.#worker ??= this.#begin();
    const worker = this.#worker;
    const request: SystemRequest = { id: this.#nextId++, question, pictures, liquidity };
    return new Promise((resolve, reject) => {
      this.#waiting.set(request.id, { resolve, reject });
      worker.postMessage(request, pictures.flatMap(memoryOf));
    });
  }

  /** Resolves once the thread is gone: whoever started it may end then. What was asked for is answered. */
  async close(): Promise<void> {
    const worker = this.#worker;
    if (worker === null) return;
    const ended = endOfThread(worker, END_DEADLINE_MILLISECONDS);
    worker.postMessage(SYSTEM_END);
    await ended;
  }

  #begin(): Worker {
    const worker = startThread(this.#entry, { policy: this.#policy });
    worker.on('message', (reply: SystemReply) => {
      const waiting = this.#waiting.get(reply.id);
      this.#waiting.delete(reply.id);
      if ('failure' in reply) waiting?.reject(new PlimsollError('INTERNAL', reply.failure));
      else waiting?.resolve(reply.answer);
    });
    worker.on('error', (cause) => this.#lose(worker, cause instanceof Error ? cause.message : String(cause)));
    worker.on('exit', (code) => this.#lose(worker, `it ended with code ${code}`));
    return worker;
  }

  #lose(worker: Worker, why: string): void {
    if (worker !== this.#worker) return;
    this.#worker = null;
    const error = new PlimsollError('INTERNAL', `the thread that looks at all accounts is gone: ${why}`);
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }
}
