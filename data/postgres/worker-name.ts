import { setTimeout as wait } from 'node:timers/promises';
import type { Client } from 'pg';
import { PlimsollError } from '../../src/errors.ts';
import { sessionConfig, WORKER_LOCK_CLASS } from './database.ts';
import { SessionLoop } from './session-loop.ts';

/** Whoever holds a name says this often that it lives, and whoever wants it asks as often. */
const BEAT_MILLISECONDS = 500;
/** The server ends the session of a holder that was not heard for so long. */
const SILENCE_MILLISECONDS = 3_000;
const ANSWER_MILLISECONDS = 2_000;

/**
 * A name that one process has at a time: the one whose session holds its lock. The session of a process that was killed ends with
 * it; that of one which stands still is ended by the server.
 */
export class WorkerName {
  readonly #name: string;
  readonly #loop: SessionLoop;
  readonly #taken = Promise.withResolvers<void>();
  #isHeld = false;

  constructor(url: string, name: string) {
    this.#name = name;
    const config = sessionConfig(url, 'worker', { idle_session_timeout: SILENCE_MILLISECONDS });
    this.#loop = new SessionLoop(
      { ...config, query_timeout: ANSWER_MILLISECONDS },
      (client, ended) => this.#hold(client, ended),
      () => undefined,
    );
  }

  /** False while the session is away; the name is taken again as soon as it can be. */
  isHeld(): boolean {
    return this.#isHeld;
  }

  /** @throws PlimsollError WORKER_NAME_TAKEN where another process still has the name after so long. */
  async take(milliseconds: number): Promise<void> {
    this.#loop.start();
    const late = Promise.withResolvers<void>();
    const timer = setTimeout(() => late.reject(this.#isTaken()), milliseconds);
    await Promise.race([this.#taken.promise, late.promise]).finally(() => clearTimeout(timer));
  }

  stop(): Promise<void> {
    return this.#loop.stop();
  }

  async #hold(client: Client, ended: AbortSignal): Promise<void> {
    try {
      while (!ended.aborted) {
        if (this.#isHeld) await client.query('SELECT 1');
        else {
          const { rows } = await client.query('SELECT pg_try_advisory_lock($1, hashtext($2)) AS taken', [
            WORKER_LOCK_CLASS,
            this.#name,
          ]);
          this.#isHeld = rows[0].taken;
          if (this.#isHeld) this.#taken.resolve();
        }
        await wait(BEAT_MILLISECONDS, undefined, { signal: ended }).catch(() => undefined);
      }
    } finally {
      this.#isHeld = false;
    }
  }

  #isTaken(): PlimsollError {
    return new PlimsollError('WORKER_NAME_TAKEN', `a worker named ${this.#name} is at work already`, {
      remedy: 'Give this one another name (PLIMSOLL_WORKER_NAME), or end the other.',
      details: { name: this.#name },
    });
  }
}
