import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { PostgresStateStore } from '../data/postgres/postgres-state-store.ts';
import type { ProofOptions } from '../data/proof-parts.ts';
import { STATE_FILE_NAME } from '../data/sqlite-database.ts';
import { SqliteStateStore } from '../data/sqlite-state-store.ts';
import type { Config } from './config.ts';
import type { ServiceStore, SharedStore } from './control/ports.ts';
import { PlimsollError } from './errors.ts';

export interface OpenedStore {
  readonly store: ServiceStore;
  /** The same, where other processes write it too; null for a file of our own. */
  readonly shared: SharedStore | null;
}

export interface StoreUse extends ProofOptions {
  /** What the process does, for whoever looks at the sessions of the database. */
  readonly name: string;
  /** The term in which this process leads; null while it does not. */
  readonly term?: () => number | null;
  /** Names the accounts whose interventions this process tells. */
  readonly source?: () => string;
  /** Brings an older schema of a database up to date. */
  readonly mayMigrate?: boolean;
  readonly sessions?: number;
  /** Of a file: nothing is written, and none is made. */
  readonly readOnly?: boolean;
}

/** The state of a configuration: the database where one is named, the file of the data folder otherwise. */
export async function openStore(
  { dataDir, databaseUrl }: Pick<Config, 'dataDir' | 'databaseUrl'>,
  use: StoreUse,
): Promise<OpenedStore> {
  if (databaseUrl === null) return { store: SqliteStateStore.open(dataDir, use), shared: null };
  const shared = await PostgresStateStore.open({ mayMigrate: false, ...use, url: databaseUrl });
  return { store: shared, shared };
}

/** Whether a configuration has a state at all; a database always does. */
export function hasState({ dataDir, databaseUrl }: Pick<Config, 'dataDir' | 'databaseUrl'>): boolean {
  return databaseUrl !== null || existsSync(join(dataDir, STATE_FILE_NAME));
}

/** @throws PlimsollError NOTHING_PUBLISHED where a configuration has no state. */
export function requireState(config: Pick<Config, 'dataDir' | 'databaseUrl'>): void {
  if (hasState(config)) return;
  throw new PlimsollError('NOTHING_PUBLISHED', `no limits have been decided in ${config.dataDir}`, {
    remedy: 'Start the service once (plimsoll serve), or name another folder: --data-dir.',
  });
}
