/** A mark price as it came in. */
export interface MarkPrice {
  readonly symbol: string;
  /** In quote units, above 0. */
  readonly price: number;
  /** When it was so, epoch milliseconds. */
  readonly at: number;
}

/** Why a price has no effect. */
export const PRICE_CODES = [
  /** Not a line of a price, or not a number above 0. */
  'PRICE_INVALID',
  'MARKET_UNKNOWN',
  /** No bar of the market has been decided on of late: nothing to judge it by. */
  'PRICE_UNJUDGED',
  'PRICE_FUTURE',
  'PRICE_STALE',
  'PRICE_OUT_OF_ORDER',
  'PRICE_REPEATED',
  'PRICE_HELD',
  'PRICE_IMPLAUSIBLE',
] as const;
export type PriceCode = (typeof PRICE_CODES)[number];

export type PriceOutcome = 'ignored' | 'held' | 'refused';

/** What becomes of a price with a code: one that came again or late is no fault, and one that is held may be confirmed. */
export function outcomeOf(code: PriceCode): PriceOutcome {
  if (code === 'PRICE_OUT_OF_ORDER' || code === 'PRICE_REPEATED') return 'ignored';
  return code === 'PRICE_HELD' ? 'held' : 'refused';
}

/** Takes mark prices in. The answer to each is null where it counts. */
export interface PriceIntake {
  /** @param prices null for what could not be read. @param now epoch milliseconds. */
  take(prices: readonly (MarkPrice | null)[], now: number): readonly (PriceCode | null)[];
}
