import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The repository as the tests of its own rules see it. */
export const ROOT = join(import.meta.dirname, '..');

/** What git would commit: nothing that is ignored, nothing that was deleted. */
export const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
  cwd: ROOT,
  encoding: 'utf8',
})
  .split('\n')
  .filter((file) => file !== '' && existsSync(join(ROOT, file)));

export const textOf = (file: string): string => readFileSync(join(ROOT, file), 'utf8');

export const sources = files.filter((file) => /^(src|data|training|models)\/.*\.ts$/.test(file));

/** Tests, and what only tests use. */
export const isForTests = (file: string): boolean =>
  /\.(test|fixture)\.ts$|(^|\/)test-[\w-]+\.ts$/.test(file);

export const production = sources.filter((file) => !isForTests(file));
