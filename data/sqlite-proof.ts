import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { ChainEnds, Checkpoint } from '../src/limits/checkpoint.ts';
import { type EncodedInputs, gatherInputs } from '../src/limits/decision-inputs.ts';
import type { LimitBook } from '../src/limits/types.ts';
import { DAY_MILLISECONDS } from '../src/units.ts';
import { headOf } from './chain-rows.ts';
import {
  checkpointOf,
  nextCheckpoint,
  type ProofOptions,
  packPart,
  requireInputsOf,
  unpackPart,
} from './proof-parts.ts';

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
  insertInputs(book: LimitBook, inputs: EncodedInputs): void {
    requireInputsOf(book, inputs);
    const { usePart, putPart, putIndex } = this.#statements;
    for (const part of inputs.parts) {
      if (usePart.run(book.version, part.hash).changes === 0)
        putPart.run(part.hash, book.version, packPart(part.bytes));
    }
    putIndex.run(book.version, inputs.index);
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

  /** See `unpackPart` for what it throws. */
  part(hash: string): Uint8Array {
    return unpackPart(hash, this.#statements.part.get(hash)?.body as Uint8Array | undefined);
  }

  /** Nothing where the chains are as the newest checkpoint says. */
  insertCheckpoint(at: number): void {
    const { signer } = this.#options;
    if (signer === undefined) return;
    const next = nextCheckpoint(this.#statements.latestCheckpoint.get(), this.#ends(), at, signer);
    if (next !== null) this.#statements.putCheckpoint.run(next.number, JSON.stringify(next));
  }

  /** See `checkpointOf` for what it throws. */
  latestCheckpoint(): Checkpoint | null {
    return checkpointOf(this.#statements.latestCheckpoint.get());
  }

  #ends(): ChainEnds {
    const book = headOf(this.#statements.bookHead.get());
    const audit = headOf(this.#statements.auditHead.get());
    return {
      books: book.position,
      bookHash: book.hash,
      auditEntries: audit.position,
      auditHash: audit.hash,
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
    bookHead: make('SELECT version AS position, hash FROM book ORDER BY version DESC LIMIT 1'),
    auditHead: make('SELECT sequence AS position, hash FROM audit ORDER BY sequence DESC LIMIT 1'),
  };
}
