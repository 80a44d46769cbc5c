import { type KnownKey, keyIdOf, type Scope, scopesOf } from '../../control/ports.ts';
import type { Actor } from '../../control/reads.ts';
import { refuseAccess } from './refusal.ts';

/** Whoever asks, once it is known who that is. */
export interface Caller extends Actor {
  readonly scopes: ReadonlySet<Scope>;
  /** Whether its scopes are fewer than those of its role: then they bind also where rules judge the role. */
  readonly isNarrowed: boolean;
  /** Beginnings of the ids of users and accounts that it may touch; null for all. */
  readonly subjects: readonly string[] | null;
  /** Whether what it changes must be signed. */
  readonly mustSign: boolean;
  /** When a token is over; null for a key, which the keyring knows about. Epoch milliseconds. */
  readonly tokenEndsAt: number | null;
}

export function callerOfKey({ name, role, sha256, scopes, subjects, signingSecret }: KnownKey): Caller {
  return {
    name,
    role,
    key: keyIdOf(sha256),
    scopes: scopesOf(role, scopes ?? null),
    isNarrowed: scopes != null,
    subjects: subjects ?? null,
    mustSign: signingSecret != null,
    tokenEndsAt: null,
  };
}

/** @throws PlimsollError FORBIDDEN for a scope that the caller does not have. */
export function requireScope({ scopes, role }: Caller, scope: Scope): void {
  if (scopes.has(scope)) return;
  throw refuseAccess(
    'scope',
    'FORBIDDEN',
    `this key does not have the scope ${scope}`,
    `Use a key of a role that has it; this one's is ${role}.`,
  );
}

/** What a request names of users and accounts; null where it may tell of any. */
export type Touched = readonly string[] | null;

/**
 * For keys of some users only: every user and account that a request names must be one of them, and what may tell of
 * anybody is closed.
 *
 * @throws PlimsollError SUBJECT_FORBIDDEN.
 */
export function requireSubjects({ subjects }: Caller, touched: Touched): void {
  if (subjects === null) return;
  const isOwn = (id: string): boolean => subjects.some((prefix) => id.startsWith(prefix));
  if (touched?.every(isOwn)) return;
  throw refuseAccess(
    'subject',
    'SUBJECT_FORBIDDEN',
    touched === null
      ? 'this key is for some users only, and this may tell of others'
      : 'this key is not for that user or account',
    'Name users and accounts that the key was made for, or use another key.',
  );
}
