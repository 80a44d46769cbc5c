import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Clock } from '../../clock.ts';
import { isWriteScope, type Scope } from '../../control/ports.ts';
import { asPlimsollError, type PlimsollError } from '../../errors.ts';
import type { Keyring } from '../auth.ts';
import { authorizationOf } from '../exchange/venue.ts';
import { venueOf } from '../exchange/venues.ts';
import { type Caller, requireScope } from './caller.ts';
import { Identities } from './identities.ts';
import { type Charge, FREE, limitersOf, type RateLimits, senderOf } from './rate-limits.ts';
import { refuseAccess } from './refusal.ts';
import { type Claim, claimOf, nonceOf, SignatureCheck, signedText } from './signatures.ts';

/** What anyone may ask: whether the process runs, and whether it can answer. It names no market and no limit. */
const OPEN_PATHS: ReadonlySet<string> = new Set(['/livez', '/readyz']);

/** What is still to be shown before a sender is believed. */
type Pending =
  | { readonly kind: 'token'; readonly token: string }
  | { readonly kind: 'signature'; readonly claim: Claim; readonly secret: Uint8Array };

/** What is known of whoever sent a request. */
export interface Admission {
  /** Null where nobody need be known, and until one is. */
  caller: Caller | null;
  /** Why it goes no further; null for one that may. */
  refusal: PlimsollError | null;
  /** What is told of rate limits: names and values in turns. */
  headers: readonly string[];
  pending: Pending | null;
  /** Its signature is right. */
  isSigned: boolean;
  /** What must not come again, also to another process, and until when; null where nothing was signed. */
  nonce?: { readonly text: string; readonly until: number } | null;
}

/** A request with what the gate knows of its sender. */
export interface Arrived extends IncomingMessage {
  admission?: Admission | undefined;
}

/** What the gate knows of the sender of a request. */
export function admissionOf(request: Arrived): Admission {
  if (request.admission === undefined) throw new Error('a request came past the gate');
  return request.admission;
}

export interface GateOptions {
  readonly keyring: Keyring;
  readonly limits: RateLimits;
  readonly clock: Clock;
  /** Seconds of a clock that never goes back. */
  readonly seconds: () => number;
  /** Null where people have no tokens. */
  readonly identities?: Identities | null | undefined;
}

const EMPTY = new Uint8Array();

/** Tells who asks, and lets in whom the scope of a route is given. */
export class Gate {
  readonly #options: GateOptions;
  readonly #limiters: ReturnType<typeof limitersOf>;
  readonly #signatures: SignatureCheck;

  constructor(options: GateOptions) {
    this.#options = options;
    this.#limiters = limitersOf(options.limits);
    this.#signatures = new SignatureCheck(options.clock.now());
  }

  /** @param path with or without a query. */
  arrive(request: Arrived, path: string): Admission {
    const admission = this.#admitted(request, path);
    request.admission = admission;
    const isWithoutBody = request.method === 'GET' || request.method === 'HEAD';
    if (admission.pending?.kind === 'signature' && isWithoutBody) this.#settleSignature(request, EMPTY);
    return admission;
  }

  /**
   * Whether a read may go out before Express. A refusal is told there, with everything that belongs to it.
   *
   * @param namesUsers keys of some users only are held against what a request names, which is done there too.
   */
  maySkip({ caller, refusal, pending }: Admission, scope: Scope, namesUsers = false): boolean {
    if (refusal !== null || pending !== null) return false;
    if (caller === null) return this.#options.keyring.areReadsOpen;
    return caller.scopes.has(scope) && !(namesUsers && caller.subjects !== null);
  }

