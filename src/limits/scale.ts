import { MICROS } from '../units.ts';
import { largestNotionalOf, SMALLEST_NOTIONAL_CAP } from './brackets.ts';
import type { Policy } from './policy.ts';
import type { Bracket } from './types.ts';

/** Up to there maintenance margins are safe integers; no cap of a market is above it. */
const LARGEST_NOTIONAL_CAP = 8_000_000 * SMALLEST_NOTIONAL_CAP;

/**
 * A schedule for a user whose positions count differently: caps, floors and maintenance amounts scale with the
 * coefficient, rates and leverages do not (Binance's `notionalCoef`). Caps are rounded down to whole quote units, and
 * amounts follow from the floors, so that maintenance margin stays continuous and exact. A bracket that is left without
 * a notional is left out.
 *
 * With a coefficient above 1 the last bracket, of leverage 1, ends where the market's own does and begins no later,
 * unless the policy lets the coefficient raise that end too. One above the policy's maximum counts as that.
 *
 * @param coefMicros the coefficient in millionths, a whole number above 0.
 * @returns a schedule for which `scheduleFaults` is empty if it is for `brackets`; the same array for a coefficient of 1.
 */
export function scaledBrackets(
  brackets: readonly Bracket[],
  coefMicros: number,
  policy: Pick<Policy, 'maximumNotionalCoef' | 'notionalCoefRaisesLastCap'>,
): readonly Bracket[] {
  const ownCap = largestNotionalOf(brackets);
  const micros = countingCoefMicros(brackets, coefMicros, policy);
  if (micros === MICROS) return brackets;
  const scaled = (notional: number): number => Number((BigInt(notional) * BigInt(micros)) / BigInt(MICROS));
  const last = brackets[brackets.length - 1];
  const raises = policy.notionalCoefRaisesLastCap;
  const lastCap = Math.max(raises ? scaled(ownCap) : Math.min(scaled(ownCap), ownCap), 1);
  const lastFloor = raises
    ? scaled(last.notionalFloor)
    : Math.min(scaled(last.notionalFloor), last.notionalFloor);

  const kept: Bracket[] = [];
  const add = (bracket: Bracket, cap: number): void => {
    const before = kept.at(-1);
    const floor = before?.notionalCap ?? 0;
    if (cap <= floor) return;
    const rise = bracket.maintenanceMarginRatePpm - (before?.maintenanceMarginRatePpm ?? 0);
    kept.push({
      ...bracket,
      bracket: kept.length + 1,
      notionalFloor: floor,
      notionalCap: cap,
      maintenanceAmountMicros: (before?.maintenanceAmountMicros ?? 0) + floor * rise,
    });
  };
  // The last bracket keeps a notional at least, whatever is rounded away.
  const end = Math.min(lastFloor, lastCap - 1);
  for (const bracket of brackets.slice(0, -1)) add(bracket, Math.min(scaled(bracket.notionalCap), end));
  add(last, lastCap);
  return kept;
}

/** What a coefficient counts as for a market, in millionths: itself, or the most that the policy lets one go. */
export function countingCoefMicros(
  brackets: readonly Bracket[],
  coefMicros: number,
  policy: Pick<Policy, 'maximumNotionalCoef' | 'notionalCoefRaisesLastCap'>,
): number {
  const most = policy.notionalCoefRaisesLastCap
    ? Math.min(policy.maximumNotionalCoef, LARGEST_NOTIONAL_CAP / largestNotionalOf(brackets))
    : policy.maximumNotionalCoef;
  return Math.min(coefMicros, Math.max(Math.floor(most * MICROS), 1));
}
