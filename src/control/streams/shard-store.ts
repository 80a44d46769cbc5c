import { asPlimsollError, type PlimsollError } from '../../errors.ts';
import type {
  AccountBatch,
  AccountStore,
  Intervention,
  InterventionFilter,
  Positions,
  StoredBatch,
  StoredSnapshot,
} from '../ports.ts';
import type { EventLog, LogEntry, Topic } from './event-log.ts';
import { streamLost } from './failures.ts';
import { decodeBatch, encodeBatch, joined, piecesOf } from './journal-codec.ts';
import { type KeptSnapshot, PIECE_BYTES, ShardSnapshots } from './shard-snapshots.ts';

const PAGE = 256;

export interface ShardClaim {
  readonly log: EventLog;
  readonly partition: number;
  /** Of this process, for whoever reads the journal. */
  readonly worker: string;
  /** What this process has of the shard, however old. */
  readonly local: AccountStore;
  /** Told once when nothing more can be written under this claim. */
  readonly onBroken: (error: PlimsollError) => void;
}

/**
 * The accounts of a shard, in the shard's journal first and in a store of this process behind it. The journal is where a
 * batch counts: it is appended under the fence of its newest sequence, together with how far the streams were taken in. Whoever
 * claims the shard later writes into the journal too, and so ends the claims before: nothing of them can be appended any more.
 */
export class ShardStore implements AccountStore {
  readonly #options: ShardClaim;
  readonly #local: AccountStore;
  readonly #topic: Topic;
  readonly #snapshots: ShardSnapshots;
  #newest: number;
  #newestOfSnapshots: number;
  #lastBatch: number;
  #kept: KeptSnapshot | null;
  #broken: PlimsollError | null = null;

  private constructor(
    options: ShardClaim,
    snapshots: ShardSnapshots,
    newest: number,
    newestOfSnapshots: number,
    lastBatch: number,
    kept: KeptSnapshot | null,
  ) {
    this.#options = options;
    this.#local = options.local;
    this.#topic = `journal.${options.partition}`;
    this.#snapshots = snapshots;
    this.#newest = newest;
    this.#newestOfSnapshots = newestOfSnapshots;
    this.#lastBatch = lastBatch;
    this.#kept = kept;
  }

  /**
   * Ends the claims before, and brings the store of this process to where the journal is.
   *
   * @throws PlimsollError SHARD_LOST where somebody else claims it at this moment, STREAM_LOST where the journal does not go on from what is known.
   */
  static async claim(options: ShardClaim): Promise<ShardStore> {
    const { log, partition, worker, local } = options;
    const topic: Topic = `journal.${partition}`;
    const { last } = await log.extent(topic);
    if ((local.positions().journal ?? 0) > last)
      throw streamLost(
        `${topic} ends at ${last}, and this process has taken it over up to ${local.positions().journal}`,
      );
    const newest = await log.append(topic, new TextEncoder().encode(JSON.stringify({ worker })), {
      expected: last,
      headers: { kind: 'claim' },
    });
    const snapshots = new ShardSnapshots(log, partition);
    const kept = await snapshots.newest();
    const lastBatch = await catchUp(options, snapshots, kept, newest);
    const { last: newestOfSnapshots } = await log.extent(`snapshots.${partition}`);
    return new ShardStore(options, snapshots, newest, newestOfSnapshots, lastBatch, kept);
  }

