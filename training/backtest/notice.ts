import type { MarketLimit } from '../../src/limits/types.ts';
import { HOUR_MILLISECONDS } from '../../src/units.ts';

/**
 * Hours of notice that open positions had before the rise of their margin that a decision brought into force; null where it
 * brought none. The decision says by its reasons whether it did: the table itself may have come down in the same decision,
 * and is then not the one that was announced.
 */
export function noticeHoursOf(
  previous: Pick<MarketLimit, 'announced'> | null,
  { reasons }: Pick<MarketLimit, 'reasons'>,
  decidedAt: number,
): number | null {
  if (!reasons.includes('MAINTENANCE_RAISED')) return null;
  // Of several that were due the last one is in force.
  const due = previous?.announced?.findLast(({ effectiveAt }) => effectiveAt <= decidedAt);
  // What was not announced before was announced and raised by one decision.
  return due === undefined ? 0 : (due.effectiveAt - due.announcedAt) / HOUR_MILLISECONDS;
}
