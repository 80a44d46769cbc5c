import { closeSync, mkdirSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { PlimsollError } from '../src/errors.ts';

export interface HeldLock {
  release(): void;
}

/**
 * A lock between processes: a file that holds the owner's process id. Whoever creates it has the lock; a lock whose
 * owner is gone (a killed process) is taken over.
 *
 * @param what names the work in the message, for example "an import".
 * @throws PlimsollError LOCKED while another living process holds it.
 */
export function acquireLock(path: string, what: string): HeldLock {
  mkdirSync(dirname(path), { recursive: true });
  for (let attempt = 0; attempt < 2; attempt++) {
    if (tryCreate(path)) return { release: () => rmSync(path, { force: true }) };
    const owner = readOwner(path);
    if (owner !== null && isAlive(owner)) {
      throw new PlimsollError('LOCKED', `${what} is running already in process ${owner}`, {
        remedy: 'Wait until it has ended, or use another data folder.',
        details: { processId: owner },
      });
    }
    rmSync(path, { force: true });
  }
  throw new PlimsollError('LOCKED', `${what} was started by another process at the same moment`, {
    remedy: 'Try again.',
  });
}

function tryCreate(path: string): boolean {
  try {
    const file = openSync(path, 'wx');
    writeSync(file, `${process.pid}\n`);
    closeSync(file);
    return true;
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw thrown;
  }
}

function readOwner(path: string): number | null {
  try {
    const id = Number.parseInt(readFileSync(path, 'utf8'), 10);
    return Number.isInteger(id) && id > 0 ? id : null;
  } catch {
    return null;
  }
}

function isAlive(processId: number): boolean {
  try {
    process.kill(processId, 0);
    return true;
  } catch (thrown) {
    return (thrown as NodeJS.ErrnoException).code === 'EPERM';
  }
}
