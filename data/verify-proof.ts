import type { DatabaseSync, StatementSync } from 'node:sqlite';
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
import { gatherInputs, isPart } from '../src/limits/decision-inputs.ts';
import type { LimitBook } from '../src/limits/types.ts';
import type { SqliteProof } from './sqlite-proof.ts';

/** Checks the inputs of one book after the other, from the first. */
export class InputsCheck {
  readonly #proof: SqliteProof;
  readonly #index: StatementSync;
  /** Parts that hold. */
  readonly #known = new Set<string>();
  #hasBegun = false;

  constructor(database: DatabaseSync, proof: SqliteProof) {
    this.#proof = proof;
    this.#index = database.prepare('SELECT body FROM decision_input WHERE version = ?');
  }

  /** Null where they are what the book was decided from, and where there are none yet: old ones may be dropped, later ones not. */
  faultOf({ version, inputsHash }: LimitBook): string | null {
    const index = this.#index.get(version)?.body as string | undefined;
    if (index === undefined) return this.#hasBegun ? 'the inputs that it was decided from are missing' : null;
    this.#hasBegun = true;
    try {
      const { hash } = gatherInputs(index, (part) => this.#checked(part));
      return hash === inputsHash ? null : CHANGED;
    } catch (thrown) {
      if (thrown instanceof PlimsollError || thrown instanceof SyntaxError) return CHANGED;
      throw thrown;
    }
  }

  #checked(hash: string): Uint8Array {
    if (this.#known.has(hash)) return NOTHING;
    const bytes = this.#proof.part(hash);
    if (!isPart(hash, bytes))
      throw new PlimsollError('CHAIN_BROKEN', `the stored inputs ${hash} were changed`);
    this.#known.add(hash);
    return NOTHING;
  }
}

const CHANGED = 'its stored inputs are not what it was decided from';
const NOTHING = new Uint8Array();

const PAGE_ROWS = 64;

/** The first checkpoint that is missing, not signed by a key that is believed, or further than the chains go. */
export async function verifyCheckpoints(
  database: DatabaseSync,
  keys: PublicKeys,
): Promise<ChainVerification['firstBadCheckpoint']> {
  const page = database.prepare(
    `SELECT number, body FROM checkpoint WHERE number > ? ORDER BY number LIMIT ${PAGE_ROWS}`,
  );
  const ends = new ChainLookup(database);
  let number = 0;
  for (let rows = page.all(number); rows.length > 0; rows = page.all(number)) {
    for (const row of rows) {
      number += 1;
      if (row.number !== number) return { number, reason: 'it is missing' };
      const reason = checkpointFault(row.body as string, number, keys, ends);
      if (reason !== null) return { number, reason };
    }
    if (rows.length < PAGE_ROWS) break;
    await nextTurn();
  }
  return null;
}

function checkpointFault(body: string, number: number, keys: PublicKeys, ends: ChainLookup): string | null {
  try {
    const checkpoint = parseCheckpoint(body, `checkpoint ${number}`);
    if (checkpoint.number !== number) return 'its columns differ from its content';
    return signatureFault(checkpoint, keys) ?? ends.faultOf(checkpoint);
  } catch (thrown) {
    if (thrown instanceof PlimsollError) return 'its content has the wrong shape';
    throw thrown;
  }
}

/** Looks up where a checkpoint saw the chains. */
export class ChainLookup {
  readonly #book: StatementSync;
  readonly #audit: StatementSync;

  constructor(database: DatabaseSync) {
    this.#book = database.prepare('SELECT hash FROM book WHERE version = ?');
    this.#audit = database.prepare('SELECT hash FROM audit WHERE sequence = ?');
  }

  /** Null where the chains go through what the checkpoint saw. */
  faultOf({ books, bookHash, auditEntries, auditHash }: Checkpoint): string | null {
    return (
      lookupFault(`book ${books}`, books === 0 ? GENESIS_HASH : this.#book.get(books)?.hash, bookHash) ??
      lookupFault(
        `audit entry ${auditEntries}`,
        auditEntries === 0 ? GENESIS_HASH : this.#audit.get(auditEntries)?.hash,
        auditHash,
      )
    );
  }
}

function lookupFault(what: string, found: unknown, seen: string): string | null {
  if (found === undefined) return `${what}, which it saw, is missing: the chain was cut off`;
  return found === seen ? null : `${what} is not the one that it saw`;
}
