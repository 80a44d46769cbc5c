import { isoTime } from '../clock.ts';
import { formatMicros, formatWhole } from '../units.ts';
import { marketActivity } from './bounds/market-activity.ts';
import { maintenanceOf } from './brackets.ts';
import type { Bracket, MarketLimit } from './types.ts';

/** A bracket as it is sent: notionals and amounts are decimal strings. */
export interface BracketShape {
  bracket: number;
  notionalFloor: string;
  notionalCap: string;
  maxLeverage: number;
  initialMarginRatePpm: number;
  maintenanceMarginRatePpm: number;
  maintenanceAmount: string;
}

/** A schedule is told in several answers; its numbers are written once. */
const schedules = new WeakMap<readonly Bracket[], BracketShape[]>();

export function scheduleShape(brackets: readonly Bracket[]): BracketShape[] {
  let shape = schedules.get(brackets);
  if (shape === undefined) {
    shape = brackets.map(bracketShape);
    schedules.set(brackets, shape);
  }
  return shape;
}

function bracketShape(bracket: Bracket): BracketShape {
  return {
    bracket: bracket.bracket,
    notionalFloor: formatWhole(bracket.notionalFloor),
    notionalCap: formatWhole(bracket.notionalCap),
    maxLeverage: bracket.maxLeverage,
    initialMarginRatePpm: bracket.initialMarginRatePpm,
    maintenanceMarginRatePpm: bracket.maintenanceMarginRatePpm,
    maintenanceAmount: formatMicros(bracket.maintenanceAmountMicros),
  };
}

/** What open positions are held to, now and announced. */
export function maintenanceShape(market: MarketLimit) {
  return {
    maintenance: scheduleShape(maintenanceOf(market)),
    announced: (market.announced ?? []).map(({ brackets, effectiveAt, announcedAt }) => ({
      effectiveAt: isoTime(effectiveAt),
      announcedAt: isoTime(announcedAt),
      brackets: scheduleShape(brackets),
    })),
  };
}

/** How much is held and traded in a market: what one user may be of it follows. Null where nobody knows. */
export function activityShape(market: MarketLimit) {
  const { openInterest, dailyVolume } = marketActivity(market);
  return {
    openInterest: openInterest === null ? null : formatWhole(openInterest),
    dailyVolume: dailyVolume === null ? null : formatWhole(dailyVolume),
  };
}
