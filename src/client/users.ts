import { UNKNOWN_USER, type UserLimits } from '../accounts/user-limits.ts';
import type { Clock } from '../clock.ts';
import { Refused, type Requests } from './requests.ts';
import { readUser } from './wire.ts';

interface KnownUser {
  /** Undefined while they are asked for first. */
  readonly limits: UserLimits | undefined;
  /** Epoch milliseconds: when it is to be asked for again. */
  readonly askAgainAt: number;
}

export interface UsersOptions {
  readonly requests: Requests;
  readonly clock: Clock;
  readonly userSeconds: number;
  readonly onAsked: (outcome: string) => void;
}

/** Of a user who is waited for. */
const ASK_AGAIN_SECONDS = 1;
/** The oldest ones are forgotten beyond this. */
const MOST_USERS = 200_000;

/** Limits of users, fetched when they are first asked for and again when they are old; what is here is used meanwhile. */
export class Users {
  readonly #options: UsersOptions;
  readonly #known = new Map<string, KnownUser>();
  readonly #asking = new Map<string, Promise<UserLimits>>();
  /** Those whom the feed told of while the service was asked: its answer may be the older one. */
  readonly #toldMeanwhile = new Set<string>();
  readonly #ending = new AbortController();

  constructor(options: UsersOptions) {
    this.#options = options;
  }

  /** @returns undefined where they are not here yet; they are asked for then. */
  limitsOf(userId: string, now: number): UserLimits | undefined {
    const known = this.#known.get(userId);
    if (known === undefined || now >= known.askAgainAt) this.#askInBackground(userId, known, now);
    return known?.limits;
  }

  /** Asks the service. @throws Error where it does not tell. */
  load(userId: string): Promise<UserLimits> {
    let asking = this.#asking.get(userId);
    if (asking === undefined) {
      asking = this.#ask(userId).finally(() => this.#asking.delete(userId));
      this.#asking.set(userId, asking);
    }
    return asking;
  }

  /** The feed has told of a user. Who was never asked for here is not kept. */
  told(userId: string, limits: UserLimits): void {
    const isAsking = this.#asking.has(userId);
    if (!isAsking && !this.#known.has(userId)) return;
    if (isAsking) this.#toldMeanwhile.add(userId);
    const { clock, userSeconds } = this.#options;
    this.#known.set(userId, { limits, askAgainAt: clock.now() + userSeconds * 1000 });
  }

  /** The feed may have told of somebody while nobody listened: each is asked for again when it is needed next. */
  askAgain(): void {
    for (const [userId, { limits }] of this.#known) this.#known.set(userId, { limits, askAgainAt: 0 });
  }

  forget(userId: string): void {
    this.#known.delete(userId);
  }

  close(): void {
    this.#ending.abort();
  }

  #askInBackground(userId: string, known: KnownUser | undefined, now: number): void {
    if (this.#ending.signal.aborted || this.#asking.has(userId)) return;
    // One that cannot be had is not asked for with every order.
    const seconds = known?.limits === undefined ? ASK_AGAIN_SECONDS : this.#options.userSeconds;
    this.#known.set(userId, { limits: known?.limits, askAgainAt: now + seconds * 1000 });
    this.load(userId).catch(() => undefined);
  }

  async #ask(userId: string): Promise<UserLimits> {
    const { requests, clock, userSeconds, onAsked } = this.#options;
    let limits: UserLimits;
    try {
      limits = readUser(await requests.json(`/v1/users/${encodeURIComponent(userId)}`, this.#ending.signal));
      onAsked('known');
    } catch (thrown) {
      const isUnknown = thrown instanceof Refused && thrown.code === 'USER_UNKNOWN';
      onAsked(isUnknown ? 'unknown' : 'failed');
      if (!isUnknown) {
        this.#toldMeanwhile.delete(userId);
        throw thrown;
      }
      limits = { ...UNKNOWN_USER };
    }
    const told = this.#toldMeanwhile.delete(userId) ? this.#known.get(userId)?.limits : undefined;
    if (told !== undefined) return told;
    this.#known.delete(userId);
    this.#known.set(userId, { limits, askAgainAt: clock.now() + userSeconds * 1000 });
    for (const oldest of this.#known.keys()) {
      if (this.#known.size <= MOST_USERS) break;
      this.#known.delete(oldest);
    }
    return limits;
  }
}
