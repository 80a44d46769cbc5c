import { canonicalJson } from '../../../../src/limits/canonical-json.ts';
import type { Audit, AuditEntry } from '../../answers.ts';

export type Checkpoint = NonNullable<Audit['checkpoint']>;

/** Before the first link of the chain. */
const GENESIS_HASH = '0'.repeat(64);

export interface ChainFault {
  /** Of the entry at which the chain does not hold. */
  readonly sequence: number;
  readonly what: string;
}

/**
 * Follows the audit chain from its first entry on and recomputes every hash, as `plimsoll audit verify` does: nothing that the service
 * says of an entry is believed but its content.
 */
export class ChainCheck {
  readonly #subtle: SubtleCrypto;
  readonly #checkpoint: Checkpoint | null;
  #verified = 0;
  #hash = GENESIS_HASH;

  /** @param checkpoint where the chain has to go through; null for none. */
  constructor(subtle: SubtleCrypto, checkpoint: Checkpoint | null) {
    this.#subtle = subtle;
    this.#checkpoint = checkpoint;
  }

  /** How many entries hold. */
  get verified(): number {
    return this.#verified;
  }

  /** Of the last entry that holds. */
  get hash(): string {
    return this.#hash;
  }

  /**
   * Takes the next entries of the chain, oldest first.
   *
   * @returns the first that does not hold; null where all do.
   */
  async take(entries: readonly AuditEntry[]): Promise<ChainFault | null> {
    const hashes = await Promise.all(entries.map((entry) => entryHash(this.#subtle, entry)));
    for (const [i, entry] of entries.entries()) {
      const fault = this.#faultOf(entry, hashes[i]);
      if (fault !== null) return fault;
      this.#verified = entry.sequence;
      this.#hash = entry.hash;
    }
    return null;
  }

  /** Whether it goes as far as the checkpoint saw it, once there is no more. */
  finish(): ChainFault | null {
    const seen = this.#checkpoint?.auditEntries ?? 0;
    if (this.#verified >= seen) return null;
    return {
      sequence: this.#verified + 1,
      what: `it is missing: the chain was cut off, and the signed checkpoint saw ${seen} entries`,
    };
  }

  #faultOf({ sequence, previousHash, hash }: AuditEntry, computed: string | null): ChainFault | null {
    const expected = this.#verified + 1;
    if (sequence !== expected)
      return { sequence: expected, what: `it is missing: entry ${sequence} stands in its place` };
    if (previousHash !== this.#hash)
      return { sequence, what: 'it does not name the hash of the entry before it' };
    if (computed !== hash) return { sequence, what: 'its content is not what was hashed' };
    const { auditEntries, auditHash } = this.#checkpoint ?? {};
    if (auditEntries === sequence && auditHash !== hash)
      return { sequence, what: 'it is not the entry that the signed checkpoint saw' };
    return null;
  }
}

/**
 * The hash of an entry from its content: SHA-256 over the hash before it, a line feed and its canonical JSON without its own hash.
 *
 * @returns null for content that cannot have been hashed.
 */
export async function entryHash(subtle: SubtleCrypto, entry: AuditEntry): Promise<string | null> {
  const { at, kind, actor, subject, reason, details, sequence, previousHash } = entry;
  // Times are hashed as epoch milliseconds and told as ISO 8601.
  const content = { at: Date.parse(at), kind, actor, subject, reason, details, sequence, previousHash };
  try {
    return await sha256(subtle, `${previousHash}\n${canonicalJson(content)}`);
  } catch (thrown) {
    if (thrown instanceof TypeError) return null;
    throw thrown;
  }
}

/**
 * Whether a checkpoint is signed by one of the public keys of a PEM file, as `plimsoll audit key` prints it.
 *
 * @returns what is wrong; null where the signature holds.
 */
export async function signatureFault(
  subtle: SubtleCrypto,
  checkpoint: Checkpoint,
  pem: string,
): Promise<string | null> {
  const keys = [...pem.matchAll(/-----BEGIN PUBLIC KEY-----([\w+/=\s]+)-----END PUBLIC KEY-----/g)];
  if (keys.length === 0) return 'there is no public key in it: give what plimsoll audit key prints';
  for (const [, body] of keys) {
    const der = bytesOf(body.replaceAll(/\s/g, ''));
    if (der === null || (await hexDigest(subtle, der)).slice(0, 16) !== checkpoint.keyId) continue;
    const { signature, ...content } = checkpoint;
    const signed = bytesOf(signature);
    const key = await subtle.importKey('spki', der, { name: 'Ed25519' }, false, ['verify']);
    const text = new TextEncoder().encode(canonicalJson(content));
    const holds = signed !== null && (await subtle.verify({ name: 'Ed25519' }, key, signed, text));
    return holds ? null : 'the signature of the checkpoint is not that of its content';
  }
  return `the checkpoint is signed by the key ${checkpoint.keyId}, which is not one of these`;
}

function sha256(subtle: SubtleCrypto, text: string): Promise<string> {
  return hexDigest(subtle, new TextEncoder().encode(text));
}

async function hexDigest(subtle: SubtleCrypto, bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const digest = new Uint8Array(await subtle.digest('SHA-256', bytes));
  let text = '';
  for (const byte of digest) text += byte.toString(16).padStart(2, '0');
  return text;
}

/** Of base64; null for anything else. */
function bytesOf(base64: string): Uint8Array<ArrayBuffer> | null {
  try {
    return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  } catch {
    return null;
  }
}
