import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { STATE_FILE_NAME } from '../../../data/sqlite-database.ts';
import { SqliteStateStore } from '../../../data/sqlite-state-store.ts';
import { loadConfig } from '../../config.ts';
import { PlimsollError } from '../../errors.ts';
import type { CommonOptions } from '../command.ts';

/** Works on the state of a data folder that has some, beside a running service or without one. */
export async function withStateStore<T>(
  flags: Omit<CommonOptions, 'json'>,
  work: (store: SqliteStateStore) => Promise<T>,
): Promise<T> {
  const { dataDir } = loadConfig(flags).values;
  if (!existsSync(join(dataDir, STATE_FILE_NAME))) {
    throw new PlimsollError('NOTHING_PUBLISHED', `no limits have been decided in ${dataDir}`, {
      remedy: 'Start the service once (plimsoll serve), or name another folder: --data-dir.',
    });
  }
  const store = SqliteStateStore.open(dataDir);
  try {
    return await work(store);
  } finally {
    await store.close();
  }
}
