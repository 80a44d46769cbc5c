import { prepareJobs } from '../../../data/postgres/jobs.ts';
import { prepareDatabase } from '../../../data/postgres/migrate.ts';
import { loadConfig } from '../../config.ts';
import { PlimsollError } from '../../errors.ts';
import type { CliContext, CommonOptions } from '../command.ts';

/** @throws PlimsollError CONFIG_INVALID without a database, and what `prepareDatabase` throws. */
export async function migrateDatabase(context: CliContext, { json, ...flags }: CommonOptions): Promise<void> {
  const { databaseUrl } = loadConfig(flags).values;
  if (databaseUrl === null) {
    throw new PlimsollError('CONFIG_INVALID', 'no database is configured', {
      remedy: 'Set PLIMSOLL_DATABASE_URL; the file of a data folder is brought up to date at the start.',
    });
  }
  const { before, after } = await prepareDatabase(databaseUrl);
  await prepareJobs(databaseUrl);
  if (json === true) context.printJson({ before, after });
  else if (before >= after) context.print(`The schema has version ${after}: there is nothing to do`);
  else context.print(`The schema went from version ${before} to ${after}`);
}