  /** Asks about a token, where there is one. @throws PlimsollError where the sender goes no further. */
  async settleToken(request: Arrived, response: ServerResponse | null): Promise<void> {
    const admission = admissionOf(request);
    const { pending } = admission;
    if (pending?.kind === 'token') {
      admission.pending = null;
      try {
        const caller = (await this.#options.identities?.callerOf(pending.token)) ?? null;
        Object.assign(admission, { caller, ...this.#charged(caller, request) });
      } catch (thrown) {
        this.#refuse(admission, request, thrown);
      }
    }
    tellRates(response, admission);
    if (admission.refusal !== null) throw admission.refusal;
  }

  /** Holds the signature, where one was promised, against the body. @throws PlimsollError where it is not right. */
  settleBody(request: Arrived, response: ServerResponse, body: Uint8Array = EMPTY): void {
    const admission = admissionOf(request);
    if (admission.pending?.kind === 'signature') {
      this.#settleSignature(request, body);
      tellRates(response, admission);
    }
    if (admission.refusal !== null) throw admission.refusal;
  }

  /**
   * Whoever goes on to something that needs a scope; null where nobody need be known.
   *
   * @param isJudgedByRules the role is for others to judge; a list of scopes that a key was given binds all the same.
   * @throws PlimsollError UNAUTHENTICATED, FORBIDDEN, KEY_EXPIRED, SIGNATURE_NEEDED.
   */
  enter(request: Arrived, scope: Scope | 'open', isJudgedByRules = false): Caller | null {
    if (scope === 'open') return null;
    const admission = admissionOf(request);
    if (admission.refusal !== null) throw admission.refusal;
    const { keyring } = this.#options;
    if (admission.caller === null && keyring.areReadsOpen && !isWriteScope(scope)) return null;
    admission.caller ??= keyring.callerOf(request.headers.authorization);
    const { caller, isSigned, pending } = admission;
    if (!isJudgedByRules || caller.isNarrowed) requireScope(caller, scope);
    if (caller.mustSign && isWriteScope(scope) && !isSigned && pending === null)
      throw refuseAccess(
        'signature_missing',
        'SIGNATURE_NEEDED',
        'what this key changes must be signed',
        'Send plimsoll-key, plimsoll-timestamp, plimsoll-nonce and plimsoll-signature; see docs/security.md.',
      );
    return caller;
  }

  /** Whether whoever opened a stream may go on reading it: keys are revoked, tokens end, and a first run is over some time. */
  mayStay(caller: Caller | null): boolean {
    const { keyring, clock } = this.#options;
    if (caller === null) return keyring.areReadsOpen;
    const { key, tokenEndsAt } = caller;
    return tokenEndsAt === null ? keyring.isKnown(key) : clock.now() < tokenEndsAt;
  }

  #admitted(request: IncomingMessage, path: string): Admission {
    // Whoever watches the process must get an answer whatever else comes from there.
    if (OPEN_PATHS.has(path.split('?', 1)[0])) return admission();
    const { keyring, identities = null, clock } = this.#options;
    if (keyring.areReadsOpen) return admission(this.#charge('firstRun', request));
    try {
      const claim = claimOf(request.headers);
      if (claim !== null) {
        const { caller, secret } = keyring.signerOf(claim.keyId);
        this.#signatures.requireTime(claim, clock.now());
        return { ...admission(), caller, pending: { kind: 'signature', claim, secret } };
      }
      const authorization = authorizationOf(request.headers, venueOf(path));
      const token = identities === null ? null : Identities.tokenOf(authorization);
      const known = token === null ? null : (identities?.known(token) ?? null);
      if (token !== null && known === null) return { ...admission(), pending: { kind: 'token', token } };
      const caller = known ?? keyring.callerOf(authorization);
      return { ...admission(this.#charged(caller, request)), caller };
    } catch (thrown) {
      const refused = admission();
      this.#refuse(refused, request, thrown);
      return refused;
    }
  }

  #settleSignature(request: Arrived, body: Uint8Array): void {
    const admission = admissionOf(request);
    const { pending, caller } = admission;
    if (pending?.kind !== 'signature') return;
    const { claim, secret } = pending;
    admission.pending = null;
    try {
      const text = signedText(request.method ?? 'GET', addressOf(request), claim, body);
      this.#signatures.requireSignature(secret, claim, text, this.#options.clock.now());
      Object.assign(admission, { isSigned: true, nonce: nonceOf(claim), ...this.#charged(caller, request) });
    } catch (thrown) {
      admission.caller = null;
      this.#refuse(admission, request, thrown);
    }
  }

  /** Of a sender that is not known, the address pays: keys are not to be tried without end. */
  #refuse(admission: Admission, request: IncomingMessage, thrown: unknown): void {
    const { refusal, headers } = this.#charge('address', request);
    admission.refusal = refusal ?? asPlimsollError(thrown);
    admission.headers = headers;
  }

  #charged(caller: Caller | null, request: IncomingMessage): Charge {
    return caller === null ? FREE : this.#charge(caller.role, request, caller.key);
  }

  /** @param sender the address, without one. */
  #charge(kind: keyof RateLimits, { socket }: IncomingMessage, sender?: string): Charge {
    const limiter = this.#limiters[kind];
    return limiter === null
      ? FREE
      : limiter.charge(sender ?? senderOf(socket.remoteAddress), this.#options.seconds());
  }
}

function admission({ refusal, headers }: Charge = FREE): Admission {
  return { caller: null, refusal, headers, pending: null, isSigned: false };
}

function tellRates(response: ServerResponse | null, { headers }: Admission): void {
  for (let i = 0; i < headers.length; i += 2) response?.setHeader(headers[i], headers[i + 1]);
}

/** As it was sent: Express changes the one of a router that is mounted. */
function addressOf({ url, originalUrl }: IncomingMessage & { readonly originalUrl?: string }): string {
  return originalUrl ?? url ?? '/';
}
