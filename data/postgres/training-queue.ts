import { randomUUID } from 'node:crypto';
import type { JobWithMetadata, PgBoss } from 'pg-boss';
import type { TrainingRun, TrainingTrigger } from '../../src/control/ports.ts';
import { PlimsollError } from '../../src/errors.ts';
import { HOUR_MILLISECONDS } from '../../src/units.ts';
import { type Row, trainingRun } from '../state-rows.ts';
import { insertAudit } from './chain.ts';
import { PostgresDatabase, type Session } from './database.ts';
import { asDatabaseError } from './failures.ts';
import { type JobsOptions, openJobs, TRAINING_JOBS, within } from './jobs.ts';
import {
  PostgresModelStore,
  putVersion,
  type SharedAliases,
  type SharedVersion,
  sha256Of,
} from './postgres-model-store.ts';

/** What a worker is to do. */
export type TrainingJob =
  /** The clock says that it is time for a training. */
  | { readonly kind: 'due'; readonly limitMinutes: number; readonly terms: string }
  /** Look at the bars and say which pieces there are. */
  | { readonly kind: 'plan'; readonly run: string }
  | { readonly kind: 'piece'; readonly run: string; readonly name: string }
  /** All pieces are there: bring them together. */
  | { readonly kind: 'assemble'; readonly run: string };

export interface TakenJob {
  readonly job: TrainingJob;
  /** When it was sent, epoch milliseconds by the clock of the database. */
  readonly sentAt: number;
  /** Whether nobody gets it again where this one fails. */
  readonly isLastTry: boolean;
  /** Names the try: whoever lost its lease can say nothing of it any more. */
  readonly attempt: { readonly id: string; readonly retryCount: number };
}

export interface SharedRun {
  readonly run: string;
  /** Epoch milliseconds. */
  readonly windowEnd: number;
  readonly isAtWork: boolean;
  /** JSON of whoever asked. */
  readonly terms: string;
  /** JSON of whoever planned it; null before that. */
  readonly plan: string | null;
}

export interface AskedTraining {
  readonly trigger: TrainingTrigger;
  readonly why: string;
  /** Epoch milliseconds. */
  readonly at: number;
  /** It has failed where it is not done after this many minutes. */
  readonly limitMinutes: number;
  /** JSON of what the result is held to: the gates of whoever asks, and not those of whichever worker it comes to. */
  readonly terms: string;
}

export type ScheduledTerms = Pick<AskedTraining, 'limitMinutes' | 'terms'>;

/** Before pieces, however many wait: a run that is nearly done comes to its end. */
const FIRST = 1_000_000;

/**
 * Trainings that several workers share. A run, its pieces and the version that comes of it are rows of ours; who works on which is
 * a job of pg-boss, sent and ended in the same transactions, so that neither is there without the other.
 */
export class TrainingQueue {
  readonly models: PostgresModelStore;
  readonly #boss: PgBoss;
  readonly #database: PostgresDatabase;

  private constructor(boss: PgBoss, database: PostgresDatabase) {
    this.#boss = boss;
    this.#database = database;
    this.models = new PostgresModelStore(database);
  }

  /** @throws PlimsollError DATABASE_UNAVAILABLE, DATABASE_REFUSED. */
  static async open(options: JobsOptions): Promise<TrainingQueue> {
    const boss = await openJobs(options);
    const { url, name } = options;
    return new TrainingQueue(boss, new PostgresDatabase({ url, name, sessions: 2 }));
  }

