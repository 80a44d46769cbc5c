import { BINANCE } from './binance-refusal.ts';
import { BYBIT } from './bybit-refusal.ts';
import { OKX } from './okx-refusal.ts';
import type { Venue } from './venue.ts';

const VENUES: readonly Venue[] = [BINANCE, BYBIT, OKX];

/** The exchange that a path or an address is of, or undefined. */
export function venueOf(path: string): Venue | undefined {
  return VENUES.find(({ prefixes }) => prefixes.some((prefix) => path.startsWith(prefix)));
}
