import type { CrowdingPolicy, DepthPolicy } from '../../limits/bound-policy.ts';
import { isPossibleOpenInterest } from '../../limits/bounds/crowding.ts';
import { isPossibleDepth } from '../../limits/bounds/liquidity.ts';
import type { MarketDepth } from '../../limits/curve.ts';
import type { DepthInput, MarketInput, OpenInterestInput } from '../../limits/market-input.ts';
import type { LimitBook } from '../../limits/types.ts';
import { HOUR_MILLISECONDS } from '../../units.ts';
import { CLOCK_TOLERANCE_MILLISECONDS } from './price-window.ts';

/** How much is open in a market and what its order book holds, as it came in; at least one of the two. */
export interface ObservedActivity {
  readonly symbol: string;
  /** In units of the quote asset; null where nothing is said of it. */
  readonly openInterest: number | null;
  readonly depth: MarketDepth | null;
  /** When it was so, epoch milliseconds. */
  readonly observedAt: number;
}

/** Why an observation has no effect. */
export const ACTIVITY_CODES = [
  /** Not a line of open interest or depth. */
  'ACTIVITY_INVALID',
  'MARKET_UNKNOWN',
  'ACTIVITY_FUTURE',
  /** Older than any decision would count it. */
  'ACTIVITY_STALE',
  /** No market has such numbers. */
  'ACTIVITY_IMPLAUSIBLE',
  'ACTIVITY_OUT_OF_ORDER',
  'ACTIVITY_REPEATED',
] as const;
export type ActivityCode = (typeof ACTIVITY_CODES)[number];

export type ActivityOutcome = 'ignored' | 'refused';

/** What becomes of an observation with a code: one that came again or late is no fault. */
export function activityOutcomeOf(code: ActivityCode): ActivityOutcome {
  return code === 'ACTIVITY_OUT_OF_ORDER' || code === 'ACTIVITY_REPEATED' ? 'ignored' : 'refused';
}

/** Takes observations in. The answer to each is null where it counts. */
export interface ActivityIntake {
  /** @param observed null for what could not be read. @param now epoch milliseconds. */
  take(observed: readonly (ObservedActivity | null)[], now: number): readonly (ActivityCode | null)[];
}

/** Is told what came in: when the newest observation that counts was so, and how many have no effect, by code. */
export interface ActivityObserver {
  activityTaken(newestAt: number | null, rejected: ReadonlyMap<ActivityCode, number>): void;
}

/** What is known of a market; null for what was never told. */
export interface KnownActivity {
  readonly openInterest: OpenInterestInput | null;
  readonly depth: DepthInput | null;
}

/** By symbol, for a decision: plain data, it goes to the worker. */
export type ActivityReport = ReadonlyMap<string, KnownActivity>;

export const NO_ACTIVITY: ActivityReport = new Map();

const NOTHING_KNOWN: KnownActivity = { openInterest: null, depth: null };

/**
 * The newest open interest and order book that were told of each market of the book in force. Both are kept in memory
 * alone: after a restart they are missing until they are told again, and the bounds hold what they knew.
 */
export class LiveActivity implements ActivityIntake {
  readonly #rules: { readonly crowding: CrowdingPolicy; readonly depth: DepthPolicy };
  readonly #observer: ActivityObserver | undefined;
  #markets: ReadonlyMap<string, { known: KnownActivity }> = new Map();

  constructor(
    rules: { readonly crowding: CrowdingPolicy; readonly depth: DepthPolicy },
    observer?: ActivityObserver,
  ) {
    this.#rules = rules;
    this.#observer = observer;
  }

  take(observed: readonly (ObservedActivity | null)[], now: number): readonly (ActivityCode | null)[] {
    const rejected = new Map<ActivityCode, number>();
    let newestAt: number | null = null;
    const codes = observed.map((one) => {
      const code = one === null ? 'ACTIVITY_INVALID' : this.#take(one, now);
      if (code !== null) rejected.set(code, (rejected.get(code) ?? 0) + 1);
      else if (one !== null) newestAt = Math.max(one.observedAt, newestAt ?? 0);
      return code;
    });
    this.#observer?.activityTaken(newestAt, rejected);
    return codes;
  }

