import { writeFileSync, writeSync } from 'node:fs';
import { ModelRegistry } from './registry.ts';

/** A process for crash tests: promotes a version, writes its record and goes no further until it is killed. */
const [shipped, dataDir, version, file] = process.argv.slice(2);
// Keeps the process alive while nothing else would.
setInterval(() => {}, 1000);
await new ModelRegistry(shipped, dataDir).promote(version, {
  override: true,
  record: async (from) => {
    writeFileSync(file, `${from} → ${version}`);
    writeSync(1, 'recorded\n');
    await new Promise(() => {});
  },
});
