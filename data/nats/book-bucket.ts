import { type KV, Kvm } from '@nats-io/kv';
import type { NatsWay } from './connection.ts';
import { JETSTREAM_ERRORS, jetStreamCode } from './failures.ts';

/** A book as a bucket has it: texts of JSON, each with the version of the book. */
export interface BucketBook {
  readonly version: number;
  readonly head: string;
  readonly markets: readonly { readonly symbol: string; readonly text: string }[];
}

const HEAD = 'book';
const AT_ONCE = 64;

/**
 * The limit book in JetStream KV, for whoever lives on NATS: a key for each market, and `book` for the head, which is written
 * last. No key goes back to an older version, whoever writes: each is replaced at the revision that was read. So a reader whose
 * markets all say the version of the head has that book, whole.
 */
export class BookBucket {
  readonly #way: NatsWay;
  readonly #bucket: KV;

  private constructor(way: NatsWay, bucket: KV) {
    this.#way = way;
    this.#bucket = bucket;
  }

  static open(way: NatsWay, prefix: string, replicas: number): Promise<BookBucket> {
    return way.on(async () => {
      const options = { replicas, history: 1, allow_direct: false };
      return new BookBucket(way, await new Kvm(way.client).create(`${prefix}_limits`, options));
    });
  }

  /** @returns false where the bucket has this book, or a later one, already. */
  async publish({ version, head, markets }: BucketBook): Promise<boolean> {
    if (!(await this.#isOlder(HEAD, version))) return false;
    for (let from = 0; from < markets.length; from += AT_ONCE) {
      const some = markets.slice(from, from + AT_ONCE);
      await Promise.all(some.map(({ symbol, text }) => this.#put(`market.${symbol}`, version, text)));
    }
    return this.#put(HEAD, version, head);
  }

  async #isOlder(key: string, version: number): Promise<boolean> {
    const entry = await this.#way.on(() => this.#bucket.get(key));
    return entry === null || versionOf(entry.string()) < version;
  }

  /** @returns false where the key has this version, or a later one. */
  #put(key: string, version: number, text: string): Promise<boolean> {
    return this.#way.on(async () => {
      for (;;) {
        const entry = await this.#bucket.get(key);
        if (entry !== null && versionOf(entry.string()) >= version) return false;
        try {
          if (entry === null) await this.#bucket.create(key, text);
          else await this.#bucket.update(key, text, entry.revision);
          return true;
        } catch (thrown) {
          // Somebody else has written it in between: look again at what is there.
          if (jetStreamCode(thrown) !== JETSTREAM_ERRORS.wrongLastSequence) throw thrown;
        }
      }
    });
  }
}

function versionOf(text: string): number {
  return text === '' ? 0 : (JSON.parse(text) as { version: number }).version;
}
