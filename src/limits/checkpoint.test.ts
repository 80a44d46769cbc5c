import { createPrivateKey, createPublicKey, sign } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type CheckpointSigner,
  keyIdOf,
  makeCheckpoint,
  parseCheckpoint,
  signatureFault,
  signedText,
} from './checkpoint.ts';

/** The secret key of test 1 in RFC 8032, section 7.1, behind the header of PKCS #8 (RFC 8410, section 7). */
const SECRET = '9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60';
const PUBLIC = 'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a';
const privateKey = createPrivateKey({
  key: Buffer.from(`302e020100300506032b657004220420${SECRET}`, 'hex'),
  type: 'pkcs8',
  format: 'der',
});
const publicKey = createPublicKey(privateKey);
const signer: CheckpointSigner = {
  keyId: keyIdOf(publicKey),
  sign: (text) => sign(null, Buffer.from(text), privateKey).toString('base64'),
};
const KEYS = new Map([[signer.keyId, publicKey]]);
const ENDS = { books: 7, bookHash: 'b'.repeat(64), auditEntries: 9, auditHash: 'a'.repeat(64) };
const checkpoint = makeCheckpoint(3, Date.UTC(2024, 0, 2), ENDS, signer);

describe('a checkpoint', () => {
  test('is canonical JSON that others can write and check with any Ed25519', () => {
    expect(publicKey.export({ type: 'spki', format: 'der' }).subarray(-32).toString('hex')).toBe(PUBLIC);
    expect(signedText(checkpoint)).toBe(
      `{"at":"2024-01-02T00:00:00.000Z","auditEntries":9,"auditHash":"${ENDS.auditHash}","bookHash":"${ENDS.bookHash}",` +
        `"books":7,"format":"plimsoll-checkpoint-1","keyId":"${signer.keyId}","number":3}`,
    );
    expect(signatureFault(checkpoint, KEYS)).toBeNull();
    expect(parseCheckpoint(JSON.stringify(checkpoint, null, 2), 'it')).toEqual(checkpoint);
  });

  test('does not hold with anything in it changed, or signed by a key that is not believed', () => {
    for (const [name, value] of Object.entries(checkpoint)) {
      if (name === 'keyId') continue;
      const other =
        typeof value === 'number'
          ? value + 1
          : value.replace(/^./, (first: string) => (first === 'z' ? 'y' : 'z'));
      expect([name, signatureFault({ ...checkpoint, [name]: other }, KEYS)]).toEqual([
        name,
        'its signature is not that of its content',
      ]);
    }
    expect(signatureFault(checkpoint, new Map())).toContain(signer.keyId);
    expect(signatureFault({ ...checkpoint, signature: '' }, KEYS)).not.toBeNull();
  });

  test('text that is none is refused, whatever it is', () => {
    const refused = (text: string): void =>
      expect(() => parseCheckpoint(text, 'it')).toThrow(expect.objectContaining({ code: 'INPUT_INVALID' }));
    for (const text of ['', 'null', '[]', '{}', '{"format":"plimsoll-checkpoint-2"}']) refused(text);
    for (const name of Object.keys(checkpoint)) {
      const { [name as keyof typeof checkpoint]: _, ...rest } = checkpoint;
      refused(JSON.stringify(rest));
      refused(JSON.stringify({ ...checkpoint, [name]: null }));
    }
    refused(JSON.stringify({ ...checkpoint, more: 1 }));
    refused(JSON.stringify({ ...checkpoint, books: 1.5 }));
    fc.assert(
      fc.property(fc.json(), (text) => {
        refused(text);
      }),
      { seed: 20240605, numRuns: 200 },
    );
  });
});