  /** For a decision that is made at a time: a sender's clock that is a little ahead says no more than now. */
  report(now: number): ActivityReport {
    const report = new Map<string, KnownActivity>();
    for (const [symbol, { known }] of this.#markets) {
      if (known !== NOTHING_KNOWN)
        report.set(symbol, { openInterest: by(known.openInterest, now), depth: by(known.depth, now) });
    }
    return report;
  }

  /** A book is in force: what is known of markets that it does not have is forgotten. */
  published({ markets }: LimitBook): void {
    const before = this.#markets;
    this.#markets = new Map(
      markets.map(({ symbol }) => [symbol, before.get(symbol) ?? { known: NOTHING_KNOWN }] as const),
    );
  }

  #take(observed: ObservedActivity, now: number): ActivityCode | null {
    const market = this.#markets.get(observed.symbol);
    if (market === undefined) return 'MARKET_UNKNOWN';
    const { openInterest, depth, observedAt } = observed;
    if (!Number.isSafeInteger(observedAt) || (openInterest === null && depth === null))
      return 'ACTIVITY_INVALID';
    if (observedAt > now + CLOCK_TOLERANCE_MILLISECONDS) return 'ACTIVITY_FUTURE';
    const isPossible =
      (openInterest === null || isPossibleOpenInterest(openInterest)) &&
      (depth === null || isPossibleDepth(depth));
    if (!isPossible) return 'ACTIVITY_IMPLAUSIBLE';
    if (this.#isStale(observed, now)) return 'ACTIVITY_STALE';
    const { known } = market;
    if (isRepeated(observed, known)) return 'ACTIVITY_REPEATED';
    const next = {
      openInterest:
        openInterest !== null && isNewer(observedAt, known.openInterest)
          ? { quoteNotional: openInterest, observedAt }
          : known.openInterest,
      depth:
        depth !== null && isNewer(observedAt, known.depth)
          ? { quoteNotional: depth.quoteNotional, bandRate: depth.bandRate, observedAt }
          : known.depth,
    };
    if (next.openInterest === known.openInterest && next.depth === known.depth)
      return 'ACTIVITY_OUT_OF_ORDER';
    market.known = next;
    return null;
  }

  /** Whether no part of it would count in a decision made now. */
  #isStale({ openInterest, depth, observedAt }: ObservedActivity, now: number): boolean {
    const isTooOld = (value: unknown, { staleAfterHours }: { readonly staleAfterHours: number }): boolean =>
      value === null || now - observedAt > staleAfterHours * HOUR_MILLISECONDS;
    return isTooOld(openInterest, this.#rules.crowding) && isTooOld(depth, this.#rules.depth);
  }
}

function isNewer(observedAt: number, known: { readonly observedAt: number } | null): boolean {
  return known === null || observedAt > known.observedAt;
}

function isRepeated({ openInterest, depth, observedAt }: ObservedActivity, known: KnownActivity): boolean {
  const isSameInterest =
    openInterest === null ||
    (known.openInterest?.observedAt === observedAt && known.openInterest.quoteNotional === openInterest);
  const isSameDepth =
    depth === null ||
    (known.depth?.observedAt === observedAt &&
      known.depth.quoteNotional === depth.quoteNotional &&
      known.depth.bandRate === depth.bandRate);
  return isSameInterest && isSameDepth;
}

function by<T extends { readonly observedAt: number }>(known: T | null, now: number): T | null {
  return known === null || known.observedAt <= now ? known : { ...known, observedAt: now };
}

/**
 * A market's input with what was told of it live: the newer of the open interest that it has and of the live one, of two
 * of the same time the larger one, and the live order book.
 */
export function withActivity(input: MarketInput, activity: ActivityReport): MarketInput {
  const known = activity.get(input.symbol);
  if (known === undefined) return input;
  const { liquidity } = input;
  return {
    ...input,
    openInterest: newerOf(input.openInterest, known.openInterest),
    liquidity: liquidity === null || known.depth === null ? liquidity : { ...liquidity, depth: known.depth },
  };
}

function newerOf(a: OpenInterestInput | null, b: OpenInterestInput | null): OpenInterestInput | null {
  if (a === null || b === null) return a ?? b;
  if (a.observedAt === b.observedAt) return a.quoteNotional > b.quoteNotional ? a : b;
  return a.observedAt > b.observedAt ? a : b;
}
