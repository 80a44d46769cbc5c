import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { PlimsollError } from '../src/errors.ts';
import {
  type ChainEnds,
  type Checkpoint,
  type CheckpointSigner,
  makeCheckpoint,
  parseCheckpoint,
} from '../src/limits/checkpoint.ts';
import type { EncodedInputs } from '../src/limits/decision-inputs.ts';
import type { LimitBook } from '../src/limits/types.ts';
import type { Row } from './state-rows.ts';

/** Quicker than the default level, and no larger for arrays of float64. */
const COMPRESSION = { params: { [constants.ZSTD_c_compressionLevel]: 1 } };
/** No part is larger: one of 100,000 markets is below this. */
const LARGEST_PART_BYTES = 256_000_000;

export interface ProofOptions {
  /** Without one there are no checkpoints. */
  readonly signer?: CheckpointSigner;
  /** Inputs of books that are older than so many days are dropped; 0 keeps all. */
  readonly inputsKeptDays?: number;
}

export function packPart(bytes: Uint8Array): Uint8Array {
  return zstdCompressSync(bytes, COMPRESSION);
}

/**
 * @param body as stored; absent where it is not.
 * @throws PlimsollError CHAIN_BROKEN where the part is missing or cannot be unpacked.
 */
export function unpackPart(hash: string, body: Uint8Array | undefined): Uint8Array {
  if (body === undefined) throw new PlimsollError('CHAIN_BROKEN', `the stored inputs ${hash} are missing`);
  try {
    return zstdDecompressSync(body, { maxOutputLength: LARGEST_PART_BYTES });
  } catch (cause) {
    throw new PlimsollError('CHAIN_BROKEN', `the stored inputs ${hash} cannot be unpacked`, { cause });
  }
}

/** @throws PlimsollError CHAIN_BROKEN for inputs that the book does not name. */
export function requireInputsOf(book: LimitBook, { hash }: EncodedInputs): void {
  if (hash === book.inputsHash) return;
  throw new PlimsollError('CHAIN_BROKEN', `book ${book.version} was not decided from these inputs`, {
    remedy: 'Publish a book with the inputs that it was decided from.',
  });
}

/**
 * The checkpoint after the newest one; null where the chains are as that says.
 *
 * @param newest columns number, body; absent before the first.
 */
export function nextCheckpoint(
  newest: Row | undefined,
  ends: ChainEnds,
  at: number,
  signer: CheckpointSigner,
): Checkpoint | null {
  // As text: a newest checkpoint that was damaged must not keep the next book from being published.
  if ((newest?.body as string | undefined)?.includes(`"auditHash":"${ends.auditHash}"`)) return null;
  const number = ((newest?.number as number | undefined) ?? 0) + 1;
  return makeCheckpoint(number, at, ends, signer);
}

/** @throws PlimsollError CHAIN_BROKEN where what is stored is none. */
export function checkpointOf(row: Row | undefined): Checkpoint | null {
  if (row === undefined) return null;
  try {
    return parseCheckpoint(row.body as string, `checkpoint ${row.number}`);
  } catch (cause) {
    throw new PlimsollError('CHAIN_BROKEN', `checkpoint ${row.number} is not what was stored`, {
      remedy: 'Run plimsoll audit verify to see what else was changed; restore the last good backup.',
      cause,
    });
  }
}
