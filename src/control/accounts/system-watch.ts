import type { Clock } from '../../clock.ts';
import type { SystemStressInput } from '../../limits/market-input.ts';

export interface SystemWatchOptions {
  readonly clock: Clock;
  readonly ask: () => Promise<SystemStressInput | null>;
  readonly seen: (input: SystemStressInput) => void;
}

/** With millions of accounts an answer takes seconds of a core. */
const ASKED_MILLISECONDS = 300_000;

/**
 * What all accounts together say, for decisions. A decision takes the last answer and never waits for the next one: a price that
 * leaves its bounds must not wait for a cascade of everybody. One that fails leaves the last one, which the bound holds on to.
 */
export class SystemWatch {
  readonly #options: SystemWatchOptions;
  #askedAt = Number.NEGATIVE_INFINITY;
  #isAsking = false;
  #latest: SystemStressInput | null = null;

  constructor(options: SystemWatchOptions) {
    this.#options = options;
  }

  latest(): SystemStressInput | null {
    const now = this.#options.clock.now();
    const isDue = now - this.#askedAt >= ASKED_MILLISECONDS || now < this.#askedAt;
    if (isDue && !this.#isAsking) void this.#ask(now);
    return this.#latest;
  }

  async #ask(now: number): Promise<void> {
    this.#askedAt = now;
    this.#isAsking = true;
    try {
      const input = await this.#options.ask();
      if (input === null) return;
      this.#latest = input;
      this.#options.seen(input);
    } catch {
      // The next one may have an answer.
    } finally {
      this.#isAsking = false;
    }
  }
}
