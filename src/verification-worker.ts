import { parentPort, workerData } from 'node:worker_threads';
import { SqliteStateStore } from '../data/sqlite-state-store.ts';
import { asPlimsollError } from './errors.ts';

/** The thread that recomputes both chains once and ends: a long store takes seconds of processor time. */
const store = SqliteStateStore.open((workerData as { readonly dataDir: string }).dataDir);
try {
  parentPort?.postMessage({ found: await store.verify() });
} catch (thrown) {
  parentPort?.postMessage({ failure: asPlimsollError(thrown).message });
} finally {
  await store.close();
}
