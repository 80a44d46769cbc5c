import type { IncomingMessage } from 'node:http';
import { isWriteScope, type Scope } from '../../control/ports.ts';
import { asPlimsollError, type PlimsollError } from '../../errors.ts';
import type { Keyring } from '../auth.ts';
import { authorizationOf } from '../exchange/venue.ts';
import { venueOf } from '../exchange/venues.ts';
import { type Caller, requireScope } from './caller.ts';
import { type Charge, FREE, limitersOf, type RateLimits, senderOf } from './rate-limits.ts';

/** What anyone may ask: whether the process runs, and whether it can answer. It names no market and no limit. */
const OPEN_PATHS: ReadonlySet<string> = new Set(['/livez', '/readyz']);

/** What is known of whoever sent a request. */
export interface Admission {
  /** Null where nobody need be known, and until one is. */
  caller: Caller | null;
  /** Why it goes no further; null for one that may. */
  refusal: PlimsollError | null;
  /** What is told of rate limits: names and values in turns. */
  headers: readonly string[];
}

/** A request with what the gate knows of its sender. */
export interface Arrived extends IncomingMessage {
  admission?: Admission;
}

/** What the gate knows of the sender of a request. */
export function admissionOf(request: Arrived): Admission {
  if (request.admission === undefined) throw new Error('a request came past the gate');
  return request.admission;
}

/** Tells who asks, and lets in whom the scope of a route is given. */
export class Gate {
  readonly #keyring: Keyring;
  readonly #limiters: ReturnType<typeof limitersOf>;
  readonly #seconds: () => number;

  /** @param seconds of a clock that never goes back. */
  constructor(keyring: Keyring, limits: RateLimits, seconds: () => number) {
    this.#keyring = keyring;
    this.#limiters = limitersOf(limits);
    this.#seconds = seconds;
  }

  /** @param path with or without a query. */
  arrive(request: Arrived, path: string): Admission {
    const admission = this.#admitted(request, path);
    request.admission = admission;
    return admission;
  }

  /**
   * Whether a read may go out before Express. A refusal is told there, with everything that belongs to it.
   *
   * @param namesUsers keys of some users only are held against what a request names, which is done there too.
   */
  maySkip({ caller, refusal }: Admission, scope: Scope, namesUsers = false): boolean {
    if (refusal !== null) return false;
    if (caller === null) return this.#keyring.areReadsOpen;
    return caller.scopes.has(scope) && !(namesUsers && caller.subjects !== null);
  }

  /**
   * Whoever goes on to something that needs a scope; null where nobody need be known.
   *
   * @param isJudgedByRules the role is for others to judge; a list of scopes that a key was given binds all the same.
   * @throws PlimsollError UNAUTHENTICATED, FORBIDDEN, KEY_EXPIRED.
   */
  enter(request: Arrived, scope: Scope | 'open', isJudgedByRules = false): Caller | null {
    if (scope === 'open') return null;
    const admission = admissionOf(request);
    if (admission.refusal !== null) throw admission.refusal;
    if (admission.caller === null && this.#keyring.areReadsOpen && !isWriteScope(scope)) return null;
    admission.caller ??= this.#keyring.callerOf(request.headers.authorization);
    if (!isJudgedByRules || admission.caller.isNarrowed) requireScope(admission.caller, scope);
    return admission.caller;
  }

  #admitted(request: IncomingMessage, path: string): Admission {
    // Whoever watches the process must get an answer whatever else comes from there.
    if (OPEN_PATHS.has(path.split('?', 1)[0])) return { ...FREE, caller: null };
    if (this.#keyring.areReadsOpen) return { ...this.#charge('firstRun', request), caller: null };
    try {
      const caller = this.#keyring.callerOf(authorizationOf(request.headers, venueOf(path)));
      return { ...this.#charge(caller.role, request, caller.key), caller };
    } catch (thrown) {
      // Of a sender that is not known, the address pays: keys are not to be tried without end.
      const { refusal, headers } = this.#charge('address', request);
      return { caller: null, refusal: refusal ?? asPlimsollError(thrown), headers };
    }
  }

  /** @param sender the address, without one. */
  #charge(kind: keyof RateLimits, { socket }: IncomingMessage, sender?: string): Charge {
    const limiter = this.#limiters[kind];
    return limiter === null
      ? FREE
      : limiter.charge(sender ?? senderOf(socket.remoteAddress), this.#seconds());
  }
}
