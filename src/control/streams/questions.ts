import type { Following } from './event-log.ts';

/** What processes ask each other of a partition: answered by whoever keeps it, now or not at all. Nothing is stored, and nothing is asked twice. */
export interface Questions {
  /** Answers what is asked of a partition, until it is stopped. Of several that answer the first one counts. */
  answer(partition: number, answer: AnswerQuestion): Promise<Following>;
  /**
   * @param question at most `MOST_QUESTION_BYTES`; the answer may have any size.
   * @throws PlimsollError SHARD_NOT_HELD where nobody answers in time, STREAM_UNAVAILABLE.
   */
  ask(partition: number, question: Uint8Array, milliseconds: number): Promise<Uint8Array>;
}

/** Null says nothing: somebody else may. */
export type AnswerQuestion = (question: Uint8Array) => Promise<Uint8Array | null>;

/** NATS takes messages of a megabyte where nobody has set another size. */
export const MOST_QUESTION_BYTES = 900 * 1024;
