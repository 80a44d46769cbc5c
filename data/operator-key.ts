import { createHash, randomBytes } from 'node:crypto';
import { access, link, mkdir, open, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { PlimsollError } from '../src/errors.ts';

export interface OperatorKey {
  /** SHA-256 of the key, hex: all that the service keeps in memory. */
  readonly hash: string;
  /** The key itself, only when this call made it, so that it can be printed once. */
  readonly created: string | null;
  readonly path: string;
}

/**
 * The operator key of a data folder: made at the first start (256 random bits), kept in `operator.key` with mode 600,
 * read again at later starts.
 *
 * @throws PlimsollError CONFIG_INVALID when others can read the file, or when it does not hold a key.
 */
export async function ensureOperatorKey(dataDir: string): Promise<OperatorKey> {
  const path = operatorKeyPath(dataDir);
  await mkdir(dataDir, { recursive: true });
  const created = await createKeyFile(path);
  if (created !== null) return { hash: hashKey(created), created, path };
  return { hash: hashKey(await readKey(path)), created: null, path };
}

export function operatorKeyPath(dataDir: string): string {
  return join(dataDir, 'operator.key');
}

/**
 * A key from its file.
 *
 * @throws PlimsollError NOT_FOUND, CONFIG_INVALID when others can read the file or when it does not hold a key.
 */
export async function readKey(path: string): Promise<string> {
  const { mode } = await stat(path).catch((cause) => {
    throw new PlimsollError('NOT_FOUND', `there is no key at ${path}`, {
      remedy: 'Name the file that holds your key: --key-file FILE.',
      cause,
    });
  });
  if ((mode & 0o077) !== 0) {
    throw new PlimsollError('CONFIG_INVALID', `other users of this machine can read the key at ${path}`, {
      remedy: `Take their rights away: chmod 600 ${path}`,
    });
  }
  const key = (await readFile(path, 'utf8')).trim();
  if (/^[\w.~+/=-]{32,256}$/.test(key)) return key;
  throw new PlimsollError('CONFIG_INVALID', `the file ${path} does not hold a key`, {
    remedy: `A key is one line of 32 characters and more. The next start makes a new operator key where there is none.`,
  });
}

/**
 * The key is written whole under another name and then linked, which fails where the file exists: of two first starts
 * one makes the key and the other reads it, and a start that is killed leaves no half of a key.
 */
async function createKeyFile(path: string): Promise<string | null> {
  if (await exists(path)) return null;
  const key = randomBytes(32).toString('base64url');
  const temporary = `${path}.${process.pid}.${randomBytes(4).toString('hex')}.tmp`;
  const file = await open(temporary, 'wx', 0o600);
  try {
    await file.writeFile(`${key}\n`);
    await file.sync();
    await link(temporary, path);
    return key;
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'EEXIST') return null;
    throw thrown;
  } finally {
    await file.close();
    await rm(temporary, { force: true });
  }
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

export function hashKey(key: string): string {
  return createHash('sha256').update(key).digest('hex');
}
