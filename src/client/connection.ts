import { stopwatchSeconds } from '../clock.ts';
import type { Random } from '../random.ts';
import { EventStreamParser, type StreamEvent } from './event-stream.ts';
import { Refused, type Requests } from './requests.ts';

/** Whom a connection serves. Whatever these throw ends the connection, and the next one is made. */
export interface ConnectionHandlers {
  /** The last event that was taken; null to begin with a whole book. */
  lastEventId(): string | null;
  /** What of the policy limits users; it is asked for with every connection. */
  takePolicy(value: unknown): void;
  /** @returns whether it is a word of the server that is understood. */
  take(event: StreamEvent, isResumed: boolean): boolean;
  /** @param thrown why; undefined where the server ended it. */
  lost(thrown: unknown, seconds: number): void;
}

export interface ConnectionOptions {
  readonly requests: Requests;
  readonly handlers: ConnectionHandlers;
  readonly random: Random;
  readonly goneSeconds: number;
  readonly firstPauseSeconds: number;
  readonly longestPauseSeconds: number;
}

/** A large book over a slow line may take some time, as long as it comes; but not for ever. */
const LONGEST_MESSAGE_RATIO = 5;

/** Follows the feed, and comes back whenever it breaks off: longer and longer apart, half of each pause by chance. */
export class Connection {
  readonly #options: ConnectionOptions;
  readonly #ending = new AbortController();
  #failures = 0;
  /** False once the service has said that this key may not be told of users. */
  #mayHearOfUsers = true;

  constructor(options: ConnectionOptions) {
    this.#options = options;
  }

  start(): void {
    void this.#run();
  }

  close(): void {
    this.#ending.abort();
  }

  async #run(): Promise<void> {
    const { signal } = this.#ending;
    while (!signal.aborted) {
      const since = stopwatchSeconds();
      let thrown: unknown;
      try {
        await this.#follow();
      } catch (caught) {
        thrown = caught;
      }
      if (signal.aborted) return;
      this.#options.handlers.lost(thrown, stopwatchSeconds() - since);
      await pause(this.#pauseSeconds(), signal);
    }
  }

  #pauseSeconds(): number {
    const { firstPauseSeconds, longestPauseSeconds, random } = this.#options;
    const longest = Math.min(firstPauseSeconds * 2 ** this.#failures, longestPauseSeconds);
    this.#failures = Math.min(this.#failures + 1, 40);
    return longest * (0.5 + 0.5 * random.uniform());
  }

  /** Returns when the server ends the stream. */
  async #follow(): Promise<void> {
    const { requests, handlers, goneSeconds } = this.#options;
    const lastEventId = handlers.lastEventId();
    const cut = new AbortController();
    const signal = AbortSignal.any([this.#ending.signal, cut.signal]);
    const silent = new Watch(goneSeconds, () => cut.abort(new Error(`nothing came for ${goneSeconds} s`)));
    const stuck = new Watch(goneSeconds * LONGEST_MESSAGE_RATIO, () =>
      cut.abort(new Error('no message came to its end')),
    );
    try {
      handlers.takePolicy(await requests.json('/v1/user-policy', signal));
      const body = await this.#open(lastEventId, signal);
      const parser = new EventStreamParser();
      const decoder = new TextDecoder();
      const reader = body.getReader();
      for (;;) {
        const { done, value } = await reader.read();
        if (done) return;
        silent.renew();
        for (const event of parser.take(decoder.decode(value, { stream: true }))) {
          if (!handlers.take(event, lastEventId !== null)) continue;
          stuck.renew();
          this.#failures = 0;
        }
      }
    } finally {
      silent.end();
      stuck.end();
      // Whatever ended it, nothing more is read.
      cut.abort();
    }
  }

  /** Limits, and users so that what is cut for one counts here at once. A key for limits alone gets those. */
  async #open(lastEventId: string | null, signal: AbortSignal): Promise<ReadableStream<Uint8Array>> {
    const { requests } = this.#options;
    if (this.#mayHearOfUsers) {
      try {
        return await requests.stream('/v1/stream?kinds=limits,user', lastEventId, signal);
      } catch (thrown) {
        // Another key, or a service that knows no such kind.
        if (!(thrown instanceof Refused && (thrown.status === 403 || thrown.status === 400))) throw thrown;
        this.#mayHearOfUsers = false;
      }
    }
    return requests.stream('/v1/stream?kinds=limits', lastEventId, signal);
  }
}

/** Calls once so long after it was renewed last. */
class Watch {
  readonly #milliseconds: number;
  readonly #call: () => void;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(seconds: number, call: () => void) {
    this.#milliseconds = seconds * 1000;
    this.#call = call;
    this.renew();
  }

  renew(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(this.#call, this.#milliseconds);
  }

  end(): void {
    clearTimeout(this.#timer);
  }
}

/** Ends early when the signal comes. */
export function pause(seconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) {
      resolve();
      return;
    }
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, seconds * 1000);
    signal.addEventListener('abort', done);
  });
}
