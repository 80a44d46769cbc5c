import type { Row } from './state-rows.ts';

/** Rows read at a time; between two pages other work of the process gets its turn. */
export const PAGE_ROWS = 64;

/** A book's row, beside it what was derived from the book. */
export interface BookRow extends Row {
  /** Whether its audit entry is there. */
  readonly audited: boolean;
  /** What its inputs are, as stored; null where none are kept. */
  readonly inputs: string | null;
  /** Its rows of the history, by symbol: symbol, max_leverage, binding_bound, move, reasons. */
  readonly changes: readonly (readonly unknown[])[];
  /** Its points of markets' tracks, see `trackPoint`. */
  readonly track: readonly Row[];
}

/** What a verification reads of a state store. Pages begin after a number, are in order, and have `PAGE_ROWS` rows at most. */
export interface ChainReader {
  /** Columns position, hash, previous_hash, body. */
  auditPage(after: number): Promise<readonly Row[]>;
  /** Those of an audit page, with decided_at and effective_at. */
  bookPage(after: number): Promise<readonly BookRow[]>;
  /** Columns number, body. */
  checkpointPage(after: number): Promise<readonly Row[]>;
  bookHash(version: number): Promise<unknown>;
  auditHash(sequence: number): Promise<unknown>;
  /** @throws PlimsollError CHAIN_BROKEN where the part is missing or cannot be unpacked. */
  part(hash: string): Promise<Uint8Array>;
  counts(): Promise<ChainCounts>;
  /** Runs `work` on the state of one moment: what another process commits meanwhile is not seen. */
  inSnapshot<T>(work: (tables: RecordTables) => Promise<T>): Promise<T>;
}

export interface ChainCounts {
  readonly books: number;
  readonly replayable: number;
  readonly auditEntries: number;
  readonly checkpoints: number;
}

/** The tables that must be as they were audited. */
export interface RecordTables {
  auditPage(after: number): Promise<readonly Row[]>;
  auditBodies(sequences: readonly number[]): Promise<ReadonlyMap<number, string>>;
  /** Ordered by user_id, those after one; `PAGE_ROWS` at most. */
  userPage(after: string): Promise<readonly Row[]>;
  hasUser(userId: string): Promise<boolean>;
  /** By number. */
  changes(): Promise<readonly Row[]>;
}
