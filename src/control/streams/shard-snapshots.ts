import type { Positions, StoredSnapshot } from '../accounts/ports.ts';
import type { EventLog, LogEntry, Topic } from './event-log.ts';
import { joined, piecesOf } from './journal-codec.ts';

/** Below the largest message that a broker takes unless told otherwise (NATS: 1 MB). */
export const PIECE_BYTES = 512 * 1024;
const PAGE = 64;

interface Head {
  readonly upTo: number;
  readonly positions: Positions;
}

/** A whole snapshot in its topic. */
export interface KeptSnapshot extends Head {
  /** Sequence of its first entry. */
  readonly first: number;
  readonly parts: number;
}

/**
 * Snapshots of a shard in its topic, for whoever has no folder of it: a head, and the chunks in pieces, one entry each, in a row.
 * Each entry says which part of how many it is, so that what a crash has left half is seen by its last entry.
 */
export class ShardSnapshots {
  readonly #log: EventLog;
  readonly #topic: Topic;

  constructor(log: EventLog, partition: number) {
    this.#log = log;
    this.#topic = `snapshots.${partition}`;
  }

  /** The newest whole one; null before the first. */
  async newest(): Promise<KeptSnapshot | null> {
    const { first: oldest, last } = await this.#log.extent(this.#topic);
    for (let end = last; end >= oldest; ) {
      const [entry] = await this.#log.read(this.#topic, end - 1, 1);
      const { part, parts } = partOf(entry);
      const first = end - part;
      if (part === parts - 1 && first >= oldest) {
        const [head] = await this.#log.read(this.#topic, first - 1, 1);
        return { first, parts, ...(JSON.parse(new TextDecoder().decode(head.body)) as Head) };
      }
      end = first - 1;
    }
    return null;
  }

  async load({ first, parts, upTo, positions }: KeptSnapshot): Promise<StoredSnapshot> {
    const chunks: Uint8Array[] = [];
    let pieces: Uint8Array[] = [];
    const last = first + parts - 1;
    for (let at = first; at < last; ) {
      const entries = await this.#log.read(this.#topic, at, Math.min(PAGE, last - at));
      for (const { body, headers } of entries) {
        pieces.push(body);
        if (headers.ends !== 'chunk') continue;
        chunks.push(joined(pieces));
        pieces = [];
      }
      at += entries.length;
    }
    return { upTo, positions, chunks };
  }

  /** @param expected the newest sequence of the topic, the fence. */
  async save({ upTo, chunks, positions = {} }: StoredSnapshot, expected: number): Promise<KeptSnapshot> {
    const head: Head = { upTo, positions };
    const bodies: { readonly body: Uint8Array; readonly endsChunk: boolean }[] = [
      { body: new TextEncoder().encode(JSON.stringify(head)), endsChunk: false },
    ];
    for (const chunk of chunks) {
      const pieces = piecesOf(chunk, PIECE_BYTES);
      bodies.push(...pieces.map((body, i) => ({ body, endsChunk: i === pieces.length - 1 })));
    }
    let newest = expected;
    for (const [part, { body, endsChunk }] of bodies.entries()) {
      const headers = {
        part: String(part),
        parts: String(bodies.length),
        ...(endsChunk ? { ends: 'chunk' } : {}),
      };
      newest = await this.#log.append(this.#topic, body, { expected: newest, headers });
    }
    return { first: expected + 1, parts: bodies.length, ...head };
  }
}

function partOf({ headers }: LogEntry): { readonly part: number; readonly parts: number } {
  return { part: Number(headers.part), parts: Number(headers.parts) };
}
