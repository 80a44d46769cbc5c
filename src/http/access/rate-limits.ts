import type { Role } from '../../control/ports.ts';
import type { PlimsollError } from '../../errors.ts';
import { refuseAccess } from './refusal.ts';

/** Requests a second; 0 for no limit. */
export interface RateLimits extends Readonly<Record<Role, number>> {
  /** From one address, of requests whose sender is not known. */
  readonly address: number;
  /** From one address, while reads are open. */
  readonly firstRun: number;
}

export const UNLIMITED: RateLimits = {
  ...{ reader: 0, exchange: 0, 'data-scientist': 0, operator: 0, approver: 0 },
  ...{ address: 0, firstRun: 0 },
};

/** A bucket holds so many seconds of its rate: what may come at once. */
const BURST_SECONDS = 2;
/** Beyond, the bucket that was made first goes: a flood of addresses must not fill the memory. */
const MOST_BUCKETS = 20_000;

interface Bucket {
  tokens: number;
  seconds: number;
}

/** What a request cost, and what is told of it. */
export interface Charge {
  /** Names and values in turns. */
  readonly headers: readonly string[];
  /** Null while there is room. */
  readonly refusal: PlimsollError | null;
}

export const FREE: Charge = { headers: [], refusal: null };

/** Token buckets of one kind of sender, with the headers of the IETF draft (draft-ietf-httpapi-ratelimit-headers, version 10). */
export class RateLimiter {
  readonly #name: string;
  readonly #perSecond: number;
  readonly #capacity: number;
  readonly #policy: string;
  readonly #buckets = new Map<string, Bucket>();

  /** @param name of the policy, in the headers. @param perSecond above 0. */
  constructor(name: string, perSecond: number) {
    this.#name = name;
    this.#perSecond = perSecond;
    this.#capacity = Math.max(1, perSecond * BURST_SECONDS);
    this.#policy = `"${name}";q=${Math.floor(this.#capacity)};w=${BURST_SECONDS}`;
  }

  get buckets(): number {
    return this.#buckets.size;
  }

  /** @param seconds of a clock that never goes back. */
  charge(sender: string, seconds: number): Charge {
    let bucket = this.#buckets.get(sender);
    if (bucket === undefined) {
      if (this.#buckets.size >= MOST_BUCKETS)
        this.#buckets.delete(this.#buckets.keys().next().value as string);
      bucket = { tokens: this.#capacity, seconds };
      this.#buckets.set(sender, bucket);
    }
    const gained = Math.max(0, seconds - bucket.seconds) * this.#perSecond;
    bucket.tokens = Math.min(this.#capacity, bucket.tokens + gained);
    bucket.seconds = seconds;
    const isRoom = bucket.tokens >= 1;
    if (isRoom) bucket.tokens--;
    const untilFull = Math.ceil((this.#capacity - bucket.tokens) / this.#perSecond);
    const left = `"${this.#name}";r=${Math.floor(bucket.tokens)};t=${untilFull}`;
    const headers = ['ratelimit-policy', this.#policy, 'ratelimit', left];
    if (isRoom) return { headers, refusal: null };
    const retrySeconds = Math.max(1, Math.ceil((1 - bucket.tokens) / this.#perSecond));
    return { headers: [...headers, 'retry-after', String(retrySeconds)], refusal: this.#refusal() };
  }

  #refusal(): PlimsollError {
    return refuseAccess(
      'rate',
      'RATE_LIMITED',
      `more than ${this.#perSecond} requests a second have come`,
      'Come again after Retry-After seconds; the header RateLimit says how many are left.',
    );
  }
}

/** The limiter of each kind of sender; null where there is no limit. */
export function limitersOf(limits: RateLimits): Readonly<Record<keyof RateLimits, RateLimiter | null>> {
  const entries = Object.entries(limits).map(([name, perSecond]) => [
    name,
    perSecond > 0 ? new RateLimiter(name, perSecond) : null,
  ]);
  return Object.fromEntries(entries);
}

/** Whoever has a network of IPv6 has all of its addresses: its first 64 bits count. */
export function senderOf(address: string | undefined): string {
  if (address === undefined) return 'unknown';
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/.exec(address)?.[1];
  if (mapped !== undefined) return mapped;
  if (!address.includes(':')) return address;
  const [head, tail] = address.split('%', 1)[0].split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - left.length - right.length);
  return [...left, ...Array<string>(zeros).fill('0'), ...right].slice(0, 4).join(':');
}
