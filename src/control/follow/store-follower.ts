import { asPlimsollError, type PlimsollError } from '../../errors.ts';
import type { LimitBook } from '../../limits/types.ts';
import type { SharedStore, UserPolicy } from '../ports.ts';

/** What follows the store: the part of the control plane that others' writes reach. */
export interface FollowTarget {
  readonly governance: { revision(): number; refresh(): Promise<void> };
  readonly feed: { readonly last: number; pump(): Promise<void> };
  currentBook(): LimitBook | null;
  follow(book: LimitBook): void;
  userSet(policy: UserPolicy, sequence: number): void;
}

export interface FollowerOptions {
  readonly store: Pick<SharedStore, 'heads' | 'bookHash' | 'latestBook' | 'usersAfter'>;
  readonly target: FollowTarget;
  /** Audit entry of the newest user's policy when the start began to read them. */
  readonly usersSeen: number;
  /** Told when the state of the store changes: what is wrong, and null once it is well again. */
  readonly onState: (reason: StoreReason | null, error: PlimsollError | null) => void;
}

/** Why what is shown may not be the newest. */
export const STORE_REASONS = ['STORE_UNREACHABLE', 'STORE_BEHIND', 'STORE_DIVERGED'] as const;
export type StoreReason = (typeof STORE_REASONS)[number];

/** Being woken only saves time: this is how late a change is seen at most while the database answers. */
const LOOK_MILLISECONDS = 500;
const PAGE = 1_000;

/**
 * Follows a store that other processes write: limits, users, what people decided, events. What is shown never goes back: a store that is
 * behind it, as after a restore, or that has another book under its number, is told and not followed. While the store is
 * away the last valid book stays.
 */
export class StoreFollower {
  readonly #options: FollowerOptions;
  #usersSeen: number;
  #reason: StoreReason | null = null;
  #timer: NodeJS.Timeout | undefined;
  #looking: Promise<void> | null = null;
  #isWoken = false;
  #isStopped = false;

  constructor(options: FollowerOptions) {
    this.#options = options;
    this.#usersSeen = options.usersSeen;
  }

  /** What is wrong; null while the store is followed. */
  get reason(): StoreReason | null {
    return this.#reason;
  }

  start(): void {
    this.wake();
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    await this.#looking;
  }

  /** Looks at once; where a look runs already, another one after it. */
  wake(): void {
    void this.look();
  }

  /** Comes back once all is shown that was stored before it was called. Never rejects. */
  look(): Promise<void> {
    if (this.#isStopped) return Promise.resolve();
    this.#isWoken = true;
    this.#looking ??= this.#run().finally(() => {
      this.#looking = null;
    });
    return this.#looking;
  }

  async #run(): Promise<void> {
    clearTimeout(this.#timer);
    while (this.#isWoken && !this.#isStopped) {
      this.#isWoken = false;
      try {
        this.#say(await this.#follow(), null);
      } catch (thrown) {
        this.#say('STORE_UNREACHABLE', asPlimsollError(thrown));
      }
    }
    if (!this.#isStopped) this.#timer = setTimeout(() => this.wake(), LOOK_MILLISECONDS);
  }

  #say(reason: StoreReason | null, error: PlimsollError | null): void {
    if (reason === this.#reason) return;
    this.#reason = reason;
    this.#options.onState(reason, error);
  }

  async #follow(): Promise<StoreReason | null> {
    const { store, target } = this.#options;
    const heads = await store.heads();
    // What people decided first: a book may rest on it.
    if (heads.revision !== target.governance.revision()) await target.governance.refresh();
    if (heads.users > this.#usersSeen) await this.#followUsers();
    const reason = await this.#followBook(heads.version, heads.hash);
    if (heads.events > target.feed.last) await target.feed.pump();
    return reason;
  }

  async #followUsers(): Promise<void> {
    const { store, target } = this.#options;
    for (;;) {
      const page = await store.usersAfter(this.#usersSeen, PAGE);
      for (const { policy, sequence } of page) {
        target.userSet(policy, sequence);
        this.#usersSeen = sequence;
      }
      if (page.length < PAGE) return;
    }
  }

  async #followBook(version: number, hash: string): Promise<StoreReason | null> {
    const { store, target } = this.#options;
    const shown = target.currentBook();
    if (shown !== null && version < shown.version) {
      // The leader may have shown one that was stored since.
      const newest = await store.bookHash(shown.version);
      return newest === null ? 'STORE_BEHIND' : newest === shown.hash ? null : 'STORE_DIVERGED';
    }
    if (shown !== null && version === shown.version) return hash === shown.hash ? null : 'STORE_DIVERGED';
    if (version === 0) return null;
    if (shown !== null && (await store.bookHash(shown.version)) !== shown.hash) return 'STORE_DIVERGED';
    const book = await store.latestBook();
    if (book !== null) target.follow(book);
    return null;
  }
}
