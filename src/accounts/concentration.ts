import type { MarketActivity } from '../limits/bounds/market-activity.ts';
import type { UserCapPolicy } from '../limits/user-policy.ts';
import type { CapNote, PositionLimits } from './position-limits.ts';
import { type CapReason, type Limit, notionalLimit } from './user-limits.ts';

/**
 * How much of a market one user may be, by what is open and by what is traded in it.
 *
 * @param elsewhere what the user's other accounts hold on the same side, in quote units.
 */
export function concentrationLimits(
  { openInterest, dailyVolume }: MarketActivity,
  { openInterestShare, dailyVolumeShare }: Pick<UserCapPolicy, 'openInterestShare' | 'dailyVolumeShare'>,
  elsewhere: number,
): PositionLimits {
  const limits: Limit[] = [];
  const notes: CapNote[] = [];
  const concentrate = (reason: CapReason, note: CapNote, whole: number | null, share: number): void => {
    if (whole === null) notes.push(note);
    else limits.push(notionalLimit(reason, whole * share - elsewhere));
  };
  concentrate('OPEN_INTEREST_SHARE', 'OPEN_INTEREST_UNKNOWN', openInterest, openInterestShare);
  concentrate('VOLUME_SHARE', 'VOLUME_UNKNOWN', dailyVolume, dailyVolumeShare);
  return { limits, notes };
}
