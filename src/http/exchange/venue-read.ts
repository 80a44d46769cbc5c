import type { LimitBook } from '../../limits/types.ts';
import { JSON_TYPE, makeRead, type PreparedRead } from '../send.ts';

/** What an answer in an exchange's form is about. */
export interface VenueAnswer {
  readonly json: unknown;
  /** How many markets it tells of. */
  readonly total: number;
  /** How many of the book the exchange could not have. */
  readonly leftOut: number;
}

/** One user's view must not be kept for another. */
export type Audience = 'everybody' | 'one user';

/** An answer in an exchange's form. What that form has no field for is in headers. */
export function venueRead(
  { json, total, leftOut }: VenueAnswer,
  book: LimitBook,
  isExpired: boolean,
  audience: Audience,
): PreparedRead {
  const headers = [
    ['plimsoll-version', book.version],
    ['plimsoll-hash', book.hash],
    ['plimsoll-total', total],
    ['plimsoll-left-out', leftOut],
    ['plimsoll-degraded', book.degraded || isExpired],
    ['plimsoll-simulated', book.simulated],
  ] as const;
  return makeRead(JSON.stringify(json), {
    contentType: JSON_TYPE,
    cacheControl: audience === 'everybody' ? 'no-cache' : 'private, no-cache',
    isExpired,
    isCompressed: true,
    headers: headers.map(([name, value]) => [name, String(value)] as const),
  });
}
