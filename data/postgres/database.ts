import { setTimeout as wait } from 'node:timers/promises';
import { type ClientConfig, Pool, type PoolClient, types } from 'pg';
import { PlimsollError } from '../../src/errors.ts';
import type { Row } from '../state-rows.ts';
import { asDatabaseError, isLost } from './failures.ts';

/** The room of a database that is ours: other programs may have tables beside it. */
export const SCHEMA = 'plimsoll';

/** Advisory locks are pairs: "PLIM", and what is held. */
export const LOCK_CLASS = 0x504c494d;
export const LOCKS = { migration: 1, leadership: 2 } as const;
/** "PLIW", and the hash of a worker's name. */
export const WORKER_LOCK_CLASS = 0x504c4957;

/** Sessions that listen for changes. What is sent says nothing: the tables do. */
export const CHANNEL = 'plimsoll_change';

const CONNECT_MILLISECONDS = 3_000;
/** Longer than any statement takes; a way that was cut is noticed then. */
const ANSWER_MILLISECONDS = 15_000;
/** A process that was stopped within a transaction holds up the others no longer than this. */
const IDLE_TRANSACTION_MILLISECONDS = 2_000;
const LOCK_MILLISECONDS = 5_000;
const INT8 = 20;

/** How the sessions of one process reach the database. */
export function sessionConfig(
  url: string,
  name: string,
  more: Readonly<Record<string, string | number>> = {},
): ClientConfig {
  const settings = {
    search_path: SCHEMA,
    idle_in_transaction_session_timeout: IDLE_TRANSACTION_MILLISECONDS,
    lock_timeout: LOCK_MILLISECONDS,
    // A session whose client is dead lets go of what it waits for.
    client_connection_check_interval: 1_000,
    ...more,
  };
  return {
    connectionString: url,
    application_name: `plimsoll ${name}`,
    connectionTimeoutMillis: CONNECT_MILLISECONDS,
    statement_timeout: ANSWER_MILLISECONDS - 1_000,
    query_timeout: ANSWER_MILLISECONDS,
    keepAlive: true,
    options: Object.entries(settings)
      .map(([setting, value]) => `-c ${setting}=${value}`)
      .join(' '),
    types: {
      // Sequences and epoch milliseconds: far below 2^53.
      getTypeParser: ((oid: number, format?: 'text') =>
        oid === INT8 && format !== ('binary' as never)
          ? Number
          : types.getTypeParser(oid, format)) as typeof types.getTypeParser,
    },
  };
}

/** The database as messages may name it: without what is secret. */
export function shownUrl(url: string): string {
  try {
    const { protocol, host, pathname } = new URL(url);
    return `${protocol}//${host}${pathname}`;
  } catch {
    return 'the database';
  }
}

/** Statements within one connection. */
export interface Session {
  rows(sql: string, values?: readonly unknown[]): Promise<Row[]>;
  row(sql: string, values?: readonly unknown[]): Promise<Row | undefined>;
}

export interface DatabaseOptions {
  readonly url: string;
  /** For whoever looks at the sessions of the server. */
  readonly name: string;
  readonly settings?: Readonly<Record<string, string | number>>;
  readonly sessions?: number;
}

/** Between tries while the database is away: twelve seconds in all. A restart takes one or two, on a machine that is busy some more. */
const PAUSES_MILLISECONDS = [20, 50, 100, 200, 300, 500, 500, 500, 500, ...Array<number>(9).fill(1000)];

/**
 * A pool of sessions. What fails because the connection or the server went away is tried again for some seconds, as long as
 * it cannot have been done: so a restart of the server is a delay. While the database stays away nobody waits for it.
 */
export class PostgresDatabase implements Session {
  readonly #pool: Pool;
  /** As messages name it. */
  readonly where: string;
  #isAway = false;

  constructor({ url, name, settings = {}, sessions = 8 }: DatabaseOptions) {
    this.where = shownUrl(url);
    this.#pool = new Pool({ ...sessionConfig(url, name, settings), max: sessions });
    // A session that idles and is ended: the next one is opened when it is needed.
    this.#pool.on('error', () => undefined);
    // For its whole life: one that ends between two owners would end the process.
    this.#pool.on('connect', (client) => client.on('error', () => undefined));
  }

