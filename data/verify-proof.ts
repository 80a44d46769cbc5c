import { setImmediate as nextTurn } from 'node:timers/promises';
import type { ChainVerification } from '../src/control/ports.ts';
import { PlimsollError } from '../src/errors.ts';
import { GENESIS_HASH } from '../src/limits/chain.ts';
import {
  type Checkpoint,
  type PublicKeys,
  parseCheckpoint,
  signatureFault,
} from '../src/limits/checkpoint.ts';
import { isPart, partHashes, textHash } from '../src/limits/decision-inputs.ts';
import type { LimitBook } from '../src/limits/types.ts';
import { type ChainReader, PAGE_ROWS } from './chain-reader.ts';

/** Checks the inputs of one book after the other, from the first. */
export class InputsCheck {
  readonly #reader: ChainReader;
  /** Parts that hold. */
  readonly #known = new Set<string>();
  #hasBegun = false;

  constructor(reader: ChainReader) {
    this.#reader = reader;
  }

  /**
   * Null where they are what the book was decided from, and where there are none yet: old ones may be dropped, later ones not.
   *
   * @param index as stored; null where none is.
   */
  async faultOf({ inputsHash }: LimitBook, index: string | null): Promise<string | null> {
    if (index === null) return this.#hasBegun ? 'the inputs that it was decided from are missing' : null;
    this.#hasBegun = true;
    try {
      for (const hash of Object.values(partHashes(index))) if (!(await this.#holds(hash))) return CHANGED;
      return textHash(index) === inputsHash ? null : CHANGED;
    } catch (thrown) {
      if (thrown instanceof PlimsollError && UNREADABLE.includes(thrown.code)) return CHANGED;
      if (thrown instanceof SyntaxError || thrown instanceof TypeError) return CHANGED;
      throw thrown;
    }
  }

  async #holds(hash: string): Promise<boolean> {
    if (this.#known.has(hash)) return true;
    if (!isPart(hash, await this.#reader.part(hash))) return false;
    this.#known.add(hash);
    return true;
  }
}

const CHANGED = 'its stored inputs are not what it was decided from';
/** What tells of the stored bytes, and not of a store that cannot be read just now. */
const UNREADABLE: readonly string[] = ['CHAIN_BROKEN', 'STORE_DAMAGED'];

/** The first checkpoint that is missing, not signed by a key that is believed, or further than the chains go. */
export async function verifyCheckpoints(
  reader: ChainReader,
  keys: PublicKeys,
): Promise<ChainVerification['firstBadCheckpoint']> {
  let number = 0;
  for (;;) {
    const rows = await reader.checkpointPage(number);
    for (const row of rows) {
      number += 1;
      if (row.number !== number) return { number, reason: 'it is missing' };
      const reason = await checkpointFault(reader, row.body as string, number, keys);
      if (reason !== null) return { number, reason };
    }
    if (rows.length < PAGE_ROWS) return null;
    await nextTurn();
  }
}

async function checkpointFault(
  reader: ChainReader,
  body: string,
  number: number,
  keys: PublicKeys,
): Promise<string | null> {
  const checkpoint = readable(body, number);
  if (checkpoint === null) return 'its content has the wrong shape';
  if (checkpoint.number !== number) return 'its columns differ from its content';
  return signatureFault(checkpoint, keys) ?? (await chainFault(reader, checkpoint));
}

function readable(body: string, number: number): Checkpoint | null {
  try {
    return parseCheckpoint(body, `checkpoint ${number}`);
  } catch (thrown) {
    if (thrown instanceof PlimsollError) return null;
    throw thrown;
  }
}

/** Null where the chains go through what the checkpoint saw. Its signature is not judged. */
export async function chainFault(
  reader: Pick<ChainReader, 'bookHash' | 'auditHash'>,
  { books, bookHash, auditEntries, auditHash }: Checkpoint,
): Promise<string | null> {
  const book = books === 0 ? GENESIS_HASH : await reader.bookHash(books);
  const entry = auditEntries === 0 ? GENESIS_HASH : await reader.auditHash(auditEntries);
  return (
    lookupFault(`book ${books}`, book, bookHash) ??
    lookupFault(`audit entry ${auditEntries}`, entry, auditHash)
  );
}

function lookupFault(what: string, found: unknown, seen: string): string | null {
  if (found === undefined) return `${what}, which it saw, is missing: the chain was cut off`;
  return found === seen ? null : `${what} is not the one that it saw`;
}
