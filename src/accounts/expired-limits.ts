import type { Bracket } from '../limits/types.ts';
import { type Limit, leverageLimit } from './user-limits.ts';

const STEP = 2;
const STEP_MILLISECONDS = 15 * 60_000;

/**
 * What still may be granted of limits whose validity is over: half of the market's most at once, half of that a quarter of an
 * hour later, and so on down to 1x. Nothing while they are valid.
 *
 * @param validUntil epoch milliseconds, as `now`.
 */
export function expiredLimits(
  brackets: readonly Bracket[],
  validUntil: number,
  now: number,
): readonly Limit[] {
  if (now <= validUntil) return [];
  const steps = Math.floor((now - validUntil) / STEP_MILLISECONDS) + 1;
  return [leverageLimit('LIMITS_EXPIRED', Math.floor(brackets[0].maxLeverage / STEP ** steps))];
}
