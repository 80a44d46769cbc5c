import { createHash, type KeyObject, verify } from 'node:crypto';
import { isoTime } from '../clock.ts';
import { PlimsollError } from '../errors.ts';
import { canonicalJson } from './chain.ts';

const FORMAT = 'plimsoll-checkpoint-1';

/** How far both chains went at a time. A copy that is kept elsewhere shows later whether they still go through there. */
export interface CheckpointContent {
  readonly format: typeof FORMAT;
  /** 1, 2, 3, … without gaps. */
  readonly number: number;
  /** ISO 8601. */
  readonly at: string;
  /** Version of the newest book, 0 before the first. */
  readonly books: number;
  readonly bookHash: string;
  /** Sequence number of the newest audit entry. */
  readonly auditEntries: number;
  readonly auditHash: string;
  /** See `keyIdOf`. */
  readonly keyId: string;
}

export interface Checkpoint extends CheckpointContent {
  /** Ed25519 (RFC 8032) over `signedText`, base64. */
  readonly signature: string;
}

export interface CheckpointSigner {
  readonly keyId: string;
  /** The signature of a text, base64. */
  sign(text: string): string;
}

/** Keys whose checkpoints are believed, by their id. */
export type PublicKeys = ReadonlyMap<string, KeyObject>;

export interface ChainEnds {
  readonly books: number;
  readonly bookHash: string;
  readonly auditEntries: number;
  readonly auditHash: string;
}

/** @param at epoch milliseconds. */
export function makeCheckpoint(
  number: number,
  at: number,
  ends: ChainEnds,
  signer: CheckpointSigner,
): Checkpoint {
  const content: CheckpointContent = {
    ...{ format: FORMAT, number, at: isoTime(at), keyId: signer.keyId },
    ...ends,
  };
  return { ...content, signature: signer.sign(signedText(content)) };
}

/** The canonical JSON of a checkpoint without its signature, in UTF-8: the bytes that are signed. */
export function signedText(checkpoint: CheckpointContent | Checkpoint): string {
  const { signature, ...content } = { signature: '', ...checkpoint };
  return canonicalJson(content);
}

/** What is wrong with the signature of a checkpoint; null where it holds. */
export function signatureFault(checkpoint: Checkpoint, keys: PublicKeys): string | null {
  const key = keys.get(checkpoint.keyId);
  if (key === undefined)
    return `it is signed by the key ${checkpoint.keyId}, which is not one of those that are believed`;
  const signature = Buffer.from(checkpoint.signature, 'base64');
  return verify(null, Buffer.from(signedText(checkpoint)), key, signature)
    ? null
    : 'its signature is not that of its content';
}

/** The first 16 hex digits of the SHA-256 of the public key (SubjectPublicKeyInfo, DER). */
export function keyIdOf(publicKey: KeyObject): string {
  const der = publicKey.export({ type: 'spki', format: 'der' });
  return createHash('sha256').update(der).digest('hex').slice(0, 16);
}

/** @throws PlimsollError INPUT_INVALID for a text that is no checkpoint. */
export function parseCheckpoint(text: string, where: string): Checkpoint {
  const value = parsed(text);
  if (isCheckpoint(value)) return value;
  throw new PlimsollError('INPUT_INVALID', `${where} does not hold a checkpoint`, {
    remedy: 'Give what plimsoll audit checkpoint prints.',
  });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function isCheckpoint(value: unknown): value is Checkpoint {
  if (typeof value !== 'object' || value === null) return false;
  const { format, number, at, books, bookHash, auditEntries, auditHash, keyId, signature, ...more } =
    value as Record<string, unknown>;
  return (
    format === FORMAT &&
    [number, books, auditEntries].every((count) => Number.isSafeInteger(count) && (count as number) >= 0) &&
    [at, bookHash, auditHash, keyId, signature].every((one) => typeof one === 'string') &&
    Object.keys(more).length === 0
  );
}
