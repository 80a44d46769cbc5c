import { writeSync } from 'node:fs';
import { flushCompileCache } from 'node:module';
import { SqliteAccountStore } from '../../../data/sqlite-account-store.ts';
import { deskOn, STEPS, step } from './day-of-ticks.fixture.ts';

/**
 * A process for crash tests: lives through the day from a minute on until it is killed, and prints each minute once it was
 * acknowledged. Arguments: the data folder, the first minute, bytes of batches between snapshots.
 */
const [folder, first, snapshotBytes] = process.argv.slice(2);
flushCompileCache();
const store = SqliteAccountStore.open(folder);
const desk = deskOn(store, Number(snapshotBytes));
for (let minute = Number(first); minute < STEPS; minute++) {
  step(desk, minute);
  await desk.commit();
  await desk.snapshotIfDue();
  // Straight to the file descriptor: a minute that waits in a buffer would die with the process.
  writeSync(1, `${minute}\n`);
}
store.close();
