import { setTimeout as wait } from 'node:timers/promises';
import { Client, type ClientConfig } from 'pg';

/** Between tries to open a session. */
const PAUSE_MILLISECONDS = 200;

/**
 * One session that is opened again whenever it ends, until it is stopped. `work` runs with each; the session ends when it does, and
 * it is given up when the session ends.
 */
export class SessionLoop {
  readonly #config: ClientConfig;
  readonly #work: (client: Client, ended: AbortSignal) => Promise<void>;
  readonly #onFailure: (thrown: unknown) => void;
  readonly #stopping = new AbortController();
  #running: Promise<void> | null = null;

  constructor(
    config: ClientConfig,
    work: (client: Client, ended: AbortSignal) => Promise<void>,
    onFailure: (thrown: unknown) => void,
  ) {
    this.#config = config;
    this.#work = work;
    this.#onFailure = onFailure;
  }

  start(): void {
    this.#running ??= this.#run();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      await this.#once(signal).catch(this.#onFailure);
      await wait(PAUSE_MILLISECONDS, undefined, { signal }).catch(() => undefined);
    }
  }

  async #once(stopping: AbortSignal): Promise<void> {
    const client = new Client(this.#config);
    const ended = new AbortController();
    client.on('error', () => ended.abort());
    client.on('end', () => ended.abort());
    try {
      await client.connect();
      await this.#work(client, AbortSignal.any([stopping, ended.signal]));
    } finally {
      // A wire that was cut is not waited for.
      await Promise.race([client.end().catch(() => undefined), wait(1_000, undefined, { ref: false })]);
    }
  }
}

/** Resolves when a signal comes. */
export function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