  async append(batches: readonly AccountBatch[]): Promise<number> {
    if (this.#broken !== null) throw this.#broken;
    try {
      for (const { positions = {}, ...given } of batches) {
        const batch = { ...given, positions, batch: this.#lastBatch + 1 };
        await this.#write(encodeBatch(batch));
        this.#lastBatch = batch.batch;
        await this.#local.append([{ ...given, positions: { ...positions, journal: this.#newest } }]);
      }
    } catch (thrown) {
      throw this.#break(thrown);
    }
    return this.#lastBatch;
  }

  positions(): Positions {
    return this.#local.positions();
  }

  batchesAfter(sequence: number): Iterable<StoredBatch> {
    return this.#local.batchesAfter(sequence);
  }

  /** Here first, then for whoever takes the shard over. What the snapshot before it covers is forgotten. */
  async saveSnapshot({ upTo, chunks }: StoredSnapshot): Promise<void> {
    const positions = {
      ...this.#local.positions(),
      journal: this.#newest,
      interventions: this.#local.lastIntervention(),
    };
    await this.#local.saveSnapshot({ upTo, chunks });
    if (this.#broken !== null) throw this.#broken;
    const whole = this.#local.snapshot();
    if (whole === null) return;
    try {
      const before = this.#kept;
      const kept = await this.#snapshots.save(
        { upTo, chunks: whole.chunks, positions },
        this.#newestOfSnapshots,
      );
      this.#newestOfSnapshots = kept.first + kept.parts - 1;
      this.#kept = kept;
      if (before !== null) await this.#forget(before);
    } catch (thrown) {
      throw this.#break(thrown);
    }
  }

  snapshot(): StoredSnapshot | null {
    return this.#local.snapshot();
  }

  lastIntervention(): number {
    return this.#local.lastIntervention();
  }

  interventionsAfter(sequence: number, limit: number, filter?: InterventionFilter): readonly Intervention[] {
    return this.#local.interventionsAfter(sequence, limit, filter);
  }

  /** The store of this process stays open: it is its owner's. */
  close(): void {}

  async #write(bytes: Uint8Array): Promise<void> {
    const pieces = piecesOf(bytes, PIECE_BYTES);
    for (const [part, piece] of pieces.entries()) {
      const headers = { kind: 'batch', part: String(part), parts: String(pieces.length) };
      this.#newest = await this.#options.log.append(this.#topic, piece, { expected: this.#newest, headers });
    }
  }

  async #forget({ first, positions }: KeptSnapshot): Promise<void> {
    const { log, partition } = this.#options;
    await log.forget(`snapshots.${partition}`, first - 1);
    await log.forget(this.#topic, positions.journal ?? 0);
    await log.forget(`accounts.${partition}`, positions.accounts ?? 0);
  }

  /** After a failure nobody knows what the journal has: only another claim finds out. */
  #break(thrown: unknown): PlimsollError {
    const error = asPlimsollError(thrown);
    if (this.#broken === null) {
      this.#broken = error;
      this.#options.onBroken(error);
    }
    return error;
  }
}

/** @returns the number of the last batch. */
async function catchUp(
  { log, partition, local }: ShardClaim,
  snapshots: ShardSnapshots,
  kept: KeptSnapshot | null,
  upTo: number,
): Promise<number> {
  const topic: Topic = `journal.${partition}`;
  const { first } = await log.extent(topic);
  let at = local.positions().journal ?? 0;
  if (at + 1 < first) {
    if (kept === null || (kept.positions.journal ?? 0) + 1 < first)
      throw streamLost(`${topic} begins at ${first}, and no snapshot goes up to there`);
    await local.saveSnapshot(await snapshots.load(kept));
    at = kept.positions.journal ?? 0;
  }
  let lastBatch = lastBatchOf(local);
  let parts: Uint8Array[] = [];
  while (at < upTo) {
    const entries = await log.read(topic, at, PAGE);
    if (entries.length === 0) throw streamLost(`${topic} ends before ${upTo}`);
    for (const entry of entries) {
      parts = partsWith(parts, entry);
      if (parts.length === Number(entry.headers.parts ?? Number.NaN)) {
        const { batch, positions, ...rest } = decodeBatch(joined(parts));
        if (batch !== lastBatch + 1) throw streamLost(`${topic}: batch ${lastBatch + 1} is missing`);
        lastBatch = await local.append([{ ...rest, positions: { ...positions, journal: entry.sequence } }]);
      }
    }
    at = entries[entries.length - 1].sequence;
  }
  return lastBatch;
}

/** What a writer has left half is given up where another begins. */
function partsWith(parts: readonly Uint8Array[], { headers, body }: LogEntry): Uint8Array[] {
  if (headers.kind !== 'batch') return [];
  return headers.part === '0' ? [body] : [...parts, body];
}

function lastBatchOf(store: AccountStore): number {
  let last = store.snapshot()?.upTo ?? 0;
  for (const { sequence } of store.batchesAfter(last)) last = sequence;
  return last;
}
