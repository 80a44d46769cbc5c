import type { Role, Scope } from './roles.ts';

/** A key by its SHA-256: the key itself is never kept. */
export interface KnownKey {
  readonly name: string;
  readonly role: Role;
  /** Hex. */
  readonly sha256: string;
  /** Fewer than those of the role; all of them without a list. */
  readonly scopes?: readonly Scope[] | null | undefined;
  /** Beginnings of the ids of users and accounts that it may touch; all without a list. */
  readonly subjects?: readonly string[] | null | undefined;
  /** Epoch milliseconds; never without one. */
  readonly expiresAt?: number | null | undefined;
  /** With one, whatever changes something must be signed with it. */
  readonly signingSecret?: Uint8Array | null | undefined;
}

/** A key as the store has it. */
export interface StoredKey {
  /** What everybody may see of it: the beginning of its SHA-256. */
  readonly id: string;
  readonly name: string;
  readonly role: Role;
  readonly scopes: readonly Scope[] | null;
  readonly subjects: readonly string[] | null;
  readonly sha256: string;
  /** The signing secret as it is kept, encrypted; null for a key that needs no signatures. */
  readonly sealedSecret: Uint8Array | null;
  /** Epoch milliseconds, as all times here. */
  readonly createdAt: number;
  readonly expiresAt: number | null;
  readonly revokedAt: number | null;
}

/** Who changes keys, and why; the audit chain keeps it. */
export interface KeyStep {
  readonly at: number;
  readonly actor: string;
  readonly reason: string;
}

/** Where keys are kept. What is written is durable, with its audit entry, when a promise is kept. */
export interface KeyStore {
  /** All that ever were, oldest first: those that are over too. */
  all(): Promise<readonly StoredKey[]>;
  /** Changes when another process may have written; costs next to nothing. */
  dataVersion(): Promise<number>;
  /** @throws PlimsollError CONFLICT where the name has a live key. */
  add(key: StoredKey, step: KeyStep): Promise<void>;
  /**
   * Adds a second live key of a name; the first ends at `until`, or earlier if it was to.
   *
   * @throws PlimsollError KEY_UNKNOWN, CONFLICT where there are two already.
   */
  rotate(
    name: string,
    make: (present: StoredKey) => StoredKey,
    until: number,
    step: KeyStep,
  ): Promise<StoredKey>;
  /** Ends the live keys of a name, or the one with the id. @throws PlimsollError KEY_UNKNOWN. */
  revoke(name: string, id: string | null, step: KeyStep): Promise<readonly StoredKey[]>;
}

export const KEY_ID_DIGITS = 16;

export function keyIdOf(sha256: string): string {
  return sha256.slice(0, KEY_ID_DIGITS);
}

export function isLive({ revokedAt, expiresAt }: Pick<StoredKey, 'revokedAt' | 'expiresAt'>, now: number) {
  return revokedAt === null && (expiresAt === null || now < expiresAt);
}
