import { createHmac, hash, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { refuse } from '../problem.ts';
import { refuseAccess } from './refusal.ts';

/** What a signed request says of itself. */
export interface Claim {
  /** What everybody may know of a key. */
  readonly keyId: string;
  /** Epoch milliseconds. */
  readonly timestamp: number;
  readonly nonce: string;
  readonly signature: Buffer;
}

const WINDOW_MILLISECONDS = 30_000;
/** Clocks differ. What is signed further ahead could be sent again after a restart, when nonces are forgotten. */
const AHEAD_MILLISECONDS = 5_000;
/** Of all keys within the window: some 8,000 signed requests a second. */
const MOST_NONCES = 500_000;

/**
 * The claim of a request that names a key by its id; null for one that does not.
 *
 * @throws PlimsollError SIGNATURE_INVALID where a header is missing or not of its form.
 */
export function claimOf(headers: IncomingHttpHeaders): Claim | null {
  const keyId = headers['plimsoll-key'];
  if (keyId === undefined) return null;
  const { 'plimsoll-timestamp': time, 'plimsoll-nonce': nonce, 'plimsoll-signature': signature } = headers;
  if (
    typeof keyId !== 'string' ||
    !/^[0-9a-f]{16}$/.test(keyId) ||
    typeof time !== 'string' ||
    !/^\d{13}$/.test(time) ||
    typeof nonce !== 'string' ||
    !/^[\w-]{16,64}$/.test(nonce) ||
    typeof signature !== 'string' ||
    !/^[0-9a-f]{64}$/.test(signature)
  )
    throw refuseAccess(
      'signature',
      'SIGNATURE_INVALID',
      'a header of the signature is missing or not of its form',
      'Send plimsoll-key (16 hex digits), plimsoll-timestamp (milliseconds), plimsoll-nonce (16 to 64 letters, digits, dashes) and plimsoll-signature (64 hex digits).',
    );
  return { keyId, timestamp: Number(time), nonce, signature: Buffer.from(signature, 'hex') };
}

/** What a claim may be made with once, and until when it would be in time. */
export function nonceOf({ keyId, nonce, timestamp }: Claim): {
  readonly text: string;
  readonly until: number;
} {
  return { text: `${keyId} ${nonce}`, until: timestamp + WINDOW_MILLISECONDS };
}

export function replayed(): Error {
  return refuseAccess(
    'nonce',
    'NONCE_REPLAYED',
    'this request came before',
    'Take a new nonce for each request; an Idempotency-Key makes two of them the same write.',
  );
}

/** What is signed, a line each; the same on both sides. */
export function signedText(
  method: string,
  address: string,
  claim: Pick<Claim, 'timestamp' | 'nonce'>,
  body: Uint8Array,
) {
  return [method, address, claim.timestamp, claim.nonce, hash('sha256', body, 'hex')].join('\n');
}

export function signatureOf(secret: Uint8Array, text: string): Buffer {
  return createHmac('sha256', secret).update(text).digest();
}

/** Holds signed requests against their time, their signature, and those that came before. */
export class SignatureCheck {
  readonly #startedAt: number;
  /** Until when each nonce is remembered, in the order in which they came. */
  readonly #nonces = new Map<string, number>();

  /** @param startedAt nonces from before are not known, so what was signed before is refused. Epoch milliseconds. */
  constructor(startedAt: number) {
    this.#startedAt = startedAt;
  }

  get nonces(): number {
    return this.#nonces.size;
  }

  /** @throws PlimsollError TIMESTAMP_OUT_OF_WINDOW. */
  requireTime({ timestamp }: Claim, now: number): void {
    const isInWindow = timestamp > now - WINDOW_MILLISECONDS && timestamp <= now + AHEAD_MILLISECONDS;
    if (isInWindow && timestamp >= this.#startedAt + AHEAD_MILLISECONDS) return;
    throw refuseAccess(
      'timestamp',
      'TIMESTAMP_OUT_OF_WINDOW',
      'the request was signed too long ago, ahead of our time, or before this service started',
      'Set the clock, and sign each request when it is sent; within five seconds of a start, sign it again.',
    );
  }

  /**
   * The nonce is remembered only of a request whose signature is right: nobody else can use one up.
   *
   * @throws PlimsollError SIGNATURE_INVALID, NONCE_REPLAYED, OVERLOADED.
   */
  requireSignature(secret: Uint8Array, claim: Claim, text: string, now: number): void {
    if (!timingSafeEqual(signatureOf(secret, text), claim.signature))
      throw refuseAccess(
        'signature',
        'SIGNATURE_INVALID',
        'the signature is not that of this request',
        'Sign method, address with query, timestamp, nonce and the SHA-256 of the body, a line each; see docs/security.md.',
      );
    const { text: nonce, until } = nonceOf(claim);
    this.#remember(nonce, until, now);
  }

  #remember(nonce: string, until: number, now: number): void {
    for (const [old, end] of this.#nonces) {
      // They came in another order than they end in by a few seconds at most; what stays a little longer does no harm.
      if (end > now) break;
      this.#nonces.delete(old);
    }
    if (this.#nonces.has(nonce)) throw replayed();
    if (this.#nonces.size >= MOST_NONCES)
      throw refuse('OVERLOADED', 'too many signed requests at once', 'Come again later.');
    this.#nonces.set(nonce, until);
  }
}
