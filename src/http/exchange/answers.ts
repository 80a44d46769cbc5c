import type { LimitBook } from '../../limits/types.ts';
import { isExpired } from '../books.ts';
import type { RouteAnswer, RouteContext } from '../routes.ts';
import { type Audience, type VenueAnswer, venueRead } from './venue-read.ts';

/** An answer that is made for one request. */
export function answered(
  context: RouteContext,
  book: LimitBook,
  answer: VenueAnswer,
  audience: Audience,
): RouteAnswer {
  return { read: venueRead(answer, book, isExpired(book, context), audience) };
}
