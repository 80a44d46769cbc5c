import { hash } from 'node:crypto';
import type { Actor } from '../control/reads.ts';
import { refuse } from './problem.ts';

/** A key by its SHA-256: the key itself is never kept. */
export interface KnownKey {
  readonly name: string;
  readonly role: Actor['role'];
  /** Hex. */
  readonly sha256: string;
}

/** What anyone may ask: whether the process runs, and whether it can answer. It names no market and no limit. */
const OPEN_PATHS: ReadonlySet<string> = new Set(['/livez', '/readyz']);

/**
 * Who may call: `Authorization: Bearer KEY`. A key is looked up by its SHA-256, so that how long it takes tells nothing
 * about any key.
 */
export class Keyring {
  readonly #keys: ReadonlyMap<string, KnownKey>;
  readonly #areReadsOpen: boolean;

  /** @param areReadsOpen reads need no key: only where the service cannot be reached from other machines. */
  constructor(keys: readonly KnownKey[], areReadsOpen: boolean) {
    this.#keys = new Map(keys.map((key) => [key.sha256, key]));
    this.#areReadsOpen = areReadsOpen;
  }

  /**
   * @param path without the query.
   * @throws PlimsollError UNAUTHENTICATED without a key, FORBIDDEN with one that is not known.
   */
  requireReader(header: string | undefined, path: string): void {
    if (this.#areReadsOpen || OPEN_PATHS.has(path)) return;
    this.#find(header);
  }

  /**
   * The name of the operator who writes.
   *
   * @throws PlimsollError UNAUTHENTICATED without a key, FORBIDDEN with one that may not write.
   */
  requireOperator(header: string | undefined): string {
    const { name, role } = this.#find(header);
    if (role === 'reader') throw refuse('FORBIDDEN', 'this key may only read', 'Use the key of an operator.');
    return name;
  }

  /**
   * Whoever signs with a known key; what the role may do is for others to say.
   *
   * @throws PlimsollError UNAUTHENTICATED without a key, FORBIDDEN with one that is not known.
   */
  requireSigner(header: string | undefined): Actor {
    const { name, role, sha256 } = this.#find(header);
    return { name, role, key: sha256.slice(0, 16) };
  }

  /**
   * Whose key it is; null where reads need none, whatever key is given.
   *
   * @throws PlimsollError UNAUTHENTICATED without a key, FORBIDDEN with one that is not known.
   */
  readerOf(header: string | undefined): Actor | null {
    return this.#areReadsOpen ? null : this.requireSigner(header);
  }

  /** Whether anybody can approve what this person asks for. */
  hasApproverBeside({ name, key }: Actor): boolean {
    return [...this.#keys.values()].some(
      (known) => known.role === 'approver' && known.name !== name && !known.sha256.startsWith(key),
    );
  }

  #find(header: string | undefined): KnownKey {
    const match = /^Bearer ([\w.~+/=-]{1,256})$/.exec(header ?? '');
    if (match === null) throw refuse('UNAUTHENTICATED', 'a key is needed here', KEY_REMEDY);
    const known = this.#keys.get(hash('sha256', match[1], 'hex'));
    if (known === undefined)
      throw refuse('FORBIDDEN', 'the key is not one that this service knows', KEY_REMEDY);
    return known;
  }
}

/** Without configured keys reads are open, on loopback only, and the data folder's own key writes. */
export function keyringOf(keys: readonly KnownKey[], operatorKeySha256: string | null): Keyring {
  if (operatorKeySha256 === null) return new Keyring(keys, false);
  return new Keyring([{ name: 'operator', role: 'operator', sha256: operatorKeySha256 }], true);
}

const KEY_REMEDY =
  'Send the header "Authorization: Bearer KEY": a configured key, or without any the operator key that the first start printed and keeps in operator.key of the data folder.';
