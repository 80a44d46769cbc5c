import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The folder of the program itself, whether it runs from the sources or from `dist`. */
export const PROGRAM_ROOT = findRoot(import.meta.dirname);

/** The version in package.json. */
export const PROGRAM_VERSION: string = JSON.parse(
  readFileSync(join(PROGRAM_ROOT, 'package.json'), 'utf8'),
).version;

/** The trained versions that ship with the program. */
export const SHIPPED_MODELS = join(PROGRAM_ROOT, 'models');

/** The web console as it was built. */
export const BUILT_CONSOLE = join(PROGRAM_ROOT, 'dist', 'web');

/** A module beside another one, with the same ending: `.ts` from the sources, `.js` from `dist`. For threads and processes. */
export function siblingUrl(ofModule: string, name: string): URL {
  return new URL(`./${name}.${ofModule.endsWith('.ts') ? 'ts' : 'js'}`, ofModule);
}

function findRoot(from: string): string {
  let folder = from;
  while (!existsSync(join(folder, 'package.json'))) folder = dirname(folder);
  return folder;
}
