import { setImmediate } from 'node:timers/promises';
import { PlimsollError } from '../../errors.ts';
import type { AccountRequests } from '../accounts/worker-messages.ts';
import { type Asked, type AskedKind, decodeAnswers, encodeQuestions, errorOf } from './question-codec.ts';
import { MOST_QUESTION_BYTES, type Questions } from './questions.ts';

/** Whoever asks for caps waits for it, and an owner that stands still is replaced only later. */
const READ_MILLISECONDS = 2_000;
/** What is written waits for two disks, and what is asked about many for a walk over them. */
const WRITE_MILLISECONDS = 5_000;
/** All accounts are copied first. */
const PICTURE_MILLISECONDS = 15_000;
/** Questions that are sent together. Ids are short, so they are far from the most bytes. */
const MOST_AT_ONCE = 500;

interface Waiting {
  readonly question: Asked;
  readonly resolve: (answer: never) => void;
  readonly reject: (error: unknown) => void;
}

/** Asks the processes that keep partitions. Short questions of the same moment travel together. */
export class PartitionAsker {
  readonly #questions: Questions;
  readonly #waiting = new Map<number, Waiting[]>();

  constructor(questions: Questions) {
    this.#questions = questions;
  }

  /** @throws PlimsollError what the owner says, SHARD_NOT_HELD where there is none, STREAM_UNAVAILABLE. */
  ask<Kind extends AskedKind>(
    partition: number,
    kind: Kind,
    request: Omit<AccountRequests[Kind]['ask'], 'at'>,
  ): Promise<AccountRequests[Kind]['answer']> {
    const question = { kind, ...request } as unknown as Asked;
    const isShort = kind === 'reading' || kind === 'readingsOfUser';
    return new Promise((resolve, reject) => {
      if (isShort) this.#gather(partition, { question, resolve, reject });
      else {
        const milliseconds = kind === 'picture' ? PICTURE_MILLISECONDS : WRITE_MILLISECONDS;
        void this.#send(partition, [{ question, resolve, reject }], milliseconds);
      }
    });
  }

  #gather(partition: number, waiting: Waiting): void {
    const gathered = this.#waiting.get(partition);
    if (gathered !== undefined) {
      gathered.push(waiting);
      return;
    }
    this.#waiting.set(partition, [waiting]);
    void setImmediate().then(() => {
      const all = this.#waiting.get(partition) ?? [];
      this.#waiting.delete(partition);
      for (let from = 0; from < all.length; from += MOST_AT_ONCE)
        void this.#send(partition, all.slice(from, from + MOST_AT_ONCE), READ_MILLISECONDS);
    });
  }

  async #send(partition: number, asked: readonly Waiting[], milliseconds: number): Promise<void> {
    try {
      const body = encodeQuestions(asked.map(({ question }) => question));
      if (body.length > MOST_QUESTION_BYTES) throw tooLarge();
      const bytes = await this.#questions.ask(partition, body, milliseconds);
      const answers = decodeAnswers(bytes, asked.length);
      for (const [i, { resolve, reject }] of asked.entries()) {
        const answered = answers[i];
        if ('failure' in answered) reject(errorOf(answered.failure));
        else resolve(answered.answer as never);
      }
    } catch (thrown) {
      for (const { reject } of asked) reject(thrown);
    }
  }
}

function tooLarge(): PlimsollError {
  return new PlimsollError(
    'BODY_TOO_LARGE',
    'this is more than the process that keeps the accounts can be sent at once',
    {
      remedy: 'Send it to that process, or leave out what it need not know.',
    },
  );
}
