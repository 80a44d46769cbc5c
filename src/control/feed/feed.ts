import type { Intervention } from '../../accounts/interventions/intervention.ts';
import type { OutboxStore } from '../ports.ts';
import { type FeedEvent, interventionEvent } from './feed-event.ts';

/** What is taken over, or told, in one go: milliseconds of the thread that answers reads. */
const PAGE = 250;

export interface FeedOptions {
  readonly outbox: OutboxStore;
  /** Interventions that are stored, those after a sequence. */
  readonly interventionsAfter: (sequence: number, limit: number) => Promise<readonly Intervention[]>;
  /** Told when what nobody waits for goes wrong; the next call makes up for it. */
  readonly onFailure: (error: Error) => void;
}

/**
 * All that is pushed, in one order. What is told was written into the outbox before, so whoever comes back with the last
 * number that they have seen misses nothing and gets nothing twice, also across a restart.
 */
export class Feed {
  readonly #options: FeedOptions;
  readonly #listeners = new Set<(events: readonly FeedEvent[]) => void>();
  /** Of the newest event that was told. */
  #last: number;
  #running: Promise<void> | null = null;
  #isWoken = false;
  #isClosed = false;

  private constructor(options: FeedOptions, last: number) {
    this.#options = options;
    this.#last = last;
  }

  static async recover(options: FeedOptions): Promise<Feed> {
    return new Feed(options, await options.outbox.lastEvent());
  }

  /** Sequence of the newest event that was told; 0 before the first. */
  get last(): number {
    return this.#last;
  }

  /** Is told of events in their order, each once. */
  onEvents(listener: (events: readonly FeedEvent[]) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Sequence of the oldest event that is kept; null where there is none. */
  oldest(): Promise<number | null> {
    return this.#options.outbox.oldestEvent();
  }

  eventsAfter(sequence: number, limit: number): Promise<readonly FeedEvent[]> {
    return this.#options.outbox.eventsAfter(sequence, limit);
  }

  /** Returns when all is told that was stored before. */
  async settled(): Promise<void> {
    while (this.#running !== null) await this.#running;
  }

  /** What is told is told to its end; nothing is read afterwards. The next start tells what is left. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.settled();
  }

  /** Something new is stored: a book, or interventions. Comes back once it is told. */
  pump(): Promise<void> {
    if (this.#isClosed) return Promise.resolve();
    this.#isWoken = true;
    this.#running ??= this.#run().finally(() => {
      this.#running = null;
    });
    return this.#running;
  }

  async #run(): Promise<void> {
    while (this.#isWoken) {
      this.#isWoken = false;
      try {
        await this.#takeInterventions();
        await this.#tell();
      } catch (thrown) {
        this.#options.onFailure(thrown as Error);
      }
    }
  }

  /** From the accounts' store into the outbox, each once: it knows the last one that it has. */
  async #takeInterventions(): Promise<void> {
    const { outbox, interventionsAfter } = this.#options;
    for (;;) {
      const found = await interventionsAfter(await outbox.lastIntervention(), PAGE);
      if (found.length === 0) return;
      await outbox.appendEvents(found.map(interventionEvent));
    }
  }

  async #tell(): Promise<void> {
    for (;;) {
      const events = await this.#options.outbox.eventsAfter(this.#last, PAGE);
      if (events.length === 0) return;
      this.#last = events[events.length - 1].sequence;
      for (const listener of this.#listeners) listener(events);
    }
  }
}
