import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as wait } from 'node:timers/promises';
import { PlimsollError } from '../src/errors.ts';
import { translateErrors } from './sqlite-file.ts';

export interface HeldLock {
  /** Tells others where the owner can be reached. */
  announce(address: string): void;
  release(): void;
}

/** Held for as long as the process lives or until released: a database that is collected would let its lock go. */
const held = new Set<DatabaseSync>();
const SQLITE_BUSY = 5;

/**
 * A lock between processes, and between callers in one process. The operating system holds it (through an empty
 * SQLite file, `<path>.sqlite`), so that it ends with its owner however that dies, and a process id that was used
 * before means nothing. The file at `path` only tells people who the owner is.
 *
 * @param what names the work in the message, for example "an import".
 * @throws PlimsollError LOCKED while someone else holds it, IO_FAILED where nothing can be written.
 */
export function acquireLock(path: string, what: string): HeldLock {
  const database = translateErrors(path, () => openLocked(path, what));
  held.add(database);
  const release = (): void => {
    if (!held.delete(database)) return;
    try {
      rmSync(path, { force: true });
    } catch {
      // A disk that may only be read: the name stays, and means nothing.
    }
    database.close();
  };
  const write = (text: string): void => {
    try {
      translateErrors(path, () => writeFileSync(path, text));
    } catch (thrown) {
      release();
      throw thrown;
    }
  };
  write(`${process.pid}\n`);
  return { release, announce: (address) => write(`${process.pid}\n${address}\n`) };
}

function openLocked(path: string, what: string): DatabaseSync {
  mkdirSync(dirname(path), { recursive: true });
  const database = new DatabaseSync(`${path}.sqlite`, { timeout: 0 });
  try {
    database.exec('BEGIN EXCLUSIVE');
    return database;
  } catch (thrown) {
    database.close();
    throw (thrown as { errcode?: number }).errcode === SQLITE_BUSY ? locked(path, what) : thrown;
  }
}

/** Where the owner of a lock said that it can be reached; null where it has not said so. */
export function ownerAddress(path: string): string | null {
  try {
    return readFileSync(path, 'utf8').split('\n')[1] || null;
  } catch {
    return null;
  }
}

const POLL_MILLISECONDS = 20;

/**
 * The same for short work that is worth waiting for.
 *
 * @throws PlimsollError LOCKED when it was not to be had within `patienceMilliseconds`.
 */
export async function waitForLock(
  path: string,
  what: string,
  patienceMilliseconds: number,
): Promise<HeldLock> {
  for (let waited = 0; ; waited += POLL_MILLISECONDS) {
    try {
      return acquireLock(path, what);
    } catch (thrown) {
      const isHeld = thrown instanceof PlimsollError && thrown.code === 'LOCKED';
      if (!isHeld || waited >= patienceMilliseconds) throw thrown;
    }
    await wait(POLL_MILLISECONDS);
  }
}

function locked(path: string, what: string): PlimsollError {
  const owner = readOwner(path);
  const where = owner === null ? 'another process' : `process ${owner}`;
  return new PlimsollError('LOCKED', `${what} is running already in ${where}`, {
    remedy: 'Wait until it has ended, or use another data folder.',
    details: { processId: owner },
  });
}

/** Null in the moment between the taking of the lock and the writing of the name. */
function readOwner(path: string): number | null {
  try {
    const id = Number.parseInt(readFileSync(path, 'utf8'), 10);
    return Number.isInteger(id) && id > 0 ? id : null;
  } catch {
    return null;
  }
}
