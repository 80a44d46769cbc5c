import type { Logger } from 'pino';
import type { AccessRefusal } from '../../control/ports.ts';
import type { PlimsollError } from '../../errors.ts';
import { accessRefusalOf } from './refusal.ts';

/** What the service tells about whoever was not let in. */
export interface AccessObserver {
  refused(why: AccessRefusal): void;
}

/** What is logged of a refused request: nothing that it brought but ids that are no secrets. */
export interface RefusedRequest {
  readonly route: string;
  readonly requestId?: string;
  readonly traceId?: string | undefined;
  /** The name of the key, once it is known. */
  readonly caller?: string | undefined;
  readonly address?: string | undefined;
}

/** A flood of refusals must not fill the disk: beyond that they are counted alone. */
const MOST_LINES_A_SECOND = 20;

/** Counts and logs who is not let in. */
export class RefusalLog {
  readonly #logger: Logger;
  readonly #observer: AccessObserver;
  readonly #seconds: () => number;
  #second = Number.NEGATIVE_INFINITY;
  #lines = 0;
  #unlogged = 0;

  constructor(logger: Logger, observer: AccessObserver, seconds: () => number) {
    this.#logger = logger;
    this.#observer = observer;
    this.#seconds = seconds;
  }

  /** Does nothing for a failure that is no refusal of access. */
  tell(failure: PlimsollError, request: RefusedRequest): void {
    const why = accessRefusalOf(failure);
    if (why === null) return;
    this.#observer.refused(why);
    const second = Math.floor(this.#seconds());
    if (second !== this.#second) {
      this.#second = second;
      this.#lines = 0;
    }
    if (++this.#lines > MOST_LINES_A_SECOND) {
      this.#unlogged++;
      return;
    }
    const { code } = failure;
    const before = this.#unlogged === 0 ? {} : { unloggedBefore: this.#unlogged };
    this.#unlogged = 0;
    this.#logger.warn({ why, code, ...request, ...before }, 'somebody was not let in');
  }
}
