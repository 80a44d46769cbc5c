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

function findRoot(from: string): string {
  let folder = from;
  while (!existsSync(join(folder, 'package.json'))) folder = dirname(folder);
  return folder;
}
