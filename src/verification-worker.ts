import { parentPort, workerData } from 'node:worker_threads';
import { readPublicKeys } from '../data/checkpoint-key.ts';
import type { Config } from './config.ts';
import { asPlimsollError } from './errors.ts';
import { openStore } from './opened-store.ts';

/** The thread that recomputes both chains once and ends: a long store takes seconds of processor time. */
const config = workerData as Pick<Config, 'dataDir' | 'databaseUrl'>;
try {
  const { store } = await openStore(config, { name: 'verify', sessions: 1 });
  try {
    parentPort?.postMessage({ found: await store.verify(await readPublicKeys(config.dataDir)) });
  } finally {
    await store.close();
  }
} catch (thrown) {
  parentPort?.postMessage({ failure: asPlimsollError(thrown).message });
}
