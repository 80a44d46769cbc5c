import { randomUUID } from 'node:crypto';
import { errors, type Msg, headers as natsHeaders } from '@nats-io/transport-node';
import { type AnswerQuestion, nobodyAnswers, type Questions } from '../../src/control/ports.ts';
import type { NatsWay } from './connection.ts';

/** Room for headers in a message. */
const HEADER_BYTES = 4 * 1024;
/** An answer that does not fit into a message waits so long for whoever fetches the rest of it. */
const KEPT_MILLISECONDS = 30_000;
/** As many parts are on their way at once. */
const PARTS_AT_ONCE = 4;
const PART_MILLISECONDS = 5_000;
const SIZE = 'Plimsoll-Size';
const REST = 'Plimsoll-Rest';

/** Requests and replies without a stream. An answer that is larger than a message is fetched part by part, from the process that gave its first one. */
export class NatsQuestions implements Questions {
  readonly #way: NatsWay;
  readonly #prefix: string;

  constructor(way: NatsWay, prefix: string) {
    this.#way = way;
    this.#prefix = prefix;
  }

  async answer(partition: number, answer: AnswerQuestion) {
    const { connection } = this.#way;
    const rests = new Rests(this.#way, `${this.#prefix}.answers.${randomUUID()}`);
    const subscription = connection.subscribe(this.#subjectOf(partition), {
      callback: (error, message) => {
        if (error === null) void this.#reply(message, answer, rests);
      },
    });
    await this.#way.on(() => connection.flush());
    return {
      stop: async () => {
        subscription.unsubscribe();
        rests.stop();
      },
    };
  }

  ask(partition: number, question: Uint8Array, milliseconds: number): Promise<Uint8Array> {
    return this.#way.on(async () => {
      try {
        const first = await this.#request(this.#subjectOf(partition), question, milliseconds);
        const rest = first.headers?.get(REST) ?? '';
        return rest === '' ? first.data : await this.#whole(first, rest);
      } catch (thrown) {
        if (isUnanswered(thrown)) throw nobodyAnswers(partition);
        throw thrown;
      }
    });
  }

  #subjectOf(partition: number): string {
    return `${this.#prefix}.ask.${partition}`;
  }

  #request(subject: string, body: Uint8Array | string, timeout: number): Promise<Msg> {
    return this.#way.connection.request(subject, body, { timeout });
  }

  async #reply(message: Msg, answer: AnswerQuestion, rests: Rests): Promise<void> {
    try {
      const bytes = await answer(message.data);
      if (bytes === null) return;
      const most = partBytesOf(this.#way);
      if (bytes.length <= most) message.respond(bytes);
      else {
        const headers = natsHeaders();
        headers.set(SIZE, String(bytes.length));
        headers.set(REST, rests.keep(bytes));
        message.respond(bytes.subarray(0, most), { headers });
      }
    } catch {
      // The way is lost: whoever asks hears that nobody answers.
    }
  }

  async #whole(first: Msg, rest: string): Promise<Uint8Array> {
    const whole = new Uint8Array(Number(first.headers?.get(SIZE)));
    whole.set(first.data);
    const step = first.data.length;
    for (let from = step; from < whole.length; from += PARTS_AT_ONCE * step) {
      const starts = Array.from({ length: PARTS_AT_ONCE }, (_, i) => from + i * step);
      const parts = starts.filter((start) => start < whole.length);
      await Promise.all(
        parts.map(async (start) => {
          const { data } = await this.#request(rest, `${start} ${start + step}`, PART_MILLISECONDS);
          whole.set(data, start);
        }),
      );
    }
    return whole;
  }
}

/** What is left of large answers, for a while. */
class Rests {
  readonly #way: NatsWay;
  readonly #subject: string;
  readonly #kept = new Map<string, { stop(): void }>();

  constructor(way: NatsWay, subject: string) {
    this.#way = way;
    this.#subject = subject;
  }

  /** @returns the subject where ranges of it, `FROM UNTIL`, are asked for. */
  keep(bytes: Uint8Array): string {
    const subject = `${this.#subject}.${randomUUID()}`;
    const subscription = this.#way.connection.subscribe(subject, {
      callback: (error, message) => {
        if (error !== null) return;
        const [from, until] = message.string().split(' ').map(Number);
        message.respond(bytes.subarray(from, until));
      },
    });
    const stop = (): void => {
      clearTimeout(timer);
      subscription.unsubscribe();
      this.#kept.delete(subject);
    };
    const timer = setTimeout(stop, KEPT_MILLISECONDS);
    timer.unref();
    this.#kept.set(subject, { stop });
    return subject;
  }

  stop(): void {
    for (const { stop } of this.#kept.values()) stop();
  }
}

function partBytesOf(way: NatsWay): number {
  return (way.connection.info?.max_payload ?? 1024 * 1024) - HEADER_BYTES;
}

function isUnanswered(thrown: unknown): boolean {
  if (thrown instanceof errors.TimeoutError || thrown instanceof errors.NoRespondersError) return true;
  return thrown instanceof errors.RequestError && thrown.isNoResponders();
}
