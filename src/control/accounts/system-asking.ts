import type { Clock } from '../../clock.ts';
import { PlimsollError } from '../../errors.ts';
import type { SystemQuestion } from './system-desk.ts';

/** Everybody together is not looked at more often: with millions of accounts it takes seconds. */
const KEPT_MILLISECONDS = 10_000;
/** Each holds a copy of all positions until it is answered. */
const MOST_ASKING = 4;

/** How often, and by how many at once, all accounts together are looked at. */
export class SystemAsking {
  readonly #clock: Clock;
  readonly #ask: (question: SystemQuestion) => Promise<unknown>;
  #asking = 0;
  #kept: { readonly at: number; readonly answer: Promise<unknown> } | null = null;

  /** @param ask takes a picture of everybody and looks at it. */
  constructor(clock: Clock, ask: (question: SystemQuestion) => Promise<unknown>) {
    this.#clock = clock;
    this.#ask = ask;
  }

  /** @throws PlimsollError OVERLOADED. */
  answer(question: SystemQuestion): Promise<unknown> {
    const now = this.#clock.now();
    const kept = this.#kept;
    if (question.kind === 'system' && kept !== null && now >= kept.at && now - kept.at < KEPT_MILLISECONDS)
      return kept.answer;
    if (this.#asking >= MOST_ASKING)
      throw new PlimsollError('OVERLOADED', 'others ask for all accounts together', {
        remedy: 'Come again in a few seconds.',
      });
    this.#asking++;
    const answer = this.#ask(question).finally(() => {
      this.#asking--;
    });
    if (question.kind !== 'system') return answer;
    const asked = { at: now, answer };
    this.#kept = asked;
    // A failure is nothing to keep.
    answer.catch(() => {
      if (this.#kept === asked) this.#kept = null;
    });
    return answer;
  }
}
