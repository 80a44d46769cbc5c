import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { PlimsollError } from '../src/errors.ts';
import { GENESIS_HASH } from '../src/limits/chain.ts';
import {
  type ChainEnds,
  type Checkpoint,
  type CheckpointSigner,
  makeCheckpoint,
  parseCheckpoint,
} from '../src/limits/checkpoint.ts';
import { type EncodedInputs, gatherInputs } from '../src/limits/decision-inputs.ts';
import type { LimitBook } from '../src/limits/types.ts';
import { DAY_MILLISECONDS } from '../src/units.ts';

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

/**
 * What proves the chains: the inputs from which a book can be decided again, and signed checkpoints. Whatever writes
 * needs the write lock.
 */
export class SqliteProof {
  readonly #options: ProofOptions;
  readonly #statements: ReturnType<typeof prepare>;

  constructor(database: DatabaseSync, options: ProofOptions) {
    this.#options = options;
    this.#statements = prepare(database);
  }

  /** @throws PlimsollError CHAIN_BROKEN for inputs that the book does not name. */
  insertInputs(book: LimitBook, { hash, index, parts }: EncodedInputs): void {
    if (hash !== book.inputsHash) {
      throw new PlimsollError('CHAIN_BROKEN', `book ${book.version} was not decided from these inputs`, {
        remedy: 'Publish a book with the inputs that it was decided from.',
      });
    }
    const { usePart, putPart, putIndex } = this.#statements;
    for (const part of parts) {
      if (usePart.run(book.version, part.hash).changes === 0)
        putPart.run(part.hash, book.version, zstdCompressSync(part.bytes, COMPRESSION));
    }
    putIndex.run(book.version, index);
    this.#dropOldInputs(book);
  }

  #dropOldInputs({ effectiveAt }: LimitBook): void {
    const { inputsKeptDays = 0 } = this.#options;
    if (inputsKeptDays === 0) return;
    const { lastBefore, dropIndices, dropParts } = this.#statements;
    const last = lastBefore.get(effectiveAt - inputsKeptDays * DAY_MILLISECONDS)?.version ?? 0;
    dropIndices.run(last as number);
    dropParts.run(last as number);
  }

  inputs(version: number): EncodedInputs | null {
    const index = this.#statements.index.get(version)?.body as string | undefined;
    return index === undefined ? null : gatherInputs(index, (hash) => this.part(hash));
  }

  /** @throws PlimsollError CHAIN_BROKEN where the part is missing or cannot be unpacked. */
  part(hash: string): Uint8Array {
    const body = this.#statements.part.get(hash)?.body as Uint8Array | undefined;
    if (body === undefined) throw new PlimsollError('CHAIN_BROKEN', `the stored inputs ${hash} are missing`);
    try {
      return zstdDecompressSync(body, { maxOutputLength: LARGEST_PART_BYTES });
    } catch (cause) {
      throw new PlimsollError('CHAIN_BROKEN', `the stored inputs ${hash} cannot be unpacked`, { cause });
    }
  }

  /** Nothing where the chains are as the newest checkpoint says. */
  insertCheckpoint(at: number): void {
    const { signer } = this.#options;
    if (signer === undefined) return;
    const newest = this.#statements.latestCheckpoint.get();
    const ends = this.#ends();
    // As text: a newest checkpoint that was damaged must not keep the next book from being published.
    if ((newest?.body as string | undefined)?.includes(`"auditHash":"${ends.auditHash}"`)) return;
    const number = ((newest?.number as number | undefined) ?? 0) + 1;
    this.#statements.putCheckpoint.run(number, JSON.stringify(makeCheckpoint(number, at, ends, signer)));
  }

  /** @throws PlimsollError CHAIN_BROKEN where what is stored is none. */
  latestCheckpoint(): Checkpoint | null {
    const row = this.#statements.latestCheckpoint.get();
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

  #ends(): ChainEnds {
    const book = this.#statements.bookHead.get();
    const audit = this.#statements.auditHead.get();
    return {
      books: (book?.version as number | undefined) ?? 0,
      bookHash: (book?.hash as string | undefined) ?? GENESIS_HASH,
      auditEntries: (audit?.sequence as number | undefined) ?? 0,
      auditHash: (audit?.hash as string | undefined) ?? GENESIS_HASH,
    };
  }
}

function prepare(database: DatabaseSync) {
  const make = (sql: string): StatementSync => database.prepare(sql);
  return {
    usePart: make('UPDATE input_part SET last_version = ? WHERE hash = ?'),
    putPart: make('INSERT INTO input_part (hash, last_version, body) VALUES (?, ?, ?)'),
    part: make('SELECT body FROM input_part WHERE hash = ?'),
    putIndex: make('INSERT INTO decision_input (version, body) VALUES (?, ?)'),
    index: make('SELECT body FROM decision_input WHERE version = ?'),
    lastBefore: make(
      'SELECT version FROM book WHERE effective_at < ? ORDER BY effective_at DESC, version DESC LIMIT 1',
    ),
    dropIndices: make('DELETE FROM decision_input WHERE version <= ?'),
    dropParts: make('DELETE FROM input_part WHERE last_version <= ?'),
    putCheckpoint: make('INSERT INTO checkpoint (number, body) VALUES (?, ?)'),
    latestCheckpoint: make('SELECT number, body FROM checkpoint ORDER BY number DESC LIMIT 1'),
    bookHead: make('SELECT version, hash FROM book ORDER BY version DESC LIMIT 1'),
    auditHead: make('SELECT sequence, hash FROM audit ORDER BY sequence DESC LIMIT 1'),
  };
}
