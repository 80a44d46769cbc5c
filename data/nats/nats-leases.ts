import type { KV, KvEntry } from '@nats-io/kv';
import type { Lease, Leases } from '../../src/control/ports.ts';
import type { NatsWay } from './connection.ts';
import { JETSTREAM_ERRORS, jetStreamCode } from './failures.ts';

/** Entries of a bucket that the server forgets when they are not written again: no clock of a client counts. */
export class NatsLeases implements Leases {
  readonly milliseconds: number;
  readonly #way: NatsWay;
  readonly #bucket: KV;

  constructor(way: NatsWay, bucket: KV, milliseconds: number) {
    this.milliseconds = milliseconds;
    this.#way = way;
    this.#bucket = bucket;
  }

  holder(name: string) {
    return this.#way.on(async () => {
      const entry = await this.#bucket.get(name);
      return isHeld(entry) ? { holder: entry.string(), beat: entry.revision } : null;
    });
  }

  take(name: string, holder: string): Promise<Lease | null> {
    return this.#way.on(async () => {
      try {
        const revision = await this.#bucket.create(name, holder);
        return this.#leaseOf(name, holder, revision);
      } catch (thrown) {
        if (isOthers(thrown)) return null;
        throw thrown;
      }
    });
  }

  #leaseOf(name: string, holder: string, taken: number): Lease {
    let revision = taken;
    return {
      renew: () =>
        this.#way.on(async () => {
          try {
            revision = await this.#bucket.update(name, holder, revision);
            return true;
          } catch (thrown) {
            if (!isOthers(thrown)) throw thrown;
            // An update whose answer was lost has counted all the same.
            const entry = await this.#bucket.get(name);
            if (!isHeld(entry) || entry.string() !== holder) return false;
            // The lease counts from when it was said: that one was earlier.
            revision = await this.#bucket.update(name, holder, entry.revision);
            return true;
          }
        }),
      release: () =>
        this.#way.on(async () => {
          try {
            await this.#bucket.delete(name, { previousSeq: revision });
          } catch (thrown) {
            if (!isOthers(thrown)) throw thrown;
          }
        }),
    };
  }
}

function isHeld(entry: KvEntry | null): entry is KvEntry {
  return entry !== null && entry.operation === 'PUT';
}

function isOthers(thrown: unknown): boolean {
  return jetStreamCode(thrown) === JETSTREAM_ERRORS.wrongLastSequence;
}
