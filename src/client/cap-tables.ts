import type { CapScope } from '../accounts/caps.ts';
import { concentrationLimits } from '../accounts/concentration.ts';
import type { PositionLimits } from '../accounts/position-limits.ts';
import { personalLimits, UNKNOWN_USER, type UserLimits } from '../accounts/user-limits.ts';
import { DAY_MILLISECONDS } from '../units.ts';
import type { ClientBook } from './book.ts';
import { CapTable } from './cap-table.ts';
import type { ClientMarket, ClientPolicy } from './wire.ts';

/** What is known of a user; what is left out counts as unknown. */
export type ClientUser = Partial<UserLimits>;

/** Some two kilobytes each. */
const MOST_TABLES = 50_000;

/** Users that are limited alike: they share tables. */
interface UserClass {
  readonly tables: Map<string, CapTable>;
}

interface Membership {
  readonly of: UserClass;
  /** Epoch milliseconds: from then on the user is limited otherwise. */
  readonly until: number;
}

/** The tables that were asked for, of one book under one policy; another book begins anew. */
export class CapTables {
  readonly book: ClientBook;
  readonly policy: ClientPolicy;
  readonly #classes = new Map<string, UserClass>();
  #members = new WeakMap<ClientUser, Membership>();
  #tables = 0;

  constructor(book: ClientBook, policy: ClientPolicy) {
    this.book = book;
    this.policy = policy;
  }

  /** @returns undefined for a market that the book does not have. */
  of(symbol: string, user: ClientUser, now: number): CapTable | undefined {
    const member = this.#members.get(user);
    const { of } = member !== undefined && now < member.until ? member : this.#join(user, now);
    return of.tables.get(symbol) ?? this.#make(symbol, of, { ...UNKNOWN_USER, ...user }, now);
  }

  /** @param user who asks: of the others of the class some may have left it by now. */
  #make(symbol: string, { tables }: UserClass, user: UserLimits, now: number): CapTable | undefined {
    const market = this.book.markets.get(symbol);
    if (market === undefined) return undefined;
    const concentration = concentrationOf(market, this.policy);
    const scope: CapScope = {
      ...{ brackets: market.brackets, user, policy: this.policy, now },
      positionLimits: concentration.limits,
    };
    const { version } = this.book.head;
    const made = new CapTable(scope, { symbol, version, notes: ['NO_ACCOUNT', ...concentration.notes] });
    if (this.#tables >= MOST_TABLES) this.#forget();
    tables.set(symbol, made);
    this.#tables++;
    return made;
  }

  #join(given: ClientUser, now: number): Membership {
    const user = { ...UNKNOWN_USER, ...given };
    const limits = personalLimits(user, this.policy, now);
    const key = JSON.stringify([
      user.notionalCoefMicros,
      limits.map((one) => [one.reason, one.leverage, one.initialMarginRatePpm]),
    ]);
    let of = this.#classes.get(key);
    if (of === undefined) {
      of = { tables: new Map() };
      this.#classes.set(key, of);
    }
    const member = { of, until: this.#changeOf(user, now) };
    this.#members.set(given, member);
    return member;
  }

  /** When a user's own limits change by time alone. */
  #changeOf({ accountCreatedAt, overrideExpiresAt }: UserLimits, now: number): number {
    const grownAt =
      accountCreatedAt === null
        ? Number.NaN
        : accountCreatedAt + this.policy.newAccountDays * DAY_MILLISECONDS;
    return Math.min(
      grownAt > now ? grownAt : Number.POSITIVE_INFINITY,
      overrideExpiresAt !== null && overrideExpiresAt > now ? overrideExpiresAt : Number.POSITIVE_INFINITY,
    );
  }

  #forget(): void {
    for (const { tables } of this.#classes.values()) tables.clear();
    this.#classes.clear();
    this.#members = new WeakMap();
    this.#tables = 0;
  }
}

/** As the server limits a user of whom no account is known. */
function concentrationOf(market: ClientMarket, policy: ClientPolicy): PositionLimits {
  return concentrationLimits(market, policy.users, 0);
}
