import { Worker } from 'node:worker_threads';
import { type ErrorCode, PlimsollError } from '../errors.ts';
import type { LimitBook } from '../limits/types.ts';
import type { BookProposer, Proposal } from './decision-cycle.ts';

/** What goes to the worker: everything is plain data. */
export interface ProposeRequest {
  readonly previous: LimitBook | null;
  readonly now: number;
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

/**
 * Proposes in a worker thread, so that features, forecasts and brackets never hold up a read. A worker that dies is
 * reported as a failed cycle and started anew by the next one. One request runs at a time.
 */
export class WorkerProposer implements BookProposer {
  readonly #entry: URL;
  readonly #workerData: unknown;
  #worker: Worker | undefined;

  constructor(entry: URL, workerData: unknown) {
    this.#entry = entry;
    this.#workerData = workerData;
  }

  async propose(previous: LimitBook | null, now: number): Promise<Proposal | null> {
    const answer = await this.#ask({ previous, now });
    if ('error' in answer) {
      const { code, message, remedy } = answer.error;
      throw new PlimsollError(code, message, remedy === undefined ? {} : { remedy });
    }
    return answer.proposal;
  }

  async close(): Promise<void> {
    await this.#worker?.terminate();
    this.#worker = undefined;
  }

  #ask(request: ProposeRequest): Promise<ProposeAnswer> {
    this.#worker ??= new Worker(this.#entry, { workerData: this.#workerData });
    const worker = this.#worker;
    return new Promise((resolve, reject) => {
      const settle = (): void => {
        worker.off('message', onMessage);
        worker.off('error', onError);
        worker.off('exit', onExit);
      };
      const onMessage = (answer: ProposeAnswer): void => {
        settle();
        resolve(answer);
      };
      const onError = (error: Error): void => {
        settle();
        this.#worker = undefined;
        reject(new PlimsollError('INTERNAL', `the decision worker died: ${error.message}`, { cause: error }));
      };
      const onExit = (code: number): void => {
        settle();
        this.#worker = undefined;
        reject(new PlimsollError('INTERNAL', `the decision worker ended with code ${code}`));
      };
      worker.on('message', onMessage);
      worker.on('error', onError);
      worker.on('exit', onExit);
      worker.postMessage(request);
    });
  }
}
