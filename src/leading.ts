import type { Deciding } from './deciding.ts';

const RETRY_MILLISECONDS = 500;

/** Decides while this process leads, and stops when it no longer does: one after the other, however quickly that changes. */
export class Leading {
  readonly #begin: () => Promise<Deciding>;
  readonly #onFailure: (thrown: unknown) => void;
  #deciding: Deciding | null = null;
  #isWanted = false;
  #last: Promise<void> = Promise.resolve();
  #retry: NodeJS.Timeout | undefined;

  constructor(begin: () => Promise<Deciding>, onFailure: (thrown: unknown) => void) {
    this.#begin = begin;
    this.#onFailure = onFailure;
  }

  /** Comes back once it is so, or could not be made so: then it is tried again. */
  set(isLeading: boolean): Promise<void> {
    clearTimeout(this.#retry);
    this.#isWanted = isLeading;
    this.#last = this.#last.then(() => this.#settle());
    return this.#last;
  }

  /** Decides at once where this process leads. */
  wake(): void {
    this.#deciding?.wake();
  }

  /** See `Deciding`; null where this process does not lead. */
  coverage(): ReturnType<Deciding['coverage']> | null {
    return this.#deciding?.coverage() ?? null;
  }

  async #settle(): Promise<void> {
    const deciding = this.#deciding;
    try {
      if (this.#isWanted && deciding === null) this.#deciding = await this.#begin();
      if (this.#isWanted || deciding === null) return;
      this.#deciding = null;
      await deciding.stop();
    } catch (thrown) {
      this.#onFailure(thrown);
      this.#retry = setTimeout(() => void this.set(this.#isWanted), RETRY_MILLISECONDS);
    }
  }
}
