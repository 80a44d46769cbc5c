import type { Intervention } from '../../accounts/interventions/intervention.ts';

/** What changed the account book, as its journal wrote it, and what that caused. */
export interface AccountBatch {
  readonly body: Uint8Array;
  readonly interventions: readonly Intervention[];
  /** How far streams have been taken in with it; those that are not named stay where they were. */
  readonly positions?: Positions;
}

/** Sequences by what is counted: events of a stream that have had their effect, of a journal that were taken over. */
export type Positions = Readonly<Record<string, number>>;

export interface StoredBatch {
  /** 1, 2, 3, … without gaps. */
  readonly sequence: number;
  readonly body: Uint8Array;
}

export interface StoredSnapshot {
  /** Of the newest batch that is in it. */
  readonly upTo: number;
  readonly chunks: Iterable<Uint8Array>;
  /** Of a snapshot from elsewhere: takes the place of what is stored. `interventions` is the number of the newest one. */
  readonly positions?: Positions;
}

export interface InterventionFilter {
  readonly accountId?: string | undefined;
  readonly userId?: string | undefined;
  readonly kind?: string | undefined;
}

/** What the accounts ask of a store. Adapters: `data/sqlite-account-store.ts`, and before it `src/control/streams/shard-store.ts`. */
export interface AccountStore {
  /**
   * Makes batches durable together with the interventions they caused, in one transaction; returns only once all would
   * survive a crash.
   *
   * @returns sequence of the last batch.
   */
  append(batches: readonly AccountBatch[]): Promise<number>;
  /** How far streams were taken in, with all that is durable. */
  positions(): Positions;
  /** In their order, those after a sequence. */
  batchesAfter(sequence: number): Iterable<StoredBatch>;
  /** Puts a snapshot in the place of the one before, and forgets the batches that are in it. */
  saveSnapshot(snapshot: StoredSnapshot): Promise<void>;
  /** The newest whole snapshot; null before the first. */
  snapshot(): StoredSnapshot | null;
  /** Sequence of the newest intervention, kept here or not; 0 before the first. */
  lastIntervention(): number;
  /** In their order, those after a sequence. */
  interventionsAfter(sequence: number, limit: number, filter?: InterventionFilter): readonly Intervention[];
  close(): void;
}
