import type { PlimsollError } from '../../errors.ts';
import type { Questions } from './questions.ts';

/**
 * What the streams ask of a broker. Adapters: `data/nats`; the reference is `memory-broker.ts`; `data/conformance` has what
 * each must hold, and docs/scaling.md what that means for Kafka.
 */
export interface Broker {
  readonly log: EventLog;
  readonly leases: Leases;
  readonly questions: Questions;
  /** Fixed when the topics were first made. */
  readonly partitions: number;
  /** Null while it answers; otherwise why not. Nothing is written meanwhile. */
  failure(): PlimsollError | null;
  close(): Promise<void>;
}

/** Topics of entries in one order each. An entry that was appended survives the crash of whoever appended it. */
export interface EventLog {
  /**
   * Durable when it returns. A failure of the way (STREAM_UNAVAILABLE) leaves open whether it was appended.
   *
   * @returns the entry's sequence: 1, 2, 3, … within its topic.
   * @throws PlimsollError SHARD_LOST where `expected` is not the newest sequence, STREAM_LOST where the topic is gone.
   */
  append(topic: Topic, body: Uint8Array, options?: AppendOptions): Promise<number>;
  /** Those after a sequence, in their order, `limit` of them at most; what was forgotten is not among them. */
  read(topic: Topic, after: number, limit: number): Promise<readonly LogEntry[]>;
  /** Where a topic begins and ends. */
  extent(topic: Topic): Promise<Extent>;
  /**
   * Hands over entries after a sequence as they come, in their order, each once; the next ones when `take` is done.
   *
   * @param onFailure told once, when it cannot go on.
   */
  follow(
    topic: Topic,
    after: number,
    take: TakeEntries,
    onFailure: (error: PlimsollError) => void,
  ): Following;
  /** Entries up to a sequence are not needed any more. */
  forget(topic: Topic, upTo: number): Promise<void>;
}

/**
 * `accounts.P`: states of accounts of a partition, lines of NDJSON. `prices`: mark prices as they are sent. `marks`: those
 * that were believed. `journal.P`: what became of a partition, by whoever owns it. `snapshots.P`: its newest snapshots.
 */
export type Topic = 'prices' | 'marks' | `${'accounts' | 'journal' | 'snapshots'}.${number}`;

export const topicsOf = (partitions: number): readonly Topic[] => [
  'prices',
  'marks',
  ...Array.from({ length: partitions }, (_, partition) => [
    `accounts.${partition}` as const,
    `journal.${partition}` as const,
    `snapshots.${partition}` as const,
  ]).flat(),
];

export interface AppendOptions {
  /** One that came before, within the broker's window, is not appended again: its sequence is the answer. */
  readonly id?: string;
  /** Of the newest entry, as far as whoever appends knows; 0 for an empty topic. The fence of a shard. */
  readonly expected?: number;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface LogEntry {
  readonly sequence: number;
  /** Null where it was appended without one. */
  readonly id: string | null;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

export interface Extent {
  /** Of the oldest entry that is kept; `last` + 1 where there is none. */
  readonly first: number;
  /** Of the newest entry that ever was; 0 before the first. */
  readonly last: number;
}

export type TakeEntries = (entries: readonly LogEntry[]) => Promise<void>;

export interface Following {
  /** Comes back once nothing more is handed over. */
  stop(): Promise<void>;
}

/** Names that one holder has for as long as it says so. They make a second owner unlikely; the fence of the journal makes it harmless. */
export interface Leases {
  /** @returns null while somebody else has it. */
  take(name: string, holder: string): Promise<Lease | null>;
  /** Who has it, and a number that grows whenever the holder says that it lives; null where nobody has. */
  holder(name: string): Promise<{ readonly holder: string; readonly beat: number } | null>;
  /** A lease that is not renewed for so long is free again. */
  readonly milliseconds: number;
}

export interface Lease {
  /** Says that the holder lives. @returns false where the lease is another's, or free. */
  renew(): Promise<boolean>;
  release(): Promise<void>;
}