  async rows(sql: string, values: readonly unknown[] = []): Promise<Row[]> {
    return this.#persist(async () => (await this.#pool.query(sql, [...values])).rows as Row[]);
  }

  async row(sql: string, values: readonly unknown[] = []): Promise<Row | undefined> {
    return (await this.rows(sql, values))[0];
  }

  /** The same, tried once: for whoever wants to know whether the database answers. */
  async rowNow(sql: string): Promise<Row | undefined> {
    try {
      return (await this.#pool.query(sql)).rows[0] as Row | undefined;
    } catch (thrown) {
      throw asDatabaseError(this.where, thrown);
    }
  }

  /**
   * Runs `work` in one transaction under the lock of all who write, so that what it reads still holds when it writes. `term` is
   * the newest that was taken. It may run more than once; what it did before is gone then.
   */
  write<T>(work: (session: Session, term: number) => Promise<T>): Promise<T> {
    return this.#transaction(
      'BEGIN ISOLATION LEVEL READ COMMITTED; SELECT term FROM writer WHERE id = 1 FOR UPDATE',
      ({ term }, session) => work(session, term as number),
    );
  }

  /** The same without the lock, for tables that have no order. */
  transaction<T>(work: (session: Session) => Promise<T>): Promise<T> {
    return this.#transaction('BEGIN ISOLATION LEVEL READ COMMITTED; SELECT 1', (_, session) => work(session));
  }

  /** Runs `work`, which only reads, on the state of one moment. */
  snapshot<T>(work: (session: Session) => Promise<T>): Promise<T> {
    return this.#transaction('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SELECT 1', (_, session) =>
      work(session),
    );
  }

  async close(): Promise<void> {
    if (!this.#pool.ended) await this.#pool.end();
  }

  #transaction<T>(begin: string, work: (first: Row, session: Session) => Promise<T>): Promise<T> {
    return this.#persist(async () => {
      const client = await this.#pool.connect();
      let isCommitting = false;
      let isBroken = false;
      // An error event without a listener would end the process; the statement that runs fails too.
      const heard = (): void => {
        isBroken = true;
      };
      client.on('error', heard);
      try {
        const begun = (await client.query(begin)) as unknown as readonly { rows: Row[] }[];
        const result = await work(begun[1].rows[0], sessionOf(client));
        isCommitting = true;
        await client.query('COMMIT');
        return result;
      } catch (thrown) {
        isBroken ||= isLost(thrown);
        if (isCommitting && isBroken) throw this.#unknownOutcome(thrown);
        if (!isBroken) await client.query('ROLLBACK').catch(heard);
        throw thrown;
      } finally {
        client.off('error', heard);
        client.release(isBroken);
      }
    });
  }

  #unknownOutcome(cause: unknown): PlimsollError {
    return new OutcomeUnknown(this.where, cause);
  }

  async #persist<T>(attempt: () => Promise<T>): Promise<T> {
    for (let tries = 0; ; tries++) {
      try {
        const result = await attempt();
        this.#isAway = false;
        return result;
      } catch (thrown) {
        const mayBeDone = thrown instanceof OutcomeUnknown;
        if (mayBeDone || !isLost(thrown) || this.#pool.ended) throw asDatabaseError(this.where, thrown);
        this.#isAway ||= tries === PAUSES_MILLISECONDS.length;
        if (this.#isAway) throw asDatabaseError(this.where, thrown);
      }
      await wait(PAUSES_MILLISECONDS[tries]);
    }
  }
}

/** The connection went away between a commit and its answer. */
class OutcomeUnknown extends PlimsollError {
  constructor(where: string, cause: unknown) {
    super('DATABASE_UNAVAILABLE', `${where}: the database went away before it said whether this was done`, {
      remedy: 'Read what is there before you send it again, or send it with an Idempotency-Key.',
      cause,
    });
  }
}

function sessionOf(client: PoolClient): Session {
  const rows = async (sql: string, values: readonly unknown[] = []): Promise<Row[]> =>
    (await client.query(sql, [...values])).rows as Row[];
  return { rows, row: async (sql, values) => (await rows(sql, values))[0] };
}
