import { nextExpiry } from '../../limits/governance.ts';
import type { GovernanceDesk } from './desk.ts';

/** The longest that a timer of the platform can wait is 24.8 days. */
const LONGEST_WAIT_MILLISECONDS = 86_400_000;

/** Says when something that people decided ends by itself, so that a decision can follow at once. */
export class ExpiryTimer {
  readonly #desk: GovernanceDesk;
  readonly #ended: () => void;
  readonly #forget: () => void;
  #timer: NodeJS.Timeout | undefined;

  constructor(desk: GovernanceDesk, ended: () => void) {
    this.#desk = desk;
    this.#ended = ended;
    this.#forget = desk.onChange(() => this.#wait());
    this.#wait();
  }

  stop(): void {
    this.#forget();
    clearTimeout(this.#timer);
  }

  #wait(): void {
    clearTimeout(this.#timer);
    const now = this.#desk.time();
    const end = nextExpiry(this.#desk.state(), now);
    if (end === null) return;
    this.#timer = setTimeout(
      () => {
        if (this.#desk.time() >= end) this.#ended();
        this.#wait();
      },
      Math.min(end - now, LONGEST_WAIT_MILLISECONDS),
    ).unref();
  }
}
