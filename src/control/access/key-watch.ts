import type { KeyStore, KnownKey, StoredKey } from './keys.ts';

export interface KeyWatchOptions {
  readonly store: Pick<KeyStore, 'all' | 'dataVersion'>;
  /** The signing secret of a key that has one; fails where it cannot be read. */
  readonly unseal: (key: StoredKey, sealed: Uint8Array) => Promise<Uint8Array>;
  /** @param hasAny also where all of them are over: a service that had keys does not open again. */
  readonly onKeys: (keys: readonly KnownKey[], hasAny: boolean) => void;
  readonly onFailure: (error: unknown) => void;
}

const LOOK_MILLISECONDS = 1000;

/** Follows the stored keys: what a command adds or revokes counts in a running service within seconds. */
export class KeyWatch {
  readonly #options: KeyWatchOptions;
  #seen: number | null = null;
  #timer: NodeJS.Timeout | null = null;
  #isFailing = false;
  #isLooking = false;

  constructor(options: KeyWatchOptions) {
    this.#options = options;
  }

  /** The first look fails loudly: a service must not start with keys that it cannot read. */
  async start(): Promise<void> {
    await this.look();
    this.#timer = setInterval(() => void this.#lookAgain(), LOOK_MILLISECONDS);
    this.#timer.unref();
  }

  /** A store that is away for long is told once, and not asked twice at a time. */
  async #lookAgain(): Promise<void> {
    if (this.#isLooking) return;
    this.#isLooking = true;
    try {
      await this.look();
      this.#isFailing = false;
    } catch (thrown) {
      if (!this.#isFailing) this.#options.onFailure(thrown);
      this.#isFailing = true;
    }
    this.#isLooking = false;
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
  }

  async look(): Promise<void> {
    const { store, unseal, onKeys } = this.#options;
    const version = await store.dataVersion();
    if (version === this.#seen) return;
    const stored = await store.all();
    const known: KnownKey[] = [];
    for (const key of stored) {
      const { revokedAt, sealedSecret } = key;
      if (revokedAt !== null) continue;
      known.push({ ...key, signingSecret: sealedSecret === null ? null : await unseal(key, sealedSecret) });
    }
    onKeys(known, stored.length > 0);
    this.#seen = version;
  }
}
