import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { PlimsollError } from '../src/errors.ts';
import { createKeyFile, readKey } from './operator-key.ts';

/**
 * Signing secrets are encrypted where they are kept (AES-256-GCM), by a key that is in a file beside the store with mode
 * 600: whoever reads the store alone, or a copy of it, signs nothing. `docs/decisions/0017-signed-writes.md` has why.
 */
export class SigningSecrets {
  readonly #key: Buffer;

  private constructor(key: Buffer) {
    this.#key = key;
  }

  /** Makes `signing.key` where there is none. @throws PlimsollError CONFIG_INVALID when others can read it. */
  static async open(dataDir: string): Promise<SigningSecrets> {
    const path = join(dataDir, 'signing.key');
    await mkdir(dataDir, { recursive: true });
    await createKeyFile(path, () => randomBytes(KEY_BYTES).toString('base64url'));
    const text = await readKey(
      path,
      /^[\w-]{43}$/,
      `Restore ${path}; without it signed keys must be made anew.`,
    );
    return new SigningSecrets(Buffer.from(text, 'base64url'));
  }

  /** @param id of the key whose secret it is: sealed for one, it opens for no other. */
  seal(secret: Uint8Array, id: string): Uint8Array {
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv(ALGORITHM, this.#key, nonce).setAAD(Buffer.from(id));
    return Buffer.concat([nonce, cipher.update(secret), cipher.final(), cipher.getAuthTag()]);
  }

  /** @throws PlimsollError STORE_DAMAGED where it was sealed by another key, or altered. */
  unseal(sealed: Uint8Array, id: string): Uint8Array {
    const bytes = Buffer.from(sealed);
    try {
      const decipher = createDecipheriv(ALGORITHM, this.#key, bytes.subarray(0, NONCE_BYTES))
        .setAAD(Buffer.from(id))
        .setAuthTag(bytes.subarray(-TAG_BYTES));
      return Buffer.concat([decipher.update(bytes.subarray(NONCE_BYTES, -TAG_BYTES)), decipher.final()]);
    } catch (cause) {
      throw new PlimsollError('STORE_DAMAGED', `the signing secret of key ${id} cannot be read`, {
        remedy: 'Restore signing.key of the data folder, or revoke the key: plimsoll keys revoke.',
        cause,
      });
    }
  }
}

const ALGORITHM = 'aes-256-gcm';
const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
