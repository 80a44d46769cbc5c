import { PPM } from '../units.ts';
import { HIGHEST_RATE_LEVERAGE_PPM, largestNotionalOf } from './brackets.ts';
import type { Bracket } from './types.ts';

/**
 * - `square-root`: max(base, 0.8 · base + factor · √n), as FTX had it and Drift has it, here in quote notional;
 * - `linear`: base + factor · n, as Deribit has it;
 * - `flat`: base at every notional, as a liquidity tier of dYdX has it.
 */
export const SIZE_FORM_KINDS = ['square-root', 'linear', 'flat'] as const;
export type SizeFormKind = (typeof SIZE_FORM_KINDS)[number];

/** A margin rate that grows with the notional n by one formula, without brackets. */
export interface SizeRate {
  readonly baseRatePpm: number;
  /** In 10⁻¹⁸ per quote unit (`linear`) or per root of one (`square-root`); 0 for `flat`. */
  readonly factor: bigint;
}

/** A schedule in the form of a venue that has no brackets. It never asks for less than the schedule does. */
export interface SizeForm {
  readonly kind: SizeFormKind;
  /** Positions above it are refused, in whole quote units. */
  readonly largestNotional: number;
  readonly initial: SizeRate;
  readonly maintenance: SizeRate;
}

/** What a factor of 1 is counted in, and how many of these are a millionth. */
export const FACTOR_DECIMALS = 18;
const FACTOR_PER_PPM = 10n ** 12n;

/**
 * Where a form ends if nobody says: at the end of the last bracket that grants more than leverage 1. The last one of all
 * covers what may hardly be held, and a formula that reaches there would ask too much everywhere else.
 */
export function usualLargestNotional(brackets: readonly Bracket[]): number {
  return brackets.findLast(({ maxLeverage }) => maxLeverage > 1)?.notionalCap ?? largestNotionalOf(brackets);
}

/**
 * The form that covers a schedule up to a notional: first the smallest base, which is the rate of the first bracket (for
 * `flat` of the last), then the smallest factor with which no initial and no maintenance margin is below that of the
 * schedule, and maintenance margin is at most 0.75 of the initial one. Exact, rounded up in the last decimal.
 *
 * @param largestNotional whole quote units, above 0 and at most the last cap.
 */
export function sizeFormOf(
  brackets: readonly Bracket[],
  kind: SizeFormKind,
  largestNotional: number,
): SizeForm {
  const within = brackets
    .filter(({ notionalFloor }) => notionalFloor < largestNotional)
    .map((bracket) => ({ ...bracket, notionalCap: Math.min(bracket.notionalCap, largestNotional) }));
  const [first] = within;
  if (kind === 'flat') return flatForm(within, largestNotional);
  const initialBase = first.initialMarginRatePpm;
  const maintenanceBase = first.maintenanceMarginRatePpm;
  const { initial, maintenance } = kind === 'linear' ? LINEAR : SQUARE_ROOT;
  const later = within.slice(1);
  const maintenanceFactor = largest(later.map((bracket) => maintenance(bracket, BigInt(maintenanceBase))));
  const initialFactor = largest([
    ...later.map((bracket) => initial(bracket, BigInt(initialBase))),
    ceilDivide(maintenanceFactor * BigInt(PPM), BigInt(HIGHEST_RATE_LEVERAGE_PPM)),
  ]);
  return {
    kind,
    largestNotional,
    initial: { baseRatePpm: initialBase, factor: initialFactor },
    maintenance: { baseRatePpm: maintenanceBase, factor: maintenanceFactor },
  };
}

/** The margin rate at a notional of whole quote units, in ppm, rounded up; above 1,000,000 where more than all is asked for. */
export function sizeRatePpm(kind: SizeFormKind, { baseRatePpm, factor }: SizeRate, notional: number): number {
  const base = BigInt(baseRatePpm);
  const size = BigInt(notional);
  if (kind !== 'square-root') return Number(base + ceilDivide(factor * size, FACTOR_PER_PPM));
  // 5 · rate − 4 · base is at least 5 · factor · √n.
  const grown = ceilDivide(
    4n * base * FACTOR_PER_PPM + ceilRoot(25n * factor * factor * size),
    5n * FACTOR_PER_PPM,
  );
  return Math.max(baseRatePpm, Number(grown));
}

