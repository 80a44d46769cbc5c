import { randomUUID } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PlimsollError } from '../src/errors.ts';

/** What a data folder is called by others: made once, kept in `folder.id`. Interventions are numbered in it. */
export function folderId(dataDir: string): string {
  const path = join(dataDir, 'folder.id');
  mkdirSync(dataDir, { recursive: true });
  try {
    writeFileSync(path, `${randomUUID()}\n`, { flag: 'wx', flush: true });
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code !== 'EEXIST') throw thrown;
  }
  const id = readFileSync(path, 'utf8').trim();
  if (/^[0-9a-f-]{36}$/.test(id)) return id;
  throw new PlimsollError('CONFIG_INVALID', `${path} does not hold the id of a folder`, {
    remedy: 'Restore it from a backup; without one, remove it and send all accounts again.',
  });
}
