import type { ControlReads, FeedEvent, FeedKind } from '../../control/reads.ts';
import { refuse } from '../problem.ts';
import {
  type ClosingCode,
  closingFrame,
  eventFrame,
  type Frame,
  HEARTBEAT,
  snapshotFrame,
} from './frames.ts';

/** One connection, whatever it speaks. */
export interface Reader {
  /** False once it is gone. */
  readonly isOpen: boolean;
  /** Bytes that wait to be sent. */
  readonly waitingBytes: number;
  send(frame: Frame): void;
  /** The frame is the last one. */
  end(frame: Frame): void;
}

export interface Subscription {
  /** The last event that the reader has; null for one that begins with what is in force. */
  readonly after: number | null;
  /** Null for all. */
  readonly kinds: ReadonlySet<FeedKind> | null;
  /** False once whoever opened it may not read any more. */
  readonly mayStay?: () => boolean;
}

export const PUSH_BOUNDS = {
  readers: 20_000,
  waitingBytes: 8 * 1024 * 1024,
  heartbeatMilliseconds: 15_000,
  page: 500,
} as const;

/** A whole book as JSON, and what tells it from another. */
export interface WholeBook {
  readonly etag: string;
  readonly body: Buffer | string;
}

interface Joined {
  readonly kinds: ReadonlySet<FeedKind> | null;
  readonly mayStay: (() => boolean) | undefined;
}

/**
 * Hands the feed to its readers. A reader that names the last event it has gets those after it, from the store and then live,
 * without a gap; one that names none, or one that is not kept any more, begins with the whole book.
 */
export class PushHub {
  readonly #reads: ControlReads;
  readonly #limits: () => WholeBook | undefined;
  readonly #live = new Map<Reader, Joined>();
  readonly #forget: () => void;
  readonly #heartbeat: NodeJS.Timeout;
  #joining = 0;
  /** Of one event number; most readers that come at once begin with the same. */
  #snapshot: { readonly sequence: number; readonly etag: string; readonly frame: Frame } | null = null;

  /** @param limits the book in force; undefined before the first. */
  constructor(reads: ControlReads, limits: () => WholeBook | undefined) {
    this.#reads = reads;
    this.#limits = limits;
    this.#forget = reads.feed.onEvents((events) => this.#tell(events));
    this.#heartbeat = setInterval(() => this.#beat(), PUSH_BOUNDS.heartbeatMilliseconds);
    this.#heartbeat.unref();
  }

  get readers(): number {
    return this.#live.size + this.#joining;
  }

  /** @throws PlimsollError OVERLOADED, NOTHING_PUBLISHED: before anything is sent. */
  requireRoom(): void {
    if (this.readers >= PUSH_BOUNDS.readers)
      throw refuse('OVERLOADED', `there are ${PUSH_BOUNDS.readers} readers already`, 'Come again later.');
    if (this.#limits() === undefined)
      throw refuse('NOTHING_PUBLISHED', 'no limits have been decided yet', 'Try again in a few seconds.');
  }

  /** Returns once the reader is up to date and live, or gone. */
  async join(reader: Reader, { after, kinds, mayStay }: Subscription): Promise<void> {
    const { feed } = this.#reads;
    this.#joining++;
    try {
      let seen = await this.#begin(reader, after);
      while (reader.isOpen && seen < feed.last) {
        const events = await feed.eventsAfter(seen, PUSH_BOUNDS.page);
        if (events.length === 0) break;
        for (const event of events) if (isWanted(event, kinds)) reader.send(eventFrame(event));
        seen = events[events.length - 1].sequence;
        if (!this.#keepsUp(reader)) return;
      }
      if (reader.isOpen) this.#live.set(reader, { kinds, mayStay });
    } finally {
      this.#joining--;
    }
  }

  leave(reader: Reader): void {
    this.#live.delete(reader);
  }

  /** Takes no more events, and tells every reader that it ends. */
  close(): void {
    this.#forget();
    clearInterval(this.#heartbeat);
    for (const reader of this.#live.keys()) this.#cut(reader, 'SERVICE_ENDS');
    this.#live.clear();
  }

  /** @returns the last event that the reader has now. */
  async #begin(reader: Reader, after: number | null): Promise<number> {
    const { feed } = this.#reads;
    if (after !== null && after <= feed.last) {
      const oldest = await feed.oldest();
      if (after === feed.last || (oldest !== null && after >= oldest - 1)) return after;
    }
    await feed.settled();
    const sequence = feed.last;
    reader.send(this.#snapshotAt(sequence));
    return sequence;
  }

  #snapshotAt(sequence: number): Frame {
    const book = this.#limits();
    const etag = book?.etag ?? '';
    if (this.#snapshot?.sequence !== sequence || this.#snapshot.etag !== etag)
      this.#snapshot = { sequence, etag, frame: snapshotFrame(sequence, book?.body.toString() ?? 'null') };
    return this.#snapshot.frame;
  }

  #tell(events: readonly FeedEvent[]): void {
    const frames = events.map((event) => ({ event, frame: eventFrame(event) }));
    for (const [reader, { kinds }] of this.#live) {
      if (!reader.isOpen) {
        this.#live.delete(reader);
        continue;
      }
      for (const { event, frame } of frames) if (isWanted(event, kinds)) reader.send(frame);
      if (!this.#keepsUp(reader)) this.#live.delete(reader);
    }
  }

  /** Cuts off whoever came with a key or token that counts no longer. */
  dismiss(): void {
    for (const [reader, { mayStay }] of this.#live) {
      if (mayStay?.() !== false) continue;
      this.#live.delete(reader);
      this.#cut(reader, 'KEY_ENDED');
    }
  }

  #beat(): void {
    this.dismiss();
    for (const reader of this.#live.keys()) reader.send(HEARTBEAT);
  }

  /** A reader that does not read is cut off, and told why: what waits for it would fill the memory. */
  #keepsUp(reader: Reader): boolean {
    if (reader.waitingBytes <= PUSH_BOUNDS.waitingBytes) return true;
    this.#cut(reader, 'SLOW_READER');
    return false;
  }

  #cut(reader: Reader, code: ClosingCode): void {
    reader.end(closingFrame(code));
  }
}

function isWanted({ kind }: FeedEvent, kinds: ReadonlySet<FeedKind> | null): boolean {
  return kinds === null || kinds.has(kind);
}