/** The factors with which a rate covers one bracket after the first; bases are in ppm. */
interface Cover {
  initial(bracket: Bracket, base: bigint): bigint;
  maintenance(bracket: Bracket, base: bigint): bigint;
}

const LINEAR: Cover = {
  // The rate of the bracket is asked for from its floor on.
  initial: ({ notionalFloor, initialMarginRatePpm }, base) =>
    ceilDivide((BigInt(initialMarginRatePpm) - base) * FACTOR_PER_PPM, BigInt(notionalFloor)),
  // The most of p / n − a / n², which has its peak p² / 4a at n = 2a / p.
  maintenance: (bracket, base) => {
    const { floor, cap, rate, amount } = exact(bracket);
    const p = rate - base;
    if (2n * amount >= floor * p && 2n * amount <= cap * p)
      return ceilDivide(p * p * FACTOR_PER_PPM, 4n * amount);
    const n = 2n * amount < floor * p ? floor : cap;
    return ceilDivide((p * n - amount) * FACTOR_PER_PPM, n * n);
  },
};

const SQUARE_ROOT: Cover = {
  initial: ({ notionalFloor, initialMarginRatePpm }, base) => {
    const p = 5n * BigInt(initialMarginRatePpm) - 4n * base;
    return ceilRoot(ceilDivide(p * p * FACTOR_PER_PPM ** 2n, 25n * BigInt(notionalFloor)));
  },
  // The most of (p · n − a) / n^1.5, whose square has its peak 4p³ / 27a at n = 3a / p. Here p is in fifths.
  maintenance: (bracket, base) => {
    const { floor, cap, rate, amount } = exact(bracket);
    const p = 5n * rate - 4n * base;
    if (15n * amount >= floor * p && 15n * amount <= cap * p)
      return ceilRoot(ceilDivide(4n * p ** 3n * FACTOR_PER_PPM ** 2n, 125n * 27n * amount));
    const n = 15n * amount < floor * p ? floor : cap;
    return ceilRoot(ceilDivide((p * n - 5n * amount) ** 2n * FACTOR_PER_PPM ** 2n, 25n * n ** 3n));
  },
};

/** One rate for all: that of the largest position. */
function flatForm(within: readonly Bracket[], largestNotional: number): SizeForm {
  const last = within[within.length - 1];
  const { rate, amount } = exact(last);
  const maintenanceRatePpm = Number(rate - amount / BigInt(largestNotional));
  return {
    kind: 'flat',
    largestNotional,
    initial: { baseRatePpm: last.initialMarginRatePpm, factor: 0n },
    maintenance: { baseRatePpm: maintenanceRatePpm, factor: 0n },
  };
}

function exact(bracket: Bracket) {
  return {
    floor: BigInt(bracket.notionalFloor),
    cap: BigInt(bracket.notionalCap),
    rate: BigInt(bracket.maintenanceMarginRatePpm),
    amount: BigInt(bracket.maintenanceAmountMicros),
  };
}

function largest(values: readonly bigint[]): bigint {
  return values.reduce((most, value) => (value > most ? value : most), 0n);
}

/** @param dividend at least 0. */
function ceilDivide(dividend: bigint, divisor: bigint): bigint {
  return (dividend + divisor - 1n) / divisor;
}

/** The least whole number whose square is at least the given one, by Newton's method from above. */
function ceilRoot(square: bigint): bigint {
  if (square < 2n) return square;
  let root = 1n << BigInt((square.toString(2).length + 1) >> 1);
  for (;;) {
    const next = (root + square / root) >> 1n;
    if (next >= root) return root * root < square ? root + 1n : root;
    root = next;
  }
}
