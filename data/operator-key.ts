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
  const created = await createKeyFile(path, () => randomBytes(32).toString('base64url'));
  if (created !== null) return { hash: hashKey(created), created, path };
  return { hash: hashKey(await readOperatorKey(dataDir)), created: null, path };
}

function operatorKeyPath(dataDir: string): string {
  return join(dataDir, 'operator.key');
}

/**
 * The operator key that a first start made.
 *
 * @throws PlimsollError NOT_FOUND, CONFIG_INVALID as `readKey`.
 */
export function readOperatorKey(dataDir: string): Promise<string> {
  const path = operatorKeyPath(dataDir);
  return readKey(path, /^[\w-]{32,128}$/, `Remove ${path}; the next start makes a new key.`);
}

/**
 * A key from its file.
 *
 * @throws PlimsollError NOT_FOUND, CONFIG_INVALID when others can read the file or when it does not hold a key.
 */
export async function readKey(
  path: string,
  pattern = /^[\w.~+/=-]{1,256}$/,
  remedy = 'Give a file with one line, the key.',
): Promise<string> {
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
  if (pattern.test(key)) return key;
  throw new PlimsollError('CONFIG_INVALID', `the file ${path} does not hold a key`, { remedy });
}

/**
 * Makes a key and keeps it, for its owner alone; null where the file exists. The key is written whole under another
 * name and then linked, which fails where the file exists: of two first starts one makes the key and the other reads
 * it, and a start that is killed leaves no half of a key.
 */
export async function createKeyFile(path: string, makeKey: () => string): Promise<string | null> {
  if (await exists(path)) return null;
  const key = makeKey();
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
