import type { MarketLimit } from '../types.ts';

/** How much is held and traded in a market, in whole quote units rounded down; null where a decision did not know it. */
export interface MarketActivity {
  readonly openInterest: number | null;
  /** 24 times the volume of a quiet hour, on which closeouts count too. */
  readonly dailyVolume: number | null;
}

const HOURS_IN_DAY = 24;

/**
 * What the decision behind a published market knew: open interest as its crowding bound last did, and the robust hourly volume
 * of its liquidity bound. Nothing is added to a book for this.
 */
export function marketActivity({ bounds, boundState }: MarketLimit): MarketActivity {
  const liquidity = bounds.find(({ name }) => name === 'liquidity');
  const hourly = liquidity?.evidence.hourlyQuoteVolume;
  return {
    openInterest: usable(boundState?.crowding?.openInterest),
    dailyVolume: usable(typeof hourly === 'number' ? hourly * HOURS_IN_DAY : null),
  };
}

/** Whole, so that it is the same number wherever it is sent. */
function usable(value: number | null | undefined): number | null {
  if (value === null || value === undefined || !(value > 0 && Number.isFinite(value))) return null;
  return Math.min(Math.floor(value), Number.MAX_SAFE_INTEGER);
}
