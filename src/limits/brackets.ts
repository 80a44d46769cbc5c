import { leverageToMarginPpmUp, PPM } from '../units.ts';
import { MAINTENANCE_TO_INITIAL_RATIO } from './curve.ts';
import type { Bracket, MarketLimit } from './types.ts';

/** No bracket's maintenance rate in ppm times its leverage is above this. */
export const HIGHEST_RATE_LEVERAGE_PPM = MAINTENANCE_TO_INITIAL_RATIO * PPM;

/** Cap of the schedule that is left when nothing is known, and the smallest bracket edge, in whole quote units. */
export const SMALLEST_NOTIONAL_CAP = 1000;

/** One bracket of leverage 1 up to the smallest cap: what is left when nothing is known. */
export function mostConservativeBrackets(): readonly Bracket[] {
  return [
    {
      bracket: 1,
      initialMarginRatePpm: PPM,
      maintenanceAmountMicros: 0,
      maintenanceMarginRatePpm: HIGHEST_RATE_LEVERAGE_PPM,
      maxLeverage: 1,
      notionalCap: SMALLEST_NOTIONAL_CAP,
      notionalFloor: 0,
    },
  ];
}

/** Maintenance margin of a notional in this bracket, in millionths of the quote asset: n · rate − amount, exactly. */
export function maintenanceMarginMicros(bracket: Bracket, notional: number): number {
  return notional * bracket.maintenanceMarginRatePpm - bracket.maintenanceAmountMicros;
}

/** The bracket with notionalFloor < notional ≤ notionalCap; the first for 0; null above the last cap: refused. */
export function bracketFor(brackets: readonly Bracket[], notional: number): Bracket | null {
  for (const bracket of brackets) if (notional <= bracket.notionalCap) return bracket;
  return null;
}

/** The most leverage at a notional; 0 above the last cap, where a position is refused. */
export function maxLeverageAt(brackets: readonly Bracket[], notional: number): number {
  return bracketFor(brackets, notional)?.maxLeverage ?? 0;
}

/** What open positions of a market are held to now. */
export function maintenanceOf(market: Pick<MarketLimit, 'brackets' | 'maintenance'>): readonly Bracket[] {
  return market.maintenance ?? market.brackets;
}

/** The largest position that the schedule accepts, in whole quote units. */
export function largestNotionalOf(brackets: readonly Bracket[]): number {
  return brackets[brackets.length - 1].notionalCap;
}

/**
 * Whether `a` grants more than `ratio` times what `b` grants at some notional: a higher leverage, a lower maintenance
 * margin, or a larger position. Exact for a ratio of 1: between two caps of either schedule leverages are constant and
 * maintenance margins linear, so the caps tell all.
 */
export function grantsMore(a: readonly Bracket[], b: readonly Bracket[], ratio = 1): boolean {
  if (largestNotionalOf(a) > largestNotionalOf(b) * ratio) return true;
  let i = 0;
  let j = 0;
  while (i < a.length && j < b.length) {
    const inA = a[i];
    const inB = b[j];
    const notional = Math.min(inA.notionalCap, inB.notionalCap);
    if (inA.maxLeverage > inB.maxLeverage * ratio) return true;
    if (maintenanceMarginMicros(inA, notional) * ratio < maintenanceMarginMicros(inB, notional)) return true;
    if (inA.notionalCap === notional) i++;
    if (inB.notionalCap === notional) j++;
  }
  return false;
}

/**
 * Every invariant of a schedule that does not hold, in words; empty for a good one. Checked in tests and again before
 * a book is sealed, because nothing that breaks one may be published.
 */
export function scheduleFaults(brackets: readonly Bracket[]): string[] {
  if (brackets.length === 0) return ['it has no bracket'];
  const faults: string[] = [];
  for (const [i, bracket] of brackets.entries()) {
    const before = i === 0 ? undefined : brackets[i - 1];
    const name = `bracket ${i + 1}`;
    const integers = [
      bracket.notionalFloor,
      bracket.notionalCap,
      bracket.maxLeverage,
      bracket.initialMarginRatePpm,
      bracket.maintenanceMarginRatePpm,
      bracket.maintenanceAmountMicros,
    ];
    if (!integers.every(Number.isSafeInteger))
      faults.push(`${name} holds a number that is not a safe integer`);
    if (bracket.bracket !== i + 1) faults.push(`${name} is numbered ${bracket.bracket}`);
    if (bracket.notionalFloor !== (before?.notionalCap ?? 0))
      faults.push(`${name} does not start where the one before ends`);
    if (!(bracket.notionalCap > bracket.notionalFloor)) faults.push(`${name} is empty`);
    if (before !== undefined && !(bracket.maxLeverage < before.maxLeverage))
      faults.push(`leverage does not fall in ${name}`);
    if (!(bracket.maintenanceMarginRatePpm > (before?.maintenanceMarginRatePpm ?? 0)))
      faults.push(`the maintenance rate does not rise in ${name}`);
    if (bracket.initialMarginRatePpm !== leverageToMarginPpmUp(bracket.maxLeverage))
      faults.push(`the initial rate of ${name} is not 1 / leverage`);
    if (!(bracket.maintenanceMarginRatePpm * bracket.maxLeverage <= HIGHEST_RATE_LEVERAGE_PPM))
      faults.push(`the maintenance rate of ${name} is too near the initial one`);
    if (!Number.isSafeInteger(bracket.notionalCap * bracket.maintenanceMarginRatePpm))
      faults.push(`maintenance margin is not exact up to the cap of ${name}`);
    if (before === undefined) {
      if (bracket.maintenanceAmountMicros !== 0) faults.push('the first maintenance amount is not 0');
    } else {
      const edge = bracket.notionalFloor;
      if (maintenanceMarginMicros(before, edge) !== maintenanceMarginMicros(bracket, edge))
        faults.push(`maintenance margin jumps at the floor of ${name}`);
    }
  }
  if (brackets[brackets.length - 1].maxLeverage !== 1) faults.push('the last bracket is not of leverage 1');
  return faults;
}
