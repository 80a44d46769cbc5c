import { setTimeout as wait } from 'node:timers/promises';
import type { Client } from 'pg';
import { LOCK_CLASS, LOCKS, sessionConfig } from './database.ts';
import { SessionLoop } from './session-loop.ts';

export interface LeadershipOptions {
  readonly url: string;
  /** Who leads, for people who look at the table. */
  readonly identity: string;
  readonly onTaken: (term: number) => void;
  /** @param reason for the log. */
  readonly onLost: (reason: string) => void;
}

/** The leader says this often that it lives, and a standby asks for the lock as often. */
const BEAT_MILLISECONDS = 300;
/** The server ends the session of a leader that was not heard for so long: it stands still, or is cut off. */
const SILENCE_MILLISECONDS = 3_000;
/** A leader that gets no answer for so long steps down by itself. */
const ANSWER_MILLISECONDS = 2_000;

/**
 * One process of all leads: the one whose session holds the lock. Taking it takes the next term, which fences what the leader before
 * may still be about to publish.
 */
export class Leadership {
  readonly #options: LeadershipOptions;
  readonly #loop: SessionLoop;
  #term: number | null = null;

  constructor(options: LeadershipOptions) {
    this.#options = options;
    const config = sessionConfig(options.url, 'lead', { idle_session_timeout: SILENCE_MILLISECONDS });
    this.#loop = new SessionLoop(
      { ...config, query_timeout: ANSWER_MILLISECONDS },
      (client, ended) => this.#hold(client, ended),
      () => undefined,
    );
  }

  /** The term in which this process leads; null while it does not. */
  term(): number | null {
    return this.#term;
  }

  start(): void {
    this.#loop.start();
  }

  /** Gives the lead up, so that a standby has it at once. */
  stop(): Promise<void> {
    return this.#loop.stop();
  }

  async #hold(client: Client, ended: AbortSignal): Promise<void> {
    try {
      await this.#take(client, ended);
      while (!ended.aborted) {
        await wait(BEAT_MILLISECONDS, undefined, { signal: ended }).catch(() => undefined);
        if (ended.aborted) break;
        const { rows } = await client.query('SELECT term FROM writer WHERE id = 1');
        if (rows[0].term !== this.#term) break;
      }
      this.#lose('its session ended, or a later term was taken');
    } catch (thrown) {
      this.#lose(thrown instanceof Error ? thrown.message : String(thrown));
      throw thrown;
    }
  }

  async #take(client: Client, ended: AbortSignal): Promise<void> {
    while (!ended.aborted) {
      const { rows } = await client.query('SELECT pg_try_advisory_lock($1, $2) AS taken', [
        LOCK_CLASS,
        LOCKS.leadership,
      ]);
      if (rows[0].taken) {
        const next = await client.query(
          'UPDATE writer SET term = term + 1, leader = $1, since = now() WHERE id = 1 RETURNING term',
          [this.#options.identity],
        );
        this.#term = next.rows[0].term as number;
        this.#options.onTaken(this.#term);
        return;
      }
      await wait(BEAT_MILLISECONDS / 2, undefined, { signal: ended }).catch(() => undefined);
    }
  }

  #lose(reason: string): void {
    if (this.#term === null) return;
    this.#term = null;
    this.#options.onLost(reason);
  }
}
