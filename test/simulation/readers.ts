import { createHash } from 'node:crypto';
import type { FeedEvent } from '../../src/control/ports.ts';
import { userShape } from '../../src/control/reads.ts';
import { Random } from '../../src/random.ts';
import type { SimulatedService } from './service.ts';

/** One who follows what is pushed, and remembers what was told. */
interface Reader {
  readonly name: string;
  /** Probability of a look at each opportunity; the last one also listens in between. */
  readonly keenness: number;
  last: number;
}

/** Readers that come and go, and resume by the sequence of the last event they have. */
export class Readers {
  readonly #random: Random;
  readonly #readers: readonly Reader[] = [
    { name: 'keen', keenness: 0.8, last: 0 },
    { name: 'seldom', keenness: 0.03, last: 0 },
    { name: 'listening', keenness: 0, last: 0 },
  ];
  /** SHA-256 of what was told, by sequence: the first who sees an event says what it is. */
  readonly #told = new Map<number, string>();
  /** Sequence of the event that told a book, by version; that of an intervention; and that of a step of people, by revision. */
  readonly #books = new Map<number, number>();
  readonly #interventions = new Map<number, number>();
  readonly #steps = new Map<number, number>();
  /** The policy that was told last, by user. */
  readonly #users = new Map<string, string>();
  #faults: string[] = [];
  events = 0;

  constructor(seed: number) {
    this.#random = Random.stream(seed, 'readers');
  }

  /** The one that listens connects to a process: what it missed first, then what comes. */
  async connect({ control, store }: SimulatedService): Promise<void> {
    const listening = this.#readers[2];
    control.feed.onEvents((events) =>
      this.#take(
        listening,
        events.filter(({ sequence }) => sequence > listening.last),
      ),
    );
    const missed = await store.outbox.eventsAfter(listening.last, 1_000_000);
    this.#take(listening, missed);
  }

  async look({ control, disk }: SimulatedService): Promise<void> {
    for (const reader of this.#readers) {
      if (disk.isDead || this.#random.uniform() >= reader.keenness) continue;
      const page = 1 + this.#random.integer(50);
      // Only what was told to all: an event that is not told yet comes with the next look.
      const events = await control.feed.eventsAfter(reader.last, page).catch(() => []);
      this.#take(reader, events);
    }
  }

  /** All of them read to the end. */
  async finish({ control }: SimulatedService): Promise<void> {
    for (const reader of this.#readers)
      this.#take(reader, await control.feed.eventsAfter(reader.last, 1_000_000));
    for (const [userId, told] of this.#users) {
      const policy = control.userNow(userId);
      if (policy === null || JSON.stringify(userShape(policy)) !== told)
        this.#faults.push(`of the user ${userId} something else was told than is in force`);
    }
    for (let revision = 1; revision <= control.governance.revision(); revision++)
      if (!this.#steps.has(revision)) this.#faults.push(`nobody was told of step ${revision} of people`);
  }

  #take(reader: Reader, events: readonly FeedEvent[]): void {
    for (const event of events) {
      if (event.sequence !== reader.last + 1)
        this.#faults.push(`the reader ${reader.name} got event ${event.sequence} after ${reader.last}`);
      reader.last = Math.max(reader.last, event.sequence);
      this.#remember(event);
    }
  }

  #remember({ sequence, kind, body }: FeedEvent): void {
    const hash = createHash('sha256').update(`${kind} ${body}`).digest('base64');
    const known = this.#told.get(sequence);
    if (known !== undefined) {
      if (known !== hash) this.#faults.push(`event ${sequence} was told in two ways`);
      return;
    }
    this.events++;
    this.#told.set(sequence, hash);
    const told = JSON.parse(body) as {
      version?: number;
      sequence?: number;
      revision?: number;
      userId?: string;
    };
    if (kind === 'user') {
      this.#users.set(told.userId ?? '', body);
      return;
    }
    const [which, key = 0] =
      kind === 'limits'
        ? [this.#books, told.version]
        : kind === 'governance'
          ? [this.#steps, told.revision]
          : [this.#interventions, told.sequence];
    if (which.has(key))
      this.#faults.push(`${kind} ${key} is told by events ${which.get(key)} and ${sequence}`);
    which.set(key, sequence);
  }

  /** What did not hold since the last call. */
  takeFaults(): string[] {
    return this.#faults.splice(0);
  }

  /** Books and interventions up to these that no event has told; all must have been read. */
  untold(books: number, interventions: number): string[] {
    const missing = (of: ReadonlyMap<number, number>, count: number, what: string): string[] =>
      Array.from({ length: count }, (_, i) => i + 1)
        .filter((number) => !of.has(number))
        .map((number) => `nobody was told of ${what} ${number}`);
    return [
      ...missing(this.#books, books, 'book'),
      ...missing(this.#interventions, interventions, 'intervention'),
    ];
  }
}
