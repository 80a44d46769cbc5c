import type { Intervention } from '../../accounts/interventions/intervention.ts';

/** What changed the account book, as its journal wrote it, and what that caused. */
export interface AccountBatch {
  readonly body: Uint8Array;
  readonly interventions: readonly Intervention[];
}

export interface StoredBatch {
  /** 1, 2, 3, … without gaps. */
  readonly sequence: number;
  readonly body: Uint8Array;
}

export interface StoredSnapshot {
  /** Of the newest batch that is in it. */
  readonly upTo: number;
  readonly chunks: Iterable<Uint8Array>;
}

export interface InterventionFilter {
  readonly accountId?: string | undefined;
  readonly userId?: string | undefined;
  readonly kind?: string | undefined;
}

/** What the accounts ask of a store. Adapters: `data/sqlite-account-store.ts`. */
export interface AccountStore {
  /**
   * Makes batches durable together with the interventions they caused, in one transaction; returns only once all would
   * survive a crash.
   *
   * @returns sequence of the last batch.
   */
  append(batches: readonly AccountBatch[]): Promise<number>;
  /** In their order, those after a sequence. */
  batchesAfter(sequence: number): Iterable<StoredBatch>;
  /** Puts a snapshot in the place of the one before, and forgets the batches that are in it. */
  saveSnapshot(snapshot: StoredSnapshot): Promise<void>;
  /** The newest whole snapshot; null before the first. */
  snapshot(): StoredSnapshot | null;
  /** Sequence of the newest intervention; 0 before the first. */
  lastIntervention(): number;
  /** In their order, those after a sequence. */
  interventionsAfter(sequence: number, limit: number, filter?: InterventionFilter): readonly Intervention[];
  close(): void;
}
