import { UNKNOWN_USER, type UserLimits } from '../accounts/user-limits.ts';
import { type Clock, stopwatchSeconds, systemClock } from '../clock.ts';
import { PlimsollError } from '../errors.ts';
import { Random } from '../random.ts';
import { BookRefused, ClientBook } from './book.ts';
import type { ClientCap, ClientCheck } from './cap-table.ts';
import { CapTables, type ClientUser } from './cap-tables.ts';
import { Connection } from './connection.ts';
import type { StreamEvent } from './event-stream.ts';
import { type ClientState, type Contact, stateAt } from './fallback.ts';
import { type ClientOptions, type Settings, settingsOf } from './options.ts';
import { refusedCap, refusedCheck, wholeNotionalOf } from './refusals.ts';
import { Refused, Requests } from './requests.ts';
import { Users } from './users.ts';
import {
  type BookHead,
  type ClientMarket,
  type ClientPolicy,
  readChange,
  readPolicy,
  readSnapshot,
  readToldUser,
} from './wire.ts';

export type { ClientCap, ClientCheck } from './cap-table.ts';
export type { ClientUser } from './cap-tables.ts';
export {
  type ClientState,
  DEFAULT_FALLBACK,
  type FallbackRules,
  STATE_NAMES,
  type StateName,
} from './fallback.ts';
export type { ClientOptions } from './options.ts';
export { CLIENT_REASONS, type ClientReason } from './reasons.ts';
export type { Observe } from './requests.ts';
export type { BookHead, ClientMarket } from './wire.ts';

export interface ClientOrder {
  readonly symbol: string;
  /** Of the whole position after the order: a number, or an exact decimal string. */
  readonly notional: number | string;
  readonly leverage: number;
  /** It only reduces: allowed whatever the caps, because whoever matches orders vouches for it. */
  readonly reduceOnly?: boolean;
}

export interface ClientEvents {
  /** Another state, or another step of tightening. */
  readonly state: ClientState;
  /** Another book is in force. */
  readonly book: { readonly head: BookHead; readonly changed: readonly string[] };
}

/** The state is looked at so often when nobody asks, so that listeners hear of it. */
const LOOK_MILLISECONDS = 1000;
const MOST_LEVERAGE = 1000;

/**
 * The limit book in memory: follows the service, and answers caps and checks on the spot, as the service would for a user of
 * whom it knows no account. It never throws in an answer and never grants more than the last valid book did.
 */
