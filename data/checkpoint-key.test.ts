import { createPublicKey, verify } from 'node:crypto';
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ensureCheckpointKey, readPublicKeyFile, readPublicKeys } from './checkpoint-key.ts';

let folder: string;
const path = (name: string): string => join(folder, name);

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'plimsoll-signer-'));
});

afterEach(() => rmSync(folder, { recursive: true }));

describe('the key that signs', () => {
  test('is made once; only its owner reads the private one, everybody the public one, and nothing else is left', async () => {
    const first = await ensureCheckpointKey(folder);
    expect(statSync(path('checkpoint.key')).mode & 0o777).toBe(0o600);
    expect(statSync(path('checkpoint.pub')).mode & 0o777).toBe(0o644);
    expect(readdirSync(folder).sort()).toEqual(['checkpoint.key', 'checkpoint.pub']);
    const again = await ensureCheckpointKey(folder);
    expect(again.keyId).toBe(first.keyId);
    const key = createPublicKey(readFileSync(path('checkpoint.pub')));
    const signature = Buffer.from(again.sign('text'), 'base64');
    expect(verify(null, Buffer.from('text'), key, signature)).toBe(true);
    expect([...(await readPublicKeys(folder)).keys()]).toEqual([first.keyId]);
  });

  test('that was lost gets a successor, and the public key before it stays believed', async () => {
    const first = await ensureCheckpointKey(folder);
    rmSync(path('checkpoint.key'));
    const second = await ensureCheckpointKey(folder);
    expect(second.keyId).not.toBe(first.keyId);
    expect([...(await readPublicKeys(folder)).keys()]).toEqual([first.keyId, second.keyId]);
  });

  test('whose public key was lost writes it again', async () => {
    const { keyId } = await ensureCheckpointKey(folder);
    rmSync(path('checkpoint.pub'));
    expect((await readPublicKeys(folder)).size).toBe(0);
    await ensureCheckpointKey(folder);
    expect([...(await readPublicKeys(folder)).keys()]).toEqual([keyId]);
  });

  test('that others can read, or that is none, is refused and left as it is', async () => {
    await ensureCheckpointKey(folder);
    chmodSync(path('checkpoint.key'), 0o640);
    await expect(ensureCheckpointKey(folder)).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
    for (const text of ['rubbish', 'A'.repeat(64)]) {
      writeFileSync(path('checkpoint.key'), text);
      chmodSync(path('checkpoint.key'), 0o600);
      await expect(ensureCheckpointKey(folder)).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
      expect(readFileSync(path('checkpoint.key'), 'utf8')).toBe(text);
    }
  });

  test('a file of public keys that holds none is told from one that is not there', async () => {
    await expect(readPublicKeyFile(path('none'))).rejects.toMatchObject({ code: 'NOT_FOUND' });
    const pem = '-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n';
    for (const text of ['', 'rubbish', pem]) {
      writeFileSync(path('some.pub'), text);
      await expect(readPublicKeyFile(path('some.pub'))).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
    }
  });
});
