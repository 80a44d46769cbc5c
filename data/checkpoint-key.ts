import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  sign,
} from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PlimsollError } from '../src/errors.ts';
import { type CheckpointSigner, keyIdOf, type PublicKeys } from '../src/limits/checkpoint.ts';
import { createKeyFile, readKey } from './operator-key.ts';

/** An Ed25519 private key as PKCS #8, DER, in base64url. */
const PRIVATE_KEY = /^[\w-]{64}$/;

/** Every public key that has signed in a data folder, PEM, the newest last. Others may read it: it is there to be copied. */
export function publicKeyPath(dataDir: string): string {
  return join(dataDir, 'checkpoint.pub');
}

/**
 * The key that signs the checkpoints of a data folder: made at the first start, kept in `checkpoint.key` with mode 600.
 * Where that file was lost a new key is made, and the public keys before it stay in `checkpoint.pub`.
 *
 * @throws PlimsollError CONFIG_INVALID when others can read the private key, or when a file does not hold keys.
 */
export async function ensureCheckpointKey(dataDir: string): Promise<CheckpointSigner> {
  const path = join(dataDir, 'checkpoint.key');
  await mkdir(dataDir, { recursive: true });
  await createKeyFile(path, () =>
    generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'der' }).toString('base64url'),
  );
  const privateKey = parsePrivateKey(
    await readKey(path, PRIVATE_KEY, `Restore ${path} from a backup.`),
    path,
  );
  const publicKey = createPublicKey(privateKey);
  await keepPublicKey(dataDir, publicKey);
  return {
    keyId: keyIdOf(publicKey),
    sign: (text) => sign(null, Buffer.from(text), privateKey).toString('base64'),
  };
}

function parsePrivateKey(text: string, path: string): KeyObject {
  try {
    return createPrivateKey({ key: Buffer.from(text, 'base64url'), type: 'pkcs8', format: 'der' });
  } catch (cause) {
    throw new PlimsollError('CONFIG_INVALID', `the file ${path} does not hold a key`, {
      remedy: `Restore ${path} from a backup.`,
      cause,
    });
  }
}

async function keepPublicKey(dataDir: string, publicKey: KeyObject): Promise<void> {
  const path = publicKeyPath(dataDir);
  const kept = (await readText(path)) ?? '';
  const pem = publicKey.export({ type: 'spki', format: 'pem' }).toString();
  if (kept.includes(pem)) return;
  const temporary = `${path}.${process.pid}.${randomBytes(4).toString('hex')}.tmp`;
  await writeFile(temporary, kept + pem, { mode: 0o644, flush: true });
  await rename(temporary, path);
}

/** The keys that a data folder believes; none where it never signed. */
export async function readPublicKeys(dataDir: string): Promise<PublicKeys> {
  const path = publicKeyPath(dataDir);
  const text = await readText(path);
  return text === null ? new Map() : parsePublicKeys(text, path);
}

/** @throws PlimsollError NOT_FOUND, CONFIG_INVALID for a file without public keys. */
export async function readPublicKeyFile(path: string): Promise<PublicKeys> {
  const text = await readText(path);
  if (text !== null) return parsePublicKeys(text, path);
  throw new PlimsollError('NOT_FOUND', `there is no file ${path}`, {
    remedy: 'Give a copy of checkpoint.pub, or what plimsoll audit key prints.',
  });
}

function parsePublicKeys(text: string, path: string): PublicKeys {
  try {
    const blocks = text.match(/-----BEGIN PUBLIC KEY-----[^-]+-----END PUBLIC KEY-----/g) ?? [];
    const keys = blocks.map((block) => createPublicKey(block));
    if (keys.length > 0 && keys.every(({ asymmetricKeyType }) => asymmetricKeyType === 'ed25519'))
      return new Map(keys.map((key) => [keyIdOf(key), key]));
  } catch {
    // Not a key: said below.
  }
  throw new PlimsollError('CONFIG_INVALID', `the file ${path} does not hold Ed25519 public keys`, {
    remedy: 'Give a copy of checkpoint.pub, or what plimsoll audit key prints.',
  });
}

async function readText(path: string): Promise<string | null> {
  return readFile(path, 'utf8').catch((thrown: NodeJS.ErrnoException) => {
    if (thrown.code === 'ENOENT') return null;
    throw new PlimsollError('IO_FAILED', `${path} cannot be read: ${thrown.message}`, { cause: thrown });
  });
}
