import { hash } from 'node:crypto';
import type { Clock } from '../clock.ts';
import { isWriteScope, type KnownKey, type Scope } from '../control/ports.ts';
import type { Actor } from '../control/reads.ts';
import type { PlimsollError } from '../errors.ts';
import { type Caller, callerOfKey } from './access/caller.ts';
import { refuseAccess } from './access/refusal.ts';

export type { KnownKey } from '../control/ports.ts';

interface Entry {
  readonly key: KnownKey;
  readonly caller: Caller;
}

/**
 * Who may call: `Authorization: Bearer KEY`. A key is looked up by its SHA-256, so that how long it takes tells nothing
 * about any key.
 */
export class Keyring {
  readonly #own: readonly KnownKey[];
  readonly #isFirstRun: boolean;
  readonly #clock: Pick<Clock, 'now'>;
  #stored: readonly KnownKey[] = [];
  #hasStored = false;
  readonly #hasIdentities: boolean;
  #bySha256: ReadonlyMap<string, Entry> = new Map();
  #byId: ReadonlyMap<string, Entry> = new Map();

  /**
   * @param isFirstRun reads need no key, only where the service cannot be reached from other machines; it is over as soon
   *   as a key is stored, and the given keys with it.
   * @param clock for keys that expire.
   * @param hasIdentities people come with tokens too, so somebody may be an approver whom no key tells of.
   */
  constructor(
    keys: readonly KnownKey[],
    isFirstRun: boolean,
    clock: Pick<Clock, 'now'> = TIMELESS,
    hasIdentities = false,
  ) {
    this.#hasIdentities = hasIdentities;
    this.#own = keys;
    this.#isFirstRun = isFirstRun;
    this.#clock = clock;
    this.#index();
  }

  /** @param hasAny whether there ever was one. */
  useStored(keys: readonly KnownKey[], hasAny: boolean): void {
    this.#stored = keys;
    this.#hasStored = hasAny;
    this.#index();
  }

  get areReadsOpen(): boolean {
    return this.#isFirstRun && !this.#hasStored;
  }

  /**
   * Whose key it is.
   *
   * @throws PlimsollError UNAUTHENTICATED without a key, FORBIDDEN with one that is not known, KEY_EXPIRED.
   */
  callerOf(header: string | undefined): Caller {
    const match = /^Bearer ([\w.~+/=-]{1,256})$/.exec(header ?? '');
    if (match === null)
      throw refuseAccess('key_missing', 'UNAUTHENTICATED', 'a key is needed here', KEY_REMEDY);
    return this.#live(this.#bySha256.get(hash('sha256', match[1], 'hex'))).caller;
  }

  /**
   * Whose key it is; null where reads need none, whatever key is given.
   *
   * @throws PlimsollError as `callerOf`.
   */
  readerOf(header: string | undefined): Actor | null {
    return this.areReadsOpen ? null : this.callerOf(header);
  }

  /** Who asks for something that needs a scope; null for a read where reads are open. @throws PlimsollError as `callerOf`. */
  callerFor(scope: Scope, header: string | undefined): Caller | null {
    return this.areReadsOpen && !isWriteScope(scope) ? null : this.callerOf(header);
  }

  /**
   * Whose secret signs requests that name a key by its id.
   *
   * @throws PlimsollError FORBIDDEN for one that is not known or signs nothing, KEY_EXPIRED.
   */
  signerOf(keyId: string): { readonly caller: Caller; readonly secret: Uint8Array } {
    const entry = this.#byId.get(keyId);
    const secret = entry?.key.signingSecret ?? null;
    if (secret === null) throw unknownKey();
    return { caller: this.#live(entry).caller, secret };
  }

  /** Whether a key that somebody came with counts still. */
  isKnown(keyId: string): boolean {
    const entry = this.#byId.get(keyId);
    if (entry === undefined) return false;
    const { expiresAt } = entry.key;
    return expiresAt == null || this.#clock.now() < expiresAt;
  }

  /** Whether anybody can approve what this person asks for. */
  hasApproverBeside({ name, key }: Actor): boolean {
    if (this.#hasIdentities) return true;
    return [...this.#bySha256.values()].some(
      ({ caller, key: { expiresAt } }) =>
        caller.role === 'approver' &&
        caller.scopes.has('governance:approve') &&
        caller.name !== name &&
        caller.key !== key &&
        (expiresAt == null || expiresAt > this.#clock.now()),
    );
  }

  #live(entry: Entry | undefined): Entry {
    if (entry === undefined) throw unknownKey();
    const { expiresAt } = entry.key;
    if (expiresAt != null && this.#clock.now() >= expiresAt)
      throw refuseAccess(
        'key_expired',
        'KEY_EXPIRED',
        'the time of this key is over',
        'Use the key that took its place; plimsoll keys rotate makes one.',
      );
    return entry;
  }

  #index(): void {
    const own = this.#isFirstRun && this.#hasStored ? [] : this.#own;
    this.#bySha256 = new Map(
      [...this.#stored, ...own].map((key) => [key.sha256, { key, caller: callerOfKey(key) }]),
    );
    this.#byId = new Map([...this.#bySha256.values()].map((entry) => [entry.caller.key, entry]));
  }
}

function unknownKey(): PlimsollError {
  return refuseAccess('key_unknown', 'FORBIDDEN', 'the key is not one that this service knows', KEY_REMEDY);
}

const TIMELESS = { now: () => 0 };

/** Without any key reads are open, on loopback only, and the data folder's own key writes. */
export function keyringOf(
  keys: readonly KnownKey[],
  operatorKeySha256: string | null,
  clock: Pick<Clock, 'now'>,
  hasIdentities = false,
): Keyring {
  if (operatorKeySha256 === null) return new Keyring(keys, false, clock, hasIdentities);
  return new Keyring([{ name: 'operator', role: 'operator', sha256: operatorKeySha256 }], true, clock);
}

const KEY_REMEDY =
  'Send the header "Authorization: Bearer KEY": a configured key, one that plimsoll keys add made, or without any the operator key that the first start printed and keeps in operator.key of the data folder.';
