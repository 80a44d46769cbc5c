import { type Config, loadConfig } from '../../config.ts';
import type { ServiceStore } from '../../control/ports.ts';
import { openStore, requireState } from '../../opened-store.ts';
import type { CommonOptions } from '../command.ts';

/** Which state a command works on. */
export type StatePlace = Pick<Config, 'dataDir' | 'databaseUrl'>;

/** Works on the state of a configuration that has some, beside a running service or without one. */
export async function withStateStore<T>(
  flags: Omit<CommonOptions, 'json'>,
  work: (store: ServiceStore) => Promise<T>,
): Promise<T> {
  const { values: config } = loadConfig(flags);
  requireState(config);
  return withStore(config, work);
}

/** The same, where a folder without a state gets one. */
export async function withStore<T>(place: StatePlace, work: (store: ServiceStore) => Promise<T>): Promise<T> {
  const { store } = await openStore(place, { name: 'command', sessions: 2 });
  try {
    return await work(store);
  } finally {
    await store.close();
  }
}