  /** @param expression cron, in UTC; null for no training by the clock. One whose time came while no worker was there is made up for, once. */
  async schedule(expression: string | null, { limitMinutes, terms }: ScheduledTerms): Promise<void> {
    await this.#reached(async () => {
      if (expression === null) await this.#boss.unschedule(TRAINING_JOBS);
      else {
        const job: TrainingJob = { kind: 'due', limitMinutes, terms };
        await this.#boss.schedule(TRAINING_JOBS, expression, job, { tz: 'UTC', missed: 'once' });
      }
    });
  }

  /**
   * Opens a run on all data before the last full hour.
   *
   * @returns null where there is one of this window already, or one is at work, though its time be over: nothing is asked for twice.
   */
  async ask({ trigger, why, at, limitMinutes, terms }: AskedTraining): Promise<string | null> {
    const run = randomUUID();
    const windowEnd = Math.floor(at / HOUR_MILLISECONDS) * HOUR_MILLISECONDS;
    return this.#transaction(async (session) => {
      await session.rows(
        `INSERT INTO training_run (id, started_at, result, "trigger", message) VALUES ($1, $2, 'running', $3, $4)`,
        [run, at, trigger, why],
      );
      const opened = await session.rows(
        `INSERT INTO shared_training (run, window_end, deadline, state, terms)
         VALUES ($1, $2, now() + make_interval(secs => $3), 'asked', $4) ON CONFLICT DO NOTHING RETURNING run`,
        [run, windowEnd, limitMinutes * 60, terms],
      );
      if (opened.length === 0) {
        await session.rows('DELETE FROM training_run WHERE id = $1', [run]);
        return null;
      }
      await this.#send(session, [{ kind: 'plan', run }]);
      return run;
    });
  }

  /** @param refused runs whose jobs are left to others. @returns null where there is nothing to do. */
  async take(refused: readonly string[]): Promise<TakenJob | null> {
    const [job] = await this.#reached(() =>
      this.#boss.fetch<TrainingJob>(TRAINING_JOBS, { includeMetadata: true, ignoreGroups: [...refused] }),
    );
    return job === undefined ? null : taken(job);
  }

  /** Says that a job is still worked on. @returns false where the lease is over and somebody else may have it. */
  async beat({ attempt }: TakenJob): Promise<boolean> {
    const response = await this.#reached(() => this.#boss.touch(TRAINING_JOBS, { ...attempt }));
    // Its type leaves out what it says.
    return (response as { readonly affected: number }).affected > 0;
  }

  async done({ attempt }: TakenJob): Promise<void> {
    await this.#reached(() => this.#boss.complete(TRAINING_JOBS, { ...attempt }));
  }

  /** Leaves a job to the next one that asks, or to nobody where it was tried often enough. */
  async giveBack({ attempt }: TakenJob, { code, message }: PlimsollError): Promise<void> {
    await this.#reached(() => this.#boss.fail(TRAINING_JOBS, { ...attempt }, { code, message }));
  }

  /** Null for a run that nobody asked for. */
  async run(run: string): Promise<SharedRun | null> {
    const row = await this.#database.row(
      `SELECT window_end, state, terms, plan, deadline > now() AS in_time FROM shared_training WHERE run = $1`,
      [run],
    );
    if (row === undefined) return null;
    return {
      run,
      windowEnd: row.window_end as number,
      isAtWork: ['asked', 'open'].includes(row.state as string) && isTrue(row.in_time),
      terms: row.terms as string,
      plan: row.plan as string | null,
    };
  }

  /** Sends the pieces of a run, the first of them first. Does nothing where somebody else has planned it. */
  async open(run: string, plan: string, pieces: readonly string[]): Promise<void> {
    await this.#transaction(async (session) => {
      const opened = await session.rows(
        `UPDATE shared_training SET state = 'open', plan = $2 WHERE run = $1 AND state = 'asked' RETURNING run`,
        [run, plan],
      );
      if (opened.length === 0) return;
      await this.#send(
        session,
        pieces.map((name) => ({ kind: 'piece', run, name })),
      );
    });
  }

  /**
   * Keeps a finished piece, once, and ends its job; with the last of `pieces` the run is ready to be brought together.
   *
   * @throws PlimsollError CONFLICT where the piece is there already with other bits.
   */
  async keep(
    job: TakenJob,
    piece: {
      readonly run: string;
      readonly name: string;
      readonly worker: string;
      readonly bytes: Uint8Array;
    },
    pieces: number,
  ): Promise<void> {
    const { run, name, worker, bytes } = piece;
    const sha256 = sha256Of(bytes);
    await this.#transaction(async (session) => {
      // One after the other, so that exactly one of them is the last.
      const open = await session.row(
        `SELECT run FROM shared_training WHERE run = $1 AND state = 'open' FOR UPDATE`,
        [run],
      );
      if (open !== undefined) {
        const added = await session.rows(
          `INSERT INTO training_piece (run, name, sha256, worker, body) VALUES ($1, $2, $3, $4, $5)
           ON CONFLICT DO NOTHING RETURNING name`,
          [run, name, sha256, worker, bytes],
        );
        if (added.length === 0) await requireSameBits(session, run, name, sha256);
        else {
          const row = await session.row('SELECT count(*) AS made FROM training_piece WHERE run = $1', [run]);
          if (row?.made === pieces) await this.#send(session, [{ kind: 'assemble', run }]);
        }
      }
      await this.#boss.complete(TRAINING_JOBS, { ...job.attempt }, null, within(session));
    });
  }

  /** The finished pieces of a run, one after the other. @throws PlimsollError STORE_DAMAGED where one does not have its checksum. */
  async *pieces(run: string): AsyncGenerator<readonly [name: string, bytes: Uint8Array]> {
    const names = await this.#database.rows('SELECT name FROM training_piece WHERE run = $1 ORDER BY name', [
      run,
    ]);
    for (const { name } of names) {
      const row = await this.#database.row(
        'SELECT sha256, body FROM training_piece WHERE run = $1 AND name = $2',
        [run, name],
      );
      const bytes = row?.body as unknown as Buffer;
      if (row === undefined || sha256Of(bytes) !== row.sha256)
        throw new PlimsollError('STORE_DAMAGED', `piece ${name} of training ${run} is damaged`, {
          remedy: 'Nothing need be done: it fails, and the next training makes its pieces anew.',
        });
      yield [name as string, bytes];
    }
  }

  /**
   * Ends a run with the version that came of it, all of it or nothing.
   *
   * @param aliases of whoever trained it, for a database that has none yet.
   * @returns null where it has ended before: then nothing is changed.
   */
  succeed(
    run: string,
    made: {
      readonly version: SharedVersion;
      readonly isChallenger: boolean;
      readonly aliases: SharedAliases;
    },
    message: string,
    at: number,
  ): Promise<TrainingRun | null> {
    return this.#end(run, 'succeeded', made.version.version, message, at, (session) =>
      putVersion(session, made.version, made.isChallenger, made.aliases),
    );
  }

  /** Ends a run with a failure. @returns null where it has ended before. */
  fail(run: string, message: string, at: number): Promise<TrainingRun | null> {
    return this.#end(run, 'failed', null, message, at, async () => {});
  }

  /** Ends runs whose time is over. @returns those that were ended here. */
  async endOverdue(at: number): Promise<readonly TrainingRun[]> {
    const overdue = await this.#database.rows(
      `SELECT run FROM shared_training WHERE state IN ('asked', 'open') AND deadline <= now()`,
    );
    const ended: TrainingRun[] = [];
    for (const { run } of overdue) {
      const one = await this.fail(run as string, OVERDUE, at);
      if (one !== null) ended.push(one);
    }
    return ended;
  }

  async close(): Promise<void> {
    await this.#boss.stop({ graceful: false }).catch(() => undefined);
    await this.#database.close();
  }

  #end(
    run: string,
    state: 'succeeded' | 'failed',
    version: string | null,
    message: string,
    at: number,
    also: (session: Session) => Promise<void>,
  ): Promise<TrainingRun | null> {
    // Its end and the entry of the chain that tells it are there together.
    return this.#database.write(async (session) => {
      const ended = await session.rows(
        `UPDATE shared_training SET state = $2 WHERE run = $1 AND state IN ('asked', 'open') RETURNING run`,
        [run, state],
      );
      if (ended.length === 0) return null;
      const row = await session.row(
        `UPDATE training_run SET result = $2, finished_at = $3, model_version = $4,
           message = concat_ws('; ', $5::text, nullif(message, '')) WHERE id = $1 RETURNING *`,
        [run, state, at, version, message],
      );
      await session.rows('DELETE FROM training_piece WHERE run = $1', [run]);
      await also(session);
      const over = trainingRun(row as Row);
      await insertAudit(session, {
        ...{ at, kind: 'training', actor: over.trigger, subject: version ?? run, reason: state },
        details: { run, trigger: over.trigger, message: over.message },
      });
      return over;
    });
  }

  async #send(session: Session, jobs: readonly TrainingJob[]): Promise<void> {
    const rows = jobs.map((data, i) => ({
      data,
      priority: data.kind === 'piece' ? jobs.length - i : FIRST,
      ...('run' in data ? { group: { id: data.run } } : {}),
    }));
    await this.#boss.insert(TRAINING_JOBS, rows, within(session));
  }

  #transaction<T>(work: (session: Session) => Promise<T>): Promise<T> {
    return this.#reached(() => this.#database.transaction(work));
  }

  async #reached<T>(call: () => Promise<T>): Promise<T> {
    try {
      return await call();
    } catch (thrown) {
      throw asDatabaseError(this.#database.where, thrown);
    }
  }
}

const OVERDUE =
  'it was ended because its time was over, and changed nothing; start more workers, or raise trainingLimitMinutes';

function taken({ id, retryCount, retryLimit, createdOn, data }: JobWithMetadata<TrainingJob>): TakenJob {
  return {
    job: data,
    sentAt: createdOn.getTime(),
    isLastTry: retryCount >= retryLimit,
    attempt: { id, retryCount },
  };
}

async function requireSameBits(session: Session, run: string, name: string, sha256: string): Promise<void> {
  const row = await session.row('SELECT sha256, worker FROM training_piece WHERE run = $1 AND name = $2', [
    run,
    name,
  ]);
  if (row?.sha256 === sha256) return;
  throw new PlimsollError(
    'CONFLICT',
    `piece ${name} was made twice with different bits, first by ${row?.worker}`,
    {
      remedy: 'Run the same program on all workers, with the same packages installed.',
    },
  );
}

const isTrue = (value: unknown): boolean => value === true;