export class PlimsollClient {
  readonly #settings: Settings;
  readonly #options: ClientOptions;
  readonly #clock: Clock;
  readonly #connection: Connection;
  readonly #users: Users;
  readonly #look: ReturnType<typeof setInterval>;
  readonly #listeners = {
    state: new Set<(state: ClientState) => void>(),
    book: new Set<(book: ClientEvents['book']) => void>(),
  };
  readonly #startedAt: number;
  #policy: ClientPolicy | null = null;
  #tables: CapTables | null = null;
  #contact: Contact;
  #state: ClientState;
  #lastEventId: string | null = null;
  #isSettled = false;
  #latest = 0;
  #lastFailure: unknown;
  #onFirst: ((failure: unknown) => void) | null = null;

  private constructor(options: ClientOptions) {
    this.#settings = settingsOf(options);
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    const { fallback, userSeconds, firstPauseSeconds, longestPauseSeconds, connectSeconds } = this.#settings;
    const { url, key, traceparent, fetch } = options;
    const requests = new Requests({ url, key, traceparent, fetch, requestSeconds: connectSeconds });
    const now = this.#now();
    this.#startedAt = now;
    this.#contact = { isConnected: false, connectionSince: now, lastHeardAt: 0, validUntil: 0 };
    this.#state = stateAt(now, this.#contact, fallback);
    this.#users = new Users({
      ...{ requests, clock: this.#clock, userSeconds },
      onAsked: (outcome) => this.#observe('plimsoll.client.user', { outcome }, 0),
    });
    this.#connection = new Connection({
      ...{ requests, firstPauseSeconds, longestPauseSeconds, goneSeconds: fallback.goneSeconds },
      random: new Random(options.seed ?? crypto.randomUUID()),
      handlers: {
        lastEventId: () => {
          this.#isSettled = false;
          return this.#lastEventId;
        },
        takePolicy: (value) => {
          this.#takePolicy(readPolicy(value));
        },
        take: (event, isResumed) => this.#take(event, isResumed),
        lost: (thrown, seconds) => this.#lost(thrown, seconds),
      },
    });
    this.#look = setInterval(() => this.#stateAt(this.#now()), LOOK_MILLISECONDS);
  }

  /**
   * Returns once a whole book is here.
   *
   * @throws PlimsollError UNAUTHENTICATED or FORBIDDEN with a wrong key, IO_FAILED where no book comes in `connectSeconds`,
   *   INPUT_INVALID for options that contradict themselves.
   */
  static async connect(options: ClientOptions): Promise<PlimsollClient> {
    const client = new PlimsollClient(options);
    const { connectSeconds } = client.#settings;
    try {
      await new Promise<void>((resolve, reject) => {
        const late = setTimeout(
          () => reject(noBook(options.url, connectSeconds, client.#lastFailure)),
          connectSeconds * 1000,
        );
        client.#onFirst = (failure) => {
          clearTimeout(late);
          client.#onFirst = null;
          if (failure === undefined) resolve();
          else reject(failure);
        };
        client.#connection.start();
      });
    } catch (thrown) {
      client.close();
      throw thrown;
    }
    return client;
  }

  /** The most leverage at a notional of the whole position. Without a user: as for one of whom nothing is known. */
  cap(symbol: string, notional: number | string, user?: ClientUser | string): ClientCap {
    try {
      return this.#capOf(symbol, notional, user);
    } catch {
      // Values of other types than declared; an answer is owed all the same.
      return refusedCap(symbol, 'INPUT_INVALID', this.version);
    }
  }

  /** Whether an order is allowed, and if not, what would be: each clamp alone makes it allowed. */
  check(order: ClientOrder, user?: ClientUser | string): ClientCheck {
    try {
      const check = this.#checkOf(order, user);
      if (order.reduceOnly !== true || check.bindingReason === 'INPUT_INVALID') return check;
      const clampedNotional = wholeNotionalOf(order.notional);
      return { ...check, allowed: true, clampedLeverage: order.leverage, clampedNotional, reasons: [] };
    } catch {
      return refusedCheck('INPUT_INVALID', this.version);
    }
  }

  /** The user's own limits, fetched; from then on `cap` and `check` know the user by the id. */
  user(userId: string): Promise<UserLimits> {
    return this.#users.load(userId);
  }

  /** The next question of this user is answered once the limits are fetched anew. */
  forgetUser(userId: string): void {
    this.#users.forget(userId);
  }

  /** How things stand with the server, and since when. */
  get state(): ClientState {
    return this.#stateAt(this.#now());
  }

  /** Of the book that answers. */
  get version(): number {
    return this.#tables?.book.head.version ?? 0;
  }

  get book(): BookHead | undefined {
    return this.#tables?.book.head;
  }

  get markets(): readonly string[] {
    return [...(this.#tables?.book.markets.keys() ?? [])];
  }

  /** A market's tables: what new orders and open positions are held to, and what is announced. */
  market(symbol: string): ClientMarket | undefined {
    return this.#tables?.book.markets.get(symbol);
  }

  /** @returns what ends it. */
  on<Name extends keyof ClientEvents>(name: Name, listener: (event: ClientEvents[Name]) => void): () => void {
    const listeners = this.#listeners[name] as Set<(event: ClientEvents[Name]) => void>;
    listeners.add(listener);
    return () => listeners.delete(listener);
  }

  /** Follows no more, and tells nobody. What is asked afterwards is answered as when the server is gone. */
  close(): void {
    this.#listeners.state.clear();
    this.#listeners.book.clear();
    this.#connection.close();
    this.#users.close();
    clearInterval(this.#look);
    this.#disconnect();
  }

  #capOf(symbol: string, notional: number | string, user: ClientUser | string | undefined): ClientCap {
    const now = this.#now();
    const { name, divisor } = this.#stateAt(now);
    const version = this.version;
    if (name === 'refusing') return refusedCap(symbol, 'SERVER_GONE', version);
    const limits = this.#limitsOf(user, now);
    if (limits === undefined) return refusedCap(symbol, 'USER_NOT_LOADED', version);
    const whole = wholeNotionalOf(notional);
    if (!(whole >= 0) || limits === null) return refusedCap(symbol, 'INPUT_INVALID', version);
    const table = this.#tables?.of(symbol, limits, now);
    return table === undefined ? refusedCap(symbol, 'MARKET_UNKNOWN', version) : table.cap(whole, divisor);
  }

  #checkOf(order: ClientOrder, user: ClientUser | string | undefined): ClientCheck {
    const { symbol, notional, leverage } = order;
    const now = this.#now();
    const { name, divisor } = this.#stateAt(now);
    const version = this.version;
    const whole = wholeNotionalOf(notional);
    const isLeverage = typeof leverage === 'number' && leverage >= 1 && leverage <= MOST_LEVERAGE;
    if (!(whole >= 0) || !isLeverage) return refusedCheck('INPUT_INVALID', version);
    if (name === 'refusing') return refusedCheck('SERVER_GONE', version);
    const limits = this.#limitsOf(user, now);
    if (limits === undefined) return refusedCheck('USER_NOT_LOADED', version);
    if (limits === null) return refusedCheck('INPUT_INVALID', version);
    const table = this.#tables?.of(symbol, limits, now);
    if (table === undefined) return refusedCheck('MARKET_UNKNOWN', version);
    return table.check(whole, leverage, divisor);
  }

  /** @returns undefined where they are not here yet, null for what is no user. */
  #limitsOf(user: ClientUser | string | undefined, now: number): ClientUser | undefined | null {
    if (user === undefined) return UNKNOWN_USER;
    if (typeof user === 'string') return this.#users.limitsOf(user, now);
    return typeof user === 'object' ? user : null;
  }

  /** A clock that goes back counts as standing still: otherwise what is held would be held for longer. */
  #now(): number {
    const now = this.#clock.now();
    if (now > this.#latest) this.#latest = now;
    return this.#latest;
  }

  #stateAt(now: number): ClientState {
    return now < this.#state.until ? this.#state : this.#renew(now);
  }

  #renew(now: number): ClientState {
    const before = this.#state;
    const state = stateAt(now, this.#contact, this.#settings.fallback);
    this.#state = state;
    if (state.name !== before.name || state.divisor !== before.divisor) {
      const attributes = { from: before.name, to: state.name, divisor: state.divisor };
      // Nobody else's code runs within an answer.
      queueMicrotask(() => {
        const since = Math.max(before.since, this.#startedAt);
        this.#observe('plimsoll.client.state', attributes, Math.max(now - since, 0) / 1000);
        this.#tell('state', state);
      });
    }
    return state;
  }

  #takePolicy(policy: ClientPolicy): void {
    this.#policy = policy;
    if (this.#tables !== null && JSON.stringify(this.#tables.policy) !== JSON.stringify(policy))
      this.#tables = new CapTables(this.#tables.book, policy);
  }

  #take({ id, kind, data }: StreamEvent, isResumed: boolean): boolean {
    if (kind === 'heartbeat') {
      // Before a book, or what follows on the one that is here, a connection is worth nothing.
      if (!(this.#isSettled || isResumed)) return false;
      this.#hear();
      return true;
    }
    if (kind === 'user') {
      const { userId, limits } = readToldUser(data);
      this.#users.told(userId, limits);
      if (this.#isSettled && id !== null) this.#lastEventId = id;
      this.#hear();
      return true;
    }
    if (kind !== 'snapshot' && kind !== 'limits') return false;
    const since = stopwatchSeconds();
    try {
      if (kind === 'snapshot') {
        this.#takeSnapshot(data);
        this.#users.askAgain();
      } else this.#takeChange(data);
    } catch (thrown) {
      if (!(thrown instanceof BookRefused) || thrown.needsSnapshot) this.#lastEventId = null;
      throw thrown;
    }
    if (id !== null) this.#lastEventId = id;
    this.#isSettled = true;
    this.#hear();
    const { version, markets } = { version: this.version, markets: this.#tables?.book.markets.size ?? 0 };
    this.#observe('plimsoll.client.book', { kind, version, markets }, stopwatchSeconds() - since);
    this.#onFirst?.(undefined);
    return true;
  }

  #takeSnapshot(data: string): void {
    const { head, markets } = readSnapshot(data);
    const book = ClientBook.fromSnapshot(this.#tables?.book ?? null, head, markets);
    this.#show(book, [...book.markets.keys()]);
  }

  #takeChange(data: string): void {
    const change = readChange(data);
    const before = this.#tables?.book;
    if (before === undefined) throw new BookRefused('a change came before a book', true);
    const book = before.after(change);
    if (book !== before) this.#show(book, [...change.changed.map(({ symbol }) => symbol), ...change.removed]);
  }

  #show(book: ClientBook, changed: readonly string[]): void {
    if (this.#policy === null) throw new Error('the policy is not here');
    const isOther = book.head.hash !== this.#tables?.book.head.hash;
    this.#tables = new CapTables(book, this.#policy);
    if (isOther) queueMicrotask(() => this.#tell('book', { head: book.head, changed }));
  }

  #hear(): void {
    const now = this.#now();
    const validUntil = this.#tables?.book.head.validUntil ?? 0;
    const { isConnected, connectionSince } = this.#contact;
    this.#contact = {
      isConnected: true,
      connectionSince: isConnected && this.#state.name === 'live' ? connectionSince : now,
      lastHeardAt: now,
      validUntil,
    };
    this.#renew(now);
  }

  #lost(thrown: unknown, seconds: number): void {
    this.#lastFailure = thrown;
    const reason = thrown === undefined ? 'ended' : String((thrown as Error).message ?? thrown);
    this.#observe('plimsoll.client.connection', { reason: reason.slice(0, 200) }, seconds);
    this.#disconnect();
    if (thrown instanceof Refused && (thrown.status === 401 || thrown.status === 403))
      this.#onFirst?.(wrongKey(thrown));
  }

  #disconnect(): void {
    if (!this.#contact.isConnected) return;
    const now = this.#now();
    this.#contact = { ...this.#contact, isConnected: false, connectionSince: now };
    this.#renew(now);
  }

  #tell<Name extends keyof ClientEvents>(name: Name, event: ClientEvents[Name]): void {
    for (const listener of this.#listeners[name] as Set<(event: ClientEvents[Name]) => void>) {
      try {
        listener(event);
      } catch (thrown) {
        this.#observe('plimsoll.client.listener_failed', { event: name, reason: String(thrown) }, 0);
      }
    }
  }

  /** A hook that throws changes nothing. */
  #observe(
    name: string,
    attributes: Readonly<Record<string, string | number | boolean>>,
    seconds: number,
  ): void {
    try {
      this.#options.observe?.(name, attributes, seconds);
    } catch {
      // Whoever watches must not decide.
    }
  }
}

function wrongKey({ status, message }: Refused): PlimsollError {
  return new PlimsollError(status === 401 ? 'UNAUTHENTICATED' : 'FORBIDDEN', message, {
    remedy: 'Give the key of a reader.',
  });
}

function noBook(url: string, seconds: number, failure: unknown): PlimsollError {
  const why = failure instanceof Error ? `: ${failure.message}` : '';
  return new PlimsollError('IO_FAILED', `no limits came from ${url} within ${seconds} s${why}`, {
    remedy: 'Check the address, and that the service has limits: GET /readyz.',
    cause: failure,
  });
}
