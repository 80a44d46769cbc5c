import { microsToWholeUp, PPM, parseMicros } from '../units.ts';
import type { ClientCap, ClientCheck } from './cap-table.ts';
import type { ClientReason } from './reasons.ts';

/** What is answered where nothing may be granted. */
export function refusedCap(symbol: string, reason: ClientReason, version: number): ClientCap {
  return {
    ...{ symbol, maxLeverage: 0, initialMarginRatePpm: PPM, bindingReason: reason, nextReason: null },
    ...{
      nextMaxLeverage: null,
      reasons: [reason],
      maxNotional: 0,
      notionalReason: reason,
      notes: [],
      version,
    },
  };
}

export function refusedCheck(reason: ClientReason, version: number): ClientCheck {
  return {
    ...{ allowed: false, maxLeverage: 0, maxNotional: 0, clampedLeverage: 0, clampedNotional: 0 },
    ...{ reasons: [reason], bindingReason: reason, initialMarginRatePpm: PPM, version },
  };
}

/**
 * A notional in whole quote units, rounded up as the server does it.
 *
 * @param notional a number, or a decimal string. @returns NaN for anything else.
 */
export function wholeNotionalOf(notional: number | string): number {
  if (typeof notional === 'number')
    return notional >= 0 ? Math.min(Math.ceil(notional), Number.MAX_SAFE_INTEGER) : Number.NaN;
  if (typeof notional !== 'string') return Number.NaN;
  const micros = parseMicros(notional);
  return micros === null || micros < 0n ? Number.NaN : microsToWholeUp(micros);
}
