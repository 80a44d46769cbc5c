import { parentPort, workerData } from 'node:worker_threads';
import { readPublicKeys } from '../data/checkpoint-key.ts';
import { SqliteStateStore } from '../data/sqlite-state-store.ts';
import { asPlimsollError } from './errors.ts';

/** The thread that recomputes both chains once and ends: a long store takes seconds of processor time. */
const { dataDir } = workerData as { readonly dataDir: string };
const store = SqliteStateStore.open(dataDir);
try {
  parentPort?.postMessage({ found: await store.verify(await readPublicKeys(dataDir)) });
} catch (thrown) {
  parentPort?.postMessage({ failure: asPlimsollError(thrown).message });
} finally {
  await store.close();
}
