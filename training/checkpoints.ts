import { createHash } from 'node:crypto';
import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { PlimsollError } from '../src/errors.ts';

/** Where the runs of a training are; other long jobs have a folder of their own. */
const FOLDER = 'training';
/** A piece of another layout than this one is not read. */
const MAGIC = Buffer.from('PLIMCKP1');
const CHECKSUM_BYTES = 32;
const PIECE_NAME = /^[a-z0-9][a-z0-9._-]{0,99}$/;
const RUN_KEY = /^[0-9a-f]{64}$/;

/** JSON that a key can be made of. Numbers are finite. */
export type KeyPart =
  | string
  | number
  | boolean
  | null
  | readonly KeyPart[]
  | { readonly [name: string]: KeyPart };

/**
 * The key of a run: SHA-256 over everything that determines its result, the order of names aside. Name the fingerprint of the
 * data, the options, the feature specification and the program's version; what is left out must not change a bit of the result.
 *
 * @throws PlimsollError INPUT_INVALID for a number that is not finite, which JSON would write as null.
 */
export function runKey(parts: { readonly [name: string]: KeyPart }): string {
  return createHash('sha256').update(canonical(parts)).digest('hex');
}

function canonical(part: KeyPart): string {
  if (typeof part === 'number' && !Number.isFinite(part))
    throw new PlimsollError('INPUT_INVALID', `${part} cannot be in the key of a run`, {
      remedy: 'Name it by a string.',
    });
  if (part === null || typeof part !== 'object') return JSON.stringify(part);
  if (Array.isArray(part)) return `[${part.map(canonical).join(',')}]`;
  const entries = Object.entries(part as { readonly [name: string]: KeyPart });
  const sorted = entries.sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${sorted.map(([name, value]) => `${JSON.stringify(name)}:${canonical(value)}`).join(',')}}`;
}

/**
 * Finished pieces of a training run, in `<data-dir>/training/<run key>/`: what a run that was killed at any moment left whole is
 * found by the next run of the same key. A piece is written to a name of its own, flushed, then renamed; its checksum covers
 * key, name and content, so that what is returned is what was put there, or nothing. One training at a time works in a data
 * folder; its lock is the caller's.
 */
export class Checkpoints {
  readonly #key: string;
  readonly #folder: string;

  private constructor(folder: string, key: string) {
    this.#folder = folder;
    this.#key = key;
  }

  /**
   * Opens the pieces of a run, and removes those of older runs.
   *
   * @param key from `runKey`. @param keptRuns how many runs are kept, this one among them; the latest opened stay. @param job the folder of runs of this kind.
   * @throws PlimsollError INPUT_INVALID for no key, IO_FAILED.
   */
  static open(dataDir: string, key: string, keptRuns = 2, job = FOLDER): Checkpoints {
    if (!RUN_KEY.test(key))
      throw new PlimsollError('INPUT_INVALID', `${key.slice(0, 80)} is no key of a run`, {
        remedy: 'Make it with runKey.',
      });
    const root = join(dataDir, job);
    const folder = join(root, key);
    return onDisk(folder, () => {
      mkdirSync(folder, { recursive: true });
      // Opened is used: a run that is resumed is younger than one that was given up.
      touch(folder);
      removeOldRuns(root, key, keptRuns);
      for (const name of readdirSync(folder)) if (name.startsWith('.')) rmSync(join(folder, name), FORCED);
      return new Checkpoints(folder, key);
    });
  }

  /**
   * What was put under a name, or null where there is nothing whole: no piece, one cut short, one with a flipped bit.
   *
   * @throws PlimsollError INPUT_INVALID for a name that is none, IO_FAILED where the disk cannot be read.
   */
  get(name: string): Buffer | null {
    const path = this.#path(name);
    const stored = onDisk(path, () => {
      try {
        return readFileSync(path);
      } catch (thrown) {
        if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') return null;
        throw thrown;
      }
    });
    const start = MAGIC.length + CHECKSUM_BYTES;
    if (stored === null || stored.length < start || !stored.subarray(0, MAGIC.length).equals(MAGIC))
      return null;
    const bytes = stored.subarray(start);
    return this.#checksum(name, bytes).equals(stored.subarray(MAGIC.length, start)) ? bytes : null;
  }

  /**
   * Keeps a piece; on the disk when it returns. One of the same name is replaced whole.
   *
   * @param name small letters, digits, `.`, `_` and `-`: `fold-3.member-1`.
   * @throws PlimsollError INPUT_INVALID for a name that is none, IO_FAILED where the disk is full; the piece before then stays.
   */
  put(name: string, bytes: Uint8Array): void {
    const path = this.#path(name);
    const temporary = join(this.#folder, `.${name}.${process.pid}`);
    onDisk(path, () => {
      try {
        const file = openSync(temporary, 'w');
        try {
          for (const part of [MAGIC, this.#checksum(name, bytes), bytes]) writeWhole(file, part);
          fsyncSync(file);
        } finally {
          closeSync(file);
        }
        renameSync(temporary, path);
      } catch (thrown) {
        rmSync(temporary, FORCED);
        throw thrown;
      }
      flushFolder(this.#folder);
    });
  }

  /** Removes all pieces of this run: it has come to its end. */
  clear(): void {
    onDisk(this.#folder, () => rmSync(this.#folder, FORCED));
  }

  #path(name: string): string {
    if (PIECE_NAME.test(name)) return join(this.#folder, name);
    throw new PlimsollError('INPUT_INVALID', `${name.slice(0, 80)} is no name of a piece`, {
      remedy: 'Use small letters, digits, dots, dashes and underscores, 100 at most.',
    });
  }

  #checksum(name: string, bytes: Uint8Array): Buffer {
    return createHash('sha256').update(`${this.#key}\n${name}\n`).update(bytes).digest();
  }
}

const FORCED = { recursive: true, force: true } as const;

function writeWhole(file: number, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.length; ) done += writeSync(file, bytes, done);
}

function flushFolder(folder: string): void {
  const handle = openSync(folder, 'r');
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}

/** Later than every other run's folder, whatever the clock says. */
function touch(folder: string): void {
  const root = join(folder, '..');
  const latest = Math.max(0, ...readdirSync(root).map((name) => statSync(join(root, name)).mtimeMs));
  utimesSync(folder, latest / 1000 + 1, latest / 1000 + 1);
}

/** What lies between the runs and is none of them is left alone. */
function removeOldRuns(root: string, key: string, keptRuns: number): void {
  const others = readdirSync(root)
    .filter((name) => RUN_KEY.test(name) && name !== key)
    .map((name) => ({ name, usedAt: statSync(join(root, name)).mtimeMs }))
    .sort((a, b) => b.usedAt - a.usedAt);
  for (const { name } of others.slice(Math.max(keptRuns - 1, 0))) rmSync(join(root, name), FORCED);
}

function onDisk<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (cause) {
    if (cause instanceof PlimsollError || (cause as NodeJS.ErrnoException).syscall === undefined) throw cause;
    throw new PlimsollError('IO_FAILED', `${path}: ${(cause as Error).message}`, {
      remedy: 'Make room on the disk or mend the rights of the folder; the run goes on from what is there.',
      cause,
    });
  }
}
