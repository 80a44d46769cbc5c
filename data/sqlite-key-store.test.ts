import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { keyOf, STEP } from './conformance/keys.fixture.ts';
import { SigningSecrets } from './signing-secret.ts';
import { SqliteStateStore } from './sqlite-state-store.ts';

let folder: string;
let store: SqliteStateStore;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'plimsoll-keys-'));
  store = SqliteStateStore.open(folder);
});

afterEach(async () => {
  await store.close();
  rmSync(folder, { recursive: true });
});

describe('signing secrets', () => {
  test('are kept encrypted by a file that only its owner can read', async () => {
    const secrets = await SigningSecrets.open(folder);
    const secret = Buffer.from('a-secret-of-32-bytes-for-a-test!');
    const sealed = secrets.seal(secret, 'id-1');
    await store.keys.add(keyOf('a', 'a1', { sealedSecret: sealed }), STEP);
    const [{ sealedSecret }] = await store.keys.all();
    const again = await SigningSecrets.open(folder);
    expect(Buffer.from(again.unseal(sealedSecret ?? new Uint8Array(), 'id-1'))).toEqual(secret);
    expect(statSync(join(folder, 'signing.key')).mode & 0o777).toBe(0o600);
    for (const name of readdirSync(folder))
      expect(readFileSync(join(folder, name)).includes(secret)).toBe(false);
    expect(secrets.seal(secret, 'id-1')).not.toEqual(sealed);
  });

  test('open for their own key alone, unaltered, and with the file that sealed them', async () => {
    const secrets = await SigningSecrets.open(folder);
    const sealed = secrets.seal(Buffer.alloc(32, 7), 'id-1');
    expect(() => secrets.unseal(sealed, 'id-2')).toThrow(expect.objectContaining({ code: 'STORE_DAMAGED' }));
    const altered = Buffer.from(sealed);
    altered[20] ^= 1;
    for (const wrong of [altered, sealed.subarray(0, 20), new Uint8Array()])
      expect(() => secrets.unseal(wrong, 'id-1')).toThrow(expect.objectContaining({ code: 'STORE_DAMAGED' }));
    rmSync(join(folder, 'signing.key'));
    const others = await SigningSecrets.open(folder);
    expect(() => others.unseal(sealed, 'id-1')).toThrow(expect.objectContaining({ code: 'STORE_DAMAGED' }));
  });
});
