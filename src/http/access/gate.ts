import type { IncomingMessage } from 'node:http';
import { isWriteScope, type Scope } from '../../control/ports.ts';
import { asPlimsollError, type PlimsollError } from '../../errors.ts';
import type { Keyring } from '../auth.ts';
import { authorizationOf } from '../exchange/venue.ts';
import { venueOf } from '../exchange/venues.ts';
import { type Caller, requireScope } from './caller.ts';

/** What anyone may ask: whether the process runs, and whether it can answer. It names no market and no limit. */
const OPEN_PATHS: ReadonlySet<string> = new Set(['/livez', '/readyz']);

/** What is known of whoever sent a request. */
export interface Admission {
  /** Null where nobody need be known, and until one is. */
  caller: Caller | null;
  /** Why it goes no further; null for one that may. */
  refusal: PlimsollError | null;
}

interface Arrived extends IncomingMessage {
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

  constructor(keyring: Keyring) {
    this.#keyring = keyring;
  }

  /** @param path with or without a query. */
  arrive(request: Arrived, path: string): Admission {
    const isOpen = this.#keyring.areReadsOpen || OPEN_PATHS.has(path.split('?', 1)[0]);
    request.admission = isOpen ? { caller: null, refusal: null } : this.#identified(request, path);
    return request.admission;
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

  #identified({ headers }: IncomingMessage, path: string): Admission {
    try {
      return { caller: this.#keyring.callerOf(authorizationOf(headers, venueOf(path))), refusal: null };
    } catch (thrown) {
      return { caller: null, refusal: asPlimsollError(thrown) };
    }
  }
}
