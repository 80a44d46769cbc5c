import { setTimeout as wait } from 'node:timers/promises';
import { Client } from 'pg';
import { PlimsollError } from '../../src/errors.ts';
import { LOCK_CLASS, LOCKS, SCHEMA, sessionConfig, shownUrl } from './database.ts';
import { asDatabaseError } from './failures.ts';
import { MIGRATIONS, type Migration } from './migrations.ts';

/** Sessions that idle are ended by the server from this version on; the leader is found to be gone by that. */
const OLDEST_SERVER = 140_000;

/** What a process must know of a database before it works on it. */
export interface PreparedDatabase {
  /** Of the schema as it was found, and as it is now. */
  readonly before: number;
  readonly after: number;
  /** What the sessions of this database need beside the usual. */
  readonly settings: Readonly<Record<string, string | number>>;
}

/**
 * Looks whether a database can be worked on, and brings its schema up to date. Processes that start together do so one after
 * the other; whoever is at work already goes on.
 *
 * @param mayMigrate without it a schema that is older than this program is refused.
 * @throws PlimsollError DATABASE_UNAVAILABLE, DATABASE_REFUSED, CONFIG_INVALID (settings of the server that lose what was
 *   acknowledged, a server that is too old, a schema that this program does not know), LOCKED.
 */
export async function prepareDatabase(
  url: string,
  mayMigrate = true,
  migrations: readonly Migration[] = MIGRATIONS,
): Promise<PreparedDatabase> {
  const where = shownUrl(url);
  // Those who wait for the lock idle; a step is given up rather than hold up everybody behind it.
  const client = new Client(sessionConfig(url, 'migrate', { lock_timeout: 1_000 }));
  client.on('error', () => undefined);
  try {
    await client.connect();
    const settings = await checkServer(client, where);
    const found = await schemaVersion(client, where, migrations);
    if (found >= migrations.length) return { before: found, after: found, settings };
    if (!mayMigrate) {
      throw new PlimsollError(
        'CONFIG_INVALID',
        `${where} has schema version ${found}, this Plimsoll needs ${migrations.length}`,
        { remedy: 'Bring it up to date: plimsoll migrate.' },
      );
    }
    const before = await migrate(client, where, migrations);
    return { before, after: Math.max(before, migrations.length), settings };
  } catch (thrown) {
    throw asDatabaseError(where, thrown);
  } finally {
    await client.end().catch(() => undefined);
  }
}

async function checkServer(
  client: Client,
  where: string,
): Promise<Readonly<Record<string, string | number>>> {
  const { rows } = await client.query(
    `SELECT current_setting('server_version_num')::int AS version, current_setting('server_version') AS name,
       current_setting('fsync') AS fsync, current_setting('synchronous_commit') AS commits,
       current_setting('server_encoding') AS encoding`,
  );
  const { version, name, fsync, commits, encoding } = rows[0];
  const refuse = (what: string, remedy: string): never => {
    throw new PlimsollError('CONFIG_INVALID', `${where} ${what}`, { remedy });
  };
  if (version < OLDEST_SERVER) refuse(`is PostgreSQL ${name}`, 'Use PostgreSQL 14 or newer.');
  if (fsync !== 'on')
    refuse('runs with fsync off: it loses what it acknowledged', 'Set fsync = on in postgresql.conf.');
  if (encoding !== 'UTF8') refuse(`has the encoding ${encoding}`, 'Make a database with ENCODING UTF8.');
  return commits === 'off' ? { synchronous_commit: 'on' } : {};
}

/** The schema version of a database that this program can work on; 0 for one that is new. */
async function schemaVersion(
  client: Client,
  where: string,
  migrations: readonly Migration[],
): Promise<number> {
  const { rows: known } = await client.query(`SELECT to_regclass('${SCHEMA}.schema_version') AS found`);
  if (known[0].found === null) return 0;
  const { rows } = await client.query(
    'SELECT version, works_from FROM schema_version ORDER BY version DESC LIMIT 1',
  );
  const { version = 0, works_from: worksFrom = 0 } = rows[0] ?? {};
  if (worksFrom <= migrations.length) return version;
  throw new PlimsollError(
    'CONFIG_INVALID',
    `${where} has schema version ${version}, for programs that know ${worksFrom}; this one knows up to ${migrations.length}`,
    { remedy: 'Run the newer Plimsoll, or restore the backup of the database from before the upgrade.' },
  );
}

const TRIES = 20;
const PAUSE_MILLISECONDS = 500;
const LOCK_NOT_AVAILABLE = '55P03';

/** @returns the version that was found. */
async function migrate(client: Client, where: string, migrations: readonly Migration[]): Promise<number> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await step(client, where, migrations);
    } catch (thrown) {
      await client.query('ROLLBACK').catch(() => undefined);
      if ((thrown as { code?: string }).code !== LOCK_NOT_AVAILABLE || attempt === TRIES) throw thrown;
      await wait(PAUSE_MILLISECONDS);
    }
  }
}

/** All or nothing, and one process at a time. */
async function step(client: Client, where: string, migrations: readonly Migration[]): Promise<number> {
  await client.query('BEGIN');
  await client.query('SELECT pg_advisory_xact_lock($1, $2)', [LOCK_CLASS, LOCKS.migration]);
  await client.query(`
    CREATE SCHEMA IF NOT EXISTS ${SCHEMA};
    CREATE TABLE IF NOT EXISTS schema_version (
      version    integer PRIMARY KEY,
      -- Programs that know at least this version can work on it.
      works_from integer NOT NULL,
      at         timestamptz NOT NULL DEFAULT now()
    )`);
  // Read again under the lock: another process may have been first.
  const found = await schemaVersion(client, where, migrations);
  for (let version = found; version < migrations.length; version++) {
    const { sql, worksFrom } = migrations[version];
    await client.query(sql);
    await client.query('INSERT INTO schema_version (version, works_from) VALUES ($1, $2)', [
      version + 1,
      worksFrom,
    ]);
  }
  await client.query('COMMIT');
  return found;
}
