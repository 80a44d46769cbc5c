import { writeSync } from 'node:fs';
import { flushCompileCache } from 'node:module';
import { ManualClock } from '../../src/clock.ts';
import { BarStore } from '../bar-store.ts';
import { importPaths } from './import.ts';

/** A process for crash tests: imports a folder into a data folder, replacing what differs, and says when it begins. */
const [dataDir, folder, now] = process.argv.slice(2);
flushCompileCache();
const store = await BarStore.open(dataDir);
await importPaths(store, dataDir, [folder], {
  overrides: {},
  replace: true,
  clock: new ManualClock(Number(now)),
  onProgress: (done) => done === 0 && writeSync(1, 'begun\n'),
  interrupted: new AbortController().signal,
});
store.close();
