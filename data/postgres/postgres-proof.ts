import type { Checkpoint } from '../../src/limits/checkpoint.ts';
import {
  type EncodedInputs,
  gatherInputs,
  type InputPart,
  partHashes,
} from '../../src/limits/decision-inputs.ts';
import type { LimitBook } from '../../src/limits/types.ts';
import { DAY_MILLISECONDS } from '../../src/units.ts';
import {
  checkpointOf,
  nextCheckpoint,
  type ProofOptions,
  packPart,
  requireInputsOf,
  unpackPart,
} from '../proof-parts.ts';
import { auditHead, bookHead } from './chain.ts';
import type { Session } from './database.ts';

/** Inputs whose new parts are compressed, ready for a transaction. */
export interface PackedInputs {
  readonly inputs: EncodedInputs;
  readonly packed: ReadonlyMap<string, Uint8Array>;
}

/** What proves the chains: the inputs from which a book can be decided again, and signed checkpoints. */
export class PostgresProof {
  readonly #options: ProofOptions;

  constructor(options: ProofOptions) {
    this.#options = options;
  }

  /**
   * Compresses what is not stored yet, before the write lock is taken: it may take long.
   *
   * @throws PlimsollError CHAIN_BROKEN for inputs that the book does not name.
   */
  async pack(session: Session, book: LimitBook, inputs: EncodedInputs): Promise<PackedInputs> {
    requireInputsOf(book, inputs);
    const hashes = inputs.parts.map(({ hash }) => hash);
    const stored = await session.rows('SELECT hash FROM input_part WHERE hash = ANY ($1)', [hashes]);
    const known = new Set(stored.map(({ hash }) => hash));
    const fresh = inputs.parts.filter(({ hash }) => !known.has(hash));
    return { inputs, packed: new Map(fresh.map(({ hash, bytes }) => [hash, packPart(bytes)])) };
  }

  /** Needs the write lock. */
  async insertInputs(session: Session, book: LimitBook, { inputs, packed }: PackedInputs): Promise<void> {
    const used = await session.rows(
      'UPDATE input_part SET last_version = $1 WHERE hash = ANY ($2) RETURNING hash',
      [book.version, inputs.parts.map(({ hash }) => hash)],
    );
    const known = new Set(used.map(({ hash }) => hash));
    for (const part of inputs.parts)
      if (!known.has(part.hash)) await this.#insertPart(session, book, part, packed.get(part.hash));
    await session.rows('INSERT INTO decision_input (version, body) VALUES ($1, $2)', [
      book.version,
      inputs.index,
    ]);
    await this.#dropOldInputs(session, book);
  }

  async #insertPart(
    session: Session,
    { version }: LimitBook,
    { hash, bytes }: InputPart,
    packed: Uint8Array | undefined,
  ): Promise<void> {
    await session.rows('INSERT INTO input_part (hash, last_version, body) VALUES ($1, $2, $3)', [
      hash,
      version,
      packed ?? packPart(bytes),
    ]);
  }

  async #dropOldInputs(session: Session, { effectiveAt }: LimitBook): Promise<void> {
    const { inputsKeptDays = 0 } = this.#options;
    if (inputsKeptDays === 0) return;
    const last = await session.row(
      'SELECT version FROM book WHERE effective_at < $1 ORDER BY effective_at DESC, version DESC LIMIT 1',
      [effectiveAt - inputsKeptDays * DAY_MILLISECONDS],
    );
    if (last === undefined) return;
    await session.rows('DELETE FROM decision_input WHERE version <= $1', [last.version]);
    await session.rows('DELETE FROM input_part WHERE last_version <= $1', [last.version]);
  }

  async inputs(session: Session, version: number): Promise<EncodedInputs | null> {
    const row = await session.row('SELECT body FROM decision_input WHERE version = $1', [version]);
    if (row === undefined) return null;
    const index = row.body as string;
    const parts = new Map<string, Uint8Array>();
    for (const hash of new Set(Object.values(partHashes(index))))
      parts.set(hash, await this.part(session, hash));
    return gatherInputs(index, (hash) => parts.get(hash) as Uint8Array);
  }

  /** See `unpackPart` for what it throws. */
  async part(session: Session, hash: string): Promise<Uint8Array> {
    const row = await session.row('SELECT body FROM input_part WHERE hash = $1', [hash]);
    return unpackPart(hash, row?.body as Uint8Array | undefined);
  }

  /** Needs the write lock. Nothing where the chains are as the newest checkpoint says. */
  async insertCheckpoint(session: Session, at: number): Promise<void> {
    const { signer } = this.#options;
    if (signer === undefined) return;
    const book = await bookHead(session);
    const audit = await auditHead(session);
    const ends = {
      books: book.position,
      bookHash: book.hash,
      auditEntries: audit.position,
      auditHash: audit.hash,
    };
    const next = nextCheckpoint(await newestCheckpoint(session), ends, at, signer);
    if (next === null) return;
    await session.rows('INSERT INTO checkpoint (number, body) VALUES ($1, $2)', [
      next.number,
      JSON.stringify(next),
    ]);
  }

  /** See `checkpointOf` for what it throws. */
  async latestCheckpoint(session: Session): Promise<Checkpoint | null> {
    return checkpointOf(await newestCheckpoint(session));
  }
}

function newestCheckpoint(session: Session) {
  return session.row('SELECT number, body FROM checkpoint ORDER BY number DESC LIMIT 1');
}
