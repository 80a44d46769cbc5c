import { writeSync } from 'node:fs';
import { acquireLock } from './lock.ts';

/**
 * A process for lock tests: takes the lock at the path given, prints `held` or the code of the failure, and holds on
 * to it until it is killed or its input ends.
 */
try {
  const lock = acquireLock(process.argv[2], 'a test');
  writeSync(1, 'held\n');
  process.stdin.resume();
  process.stdin.on('end', () => lock.release());
} catch (thrown) {
  writeSync(1, `${(thrown as { code: string }).code}\n`);
}
