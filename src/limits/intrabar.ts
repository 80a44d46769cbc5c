import { HOUR_MILLISECONDS } from '../units.ts';
import { excursionAt, type ForecastAxes } from './curve.ts';
import type { GuardPolicy } from './guard-policy.ts';
import type { IntrabarInput } from './market-input.ts';
import type { ForecastCell, IntrabarState } from './types.ts';

/** VaR of a side's adverse excursion at the guard's confidence, by horizon. */
export interface GuardedSides {
  readonly long: Float64Array;
  readonly short: Float64Array;
}

/** The move of a market since its newest bar closed, held against its forecast. */
export interface IntrabarMove {
  /** The side that is further beyond its bound, or nearer to it. */
  readonly side: 'long' | 'short';
  /** Adverse excursion of that side, as a share of the close. */
  readonly excursion: number;
  /** What the forecast allows in the time that it took. */
  readonly allowed: number;
  /** The one over the other: above 1 the move is out of bounds. */
  readonly ratio: number;
}

const SIDES = ['long', 'short'] as const;
/** A market without any forecast move must not be out of bounds by a tick: one hundredth of a percent. */
const LEAST_ALLOWED = 1e-4;

/** @param valueAtRisk sides × horizons × confidences. */
export function guardedSides(
  valueAtRisk: Float64Array,
  { horizonsHours, confidences }: ForecastAxes,
  { confidence }: GuardPolicy,
): GuardedSides {
  const c = confidences.indexOf(confidence);
  const path = (side: number): Float64Array =>
    Float64Array.from(
      horizonsHours,
      (_, h) => valueAtRisk[(side * horizonsHours.length + h) * confidences.length + c],
    );
  return { long: path(0), short: path(1) };
}

/** The same from the forecast that is published with a market; null where it has none. */
export function publishedSides(
  cells: readonly ForecastCell[],
  { confidence }: GuardPolicy,
): GuardedSides | null {
  const path = (side: 'long' | 'short'): Float64Array =>
    Float64Array.from(
      cells.filter((cell) => cell.side === side && cell.confidence === confidence),
      ({ valueAtRisk }) => valueAtRisk,
    );
  const sides = { long: path('long'), short: path('short') };
  return sides.long.length === 0 || sides.short.length === 0 ? null : sides;
}

/**
 * What the forecast allows after some time: the VaR over that time. Below the first horizon h₁ it is
 * VaR(h₁) · √(max(time, least time) / h₁), for a random walk's excursion grows with the square root of time; beyond it
 * as everywhere, see `excursionAt`.
 */
export function allowedExcursion(
  elapsedHours: number,
  byHorizon: Float64Array,
  horizonsHours: readonly number[],
  { minimumElapsedHours }: GuardPolicy,
): number {
  const hours = Math.max(elapsedHours, minimumElapsedHours);
  const [first] = horizonsHours;
  const allowed =
    hours < first ? byHorizon[0] * Math.sqrt(hours / first) : excursionAt(hours, byHorizon, horizonsHours);
  return Math.max(allowed, LEAST_ALLOWED);
}

/** The worse side's move: the lowest price hurts longs, the highest shorts, each in the time until it was there. */
export function intrabarMove(
  { since, referencePrice, lowestPrice, lowestAt, highestPrice, highestAt }: IntrabarInput,
  sides: GuardedSides,
  horizonsHours: readonly number[],
  guard: GuardPolicy,
): IntrabarMove {
  const excursion = {
    long: Math.max((referencePrice - lowestPrice) / referencePrice, 0),
    short: Math.max((highestPrice - referencePrice) / referencePrice, 0),
  };
  const at = { long: lowestAt, short: highestAt };
  const [long, short] = SIDES.map((side): IntrabarMove => {
    const hours = (at[side] - since) / HOUR_MILLISECONDS;
    const allowed = allowedExcursion(hours, sides[side], horizonsHours, guard);
    return { side, excursion: excursion[side], allowed, ratio: excursion[side] / allowed };
  });
  return short.ratio > long.ratio ? short : long;
}

/**
 * What a market's guard remembers: the worst of its moves that were out of bounds since its newest bar closed. A bar that
 * closes later forgets it; null where there is nothing to remember.
 */
export function guardState(
  asOf: number,
  move: IntrabarMove | null,
  previous: IntrabarState | undefined,
): IntrabarState | null {
  const held = previous !== undefined && previous.since >= asOf ? previous : null;
  const isOut = move !== null && move.ratio > 1;
  if (!isOut) return held;
  return {
    excursion: Math.max(move.excursion, held?.excursion ?? 0),
    ratio: Math.max(move.ratio, held?.ratio ?? 0),
    since: Math.max(asOf, held?.since ?? asOf),
  };
}
