import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { ROOT } from './repository.ts';

/** Before any test: the service serves the console as it is in the sources. */
export default function buildConsole(): void {
  execFileSync(process.execPath, [join(ROOT, 'web/build.ts')], { stdio: 'inherit' });
}
