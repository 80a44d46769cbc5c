import {
  type Applied,
  brokenLimits,
  type CapScope,
  capEdges,
  largestNotionalAt,
  limitsAt,
  type UserCap,
  userCap,
  withOwn,
} from '../accounts/caps.ts';
import type { CapNote } from '../accounts/position-limits.ts';
import { leverageToMarginPpmUp, PPM } from '../units.ts';
import { dividedLeverage } from './fallback.ts';
import type { ClientReason } from './reasons.ts';

/** The most leverage that a user may carry at a notional of a market. */
export interface ClientCap extends Omit<UserCap, 'bindingReason' | 'nextReason' | 'reasons'> {
  readonly symbol: string;
  readonly bindingReason: ClientReason;
  readonly nextReason: ClientReason | null;
  readonly reasons: readonly ClientReason[];
  /** The largest position at that leverage, in whole quote units. */
  readonly maxNotional: number;
  /** What sets it. */
  readonly notionalReason: ClientReason;
  /** What nobody knows, and did not limit for that reason. */
  readonly notes: readonly CapNote[];
  /** Of the book that it is from; 0 without any. */
  readonly version: number;
}

export interface ClientCheck {
  readonly allowed: boolean;
  readonly maxLeverage: number;
  readonly maxNotional: number;
  readonly clampedLeverage: number;
  readonly clampedNotional: number;
  /** Why it is not allowed as it is; empty where it is allowed. */
  readonly reasons: readonly ClientReason[];
  readonly bindingReason: ClientReason;
  readonly initialMarginRatePpm: number;
  readonly version: number;
}

export interface TableFacts {
  readonly symbol: string;
  readonly version: number;
  readonly notes: readonly CapNote[];
}

/** Why a leverage is not allowed at a notional, for any leverage. */
interface Refusals {
  /** Leverages of the limits, rising. */
  readonly leverages: readonly number[];
  /** What a leverage above so many of them breaks. */
  readonly reasons: readonly (readonly ClientReason[])[];
}

function refusalsOf(limits: readonly Applied[]): Refusals {
  const leverages = [...new Set(limits.map(({ leverage }) => leverage))]
    .filter(Number.isFinite)
    .sort((a, b) => a - b);
  const tried = [...leverages, Number.MAX_VALUE];
  return { leverages, reasons: tried.map((leverage) => brokenLimits(limits, leverage)) };
}

const NOTHING: readonly ClientReason[] = [];

/**
 * All caps of one user in one market. Between the notionals at which anything changes a cap is constant, so each is computed once,
 * by the functions that the server calls, and a question only finds its own.
 */
export class CapTable {
  readonly #count: number;
  /**
   * Edges, rising: a notional is of the first that it is not above. Behind them the leverage up to each, in one piece, because what
   * a question costs is the memory that it has to fetch.
   */
  readonly #numbers: Float64Array;
  /** One more than edges: what is above the last. */
  readonly #caps: readonly ClientCap[];
  readonly #refusals: readonly Refusals[];

  constructor(given: CapScope, { symbol, version, notes }: TableFacts) {
    const scope = withOwn(given);
    const edges = capEdges(scope);
    this.#count = edges.length;
    const notionals = [...edges, edges[edges.length - 1] + 1];
    this.#caps = notionals.map((notional) => {
      const cap = userCap(scope, notional);
      const largest = largestNotionalAt(scope, Math.max(cap.maxLeverage, 1));
      return {
        symbol,
        ...cap,
        maxNotional: largest.notional,
        notionalReason: largest.reason,
        notes,
        version,
      };
    });
    this.#numbers = Float64Array.from([...edges, ...this.#caps.map(({ maxLeverage }) => maxLeverage)]);
    this.#refusals = notionals.map((notional) => refusalsOf(limitsAt(scope, notional)));
  }

  /** @param notional whole quote units, at least 0. @param divisor of the leverages; 1 for what the server grants. */
  cap(notional: number, divisor: number): ClientCap {
    const cap = this.#caps[this.#segmentOf(notional)];
    const maxLeverage = dividedLeverage(cap.maxLeverage, divisor);
    if (maxLeverage === cap.maxLeverage) return cap;
    return {
      ...cap,
      maxLeverage,
      initialMarginRatePpm: Math.min(leverageToMarginPpmUp(maxLeverage), PPM),
      bindingReason: 'SERVER_GONE',
      nextReason: cap.bindingReason,
      nextMaxLeverage: cap.maxLeverage,
      reasons: ['SERVER_GONE', ...cap.reasons],
      maxNotional: this.#largestAt(maxLeverage, divisor),
      notionalReason: 'SERVER_GONE',
    };
  }

  /** @param notional of the whole position after the order, whole quote units. @param leverage at least 1. */
  check(notional: number, leverage: number, divisor: number): ClientCheck {
    const at = this.#segmentOf(notional);
    const cap = this.#caps[at];
    const granted = this.#numbers[this.#count + at];
    const maxLeverage = dividedLeverage(granted, divisor);
    const allowed = leverage <= maxLeverage;
    const maxNotional = this.#largestAt(leverage, divisor);
    const isTightened = maxLeverage < granted;
    return {
      allowed,
      maxLeverage,
      maxNotional,
      clampedLeverage: Math.min(leverage, maxLeverage),
      clampedNotional: Math.min(notional, maxNotional),
      reasons: allowed ? NOTHING : this.#reasons(at, leverage, isTightened),
      bindingReason: isTightened ? 'SERVER_GONE' : cap.bindingReason,
      initialMarginRatePpm: isTightened ? leverageToMarginPpmUp(maxLeverage) : cap.initialMarginRatePpm,
      version: cap.version,
    };
  }

  #reasons(at: number, leverage: number, isTightened: boolean): readonly ClientReason[] {
    const { leverages, reasons } = this.#refusals[at];
    let above = 0;
    while (above < leverages.length && leverage > leverages[above]) above++;
    const broken = reasons[above];
    return isTightened ? ['SERVER_GONE', ...broken] : broken;
  }

  #segmentOf(notional: number): number {
    const numbers = this.#numbers;
    const count = this.#count;
    let at = 0;
    while (at < count && notional > numbers[at]) at++;
    return at;
  }

  /** The largest notional that a leverage is granted at; 0 where it is at none. */
  #largestAt(leverage: number, divisor: number): number {
    const numbers = this.#numbers;
    const count = this.#count;
    for (let at = count - 1; at >= 0; at--)
      if (dividedLeverage(numbers[count + at], divisor) >= leverage) return numbers[at];
    return 0;
  }
}
