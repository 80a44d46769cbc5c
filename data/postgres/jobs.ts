import type { PgBoss } from 'pg-boss';
import { type Session, sessionConfig, shownUrl } from './database.ts';
import { asDatabaseError } from './failures.ts';

/** The jobs have a schema of their own: its tables are the library's, and it brings them up to date itself. */
export const JOB_SCHEMA = 'plimsoll_jobs';
export const TRAINING_JOBS = 'training';

/** A worker that was not heard for so long has lost its job to the next one that asks. The library takes no less than ten. */
const LEASE_SECONDS = 12;
/** A worker says this often that it lives. */
export const BEAT_SECONDS = 4;
/** How often somebody looks for leases that are over. */
const SUPERVISION_SECONDS = 4;
/** However well its worker is heard. */
const LONGEST_JOB_SECONDS = 12 * 3600;
/** A job that ended without an answer is given to somebody again, so often. */
const TRIES = 8;
const KEPT_SECONDS = 14 * 24 * 3600;

export interface JobsOptions {
  readonly url: string;
  /** For whoever looks at the sessions of the server. */
  readonly name: string;
  /** Whether jobs are taken here: then leases are watched and the clock of the schedule runs. */
  readonly works: boolean;
  /** What fails beside any call: a watch that could not look, say. It is tried again. */
  readonly onFailure: (thrown: unknown) => void;
}

/**
 * The queue on PostgreSQL, its schema made or brought up to date.
 *
 * @throws PlimsollError DATABASE_UNAVAILABLE, DATABASE_REFUSED.
 */
export async function openJobs({ url, name, works, onFailure }: JobsOptions): Promise<PgBoss> {
  const { application_name, options, connectionTimeoutMillis, ...rest } = sessionConfig(url, name);
  // A third of a second and six megabytes that only those pay who share out trainings.
  const library = await import('pg-boss');
  const boss = new library.PgBoss({
    connectionString: url,
    application_name: application_name ?? name,
    options: options ?? '',
    connectionTimeoutMillis: connectionTimeoutMillis ?? 0,
    // Not named by its types, and passed on as they are.
    ...{ query_timeout: rest.query_timeout, statement_timeout: rest.statement_timeout, keepAlive: true },
    max: 2,
    schema: JOB_SCHEMA,
    supervise: works,
    schedule: works,
    superviseIntervalSeconds: SUPERVISION_SECONDS,
    monitorIntervalSeconds: SUPERVISION_SECONDS,
    // A handful of rows: neither bloat nor vacuum is worth a look of ours.
    reindex: false,
    monitorVacuum: false,
  });
  boss.on('error', (thrown) => onFailure(asDatabaseError(shownUrl(url), thrown)));
  try {
    await boss.start();
    await boss.createQueue(TRAINING_JOBS, {
      heartbeatSeconds: LEASE_SECONDS,
      expireInSeconds: LONGEST_JOB_SECONDS,
      retryLimit: TRIES,
      retryDelay: 0,
      retentionSeconds: KEPT_SECONDS,
      deleteAfterSeconds: KEPT_SECONDS,
    });
    return boss;
  } catch (thrown) {
    await boss.stop({ graceful: false }).catch(() => undefined);
    throw asDatabaseError(shownUrl(url), thrown);
  }
}

/** Makes the schema of the jobs, or brings it up to date. @throws what `openJobs` throws. */
export async function prepareJobs(url: string): Promise<void> {
  const boss = await openJobs({ url, name: 'migrate', works: false, onFailure: () => undefined });
  await boss.stop({ graceful: false });
}

/** Lets calls of the library take part in a transaction of ours. */
export function within(session: Session) {
  return {
    db: {
      executeSql: async (text: string, values?: unknown[]) => ({
        rows: await session.rows(text, values ?? []),
      }),
    },
  };
}
