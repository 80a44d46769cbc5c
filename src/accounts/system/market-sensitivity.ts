import { MAINTENANCE_TO_INITIAL_RATIO } from '../../limits/curve.ts';
import { survivalProbability } from '../../limits/distribution.ts';
import type { ForecastCell, MarketLimit } from '../../limits/types.ts';
import { leverageToMarginPpmUp, ppmToRate } from '../../units.ts';

/** What a position of the smallest bracket, opened now at some leverage, has to expect within the horizon. */
export interface SensitivityPoint {
  readonly leverage: number;
  readonly side: 'long' | 'short';
  /** That its equity meets its maintenance margin within the horizon. */
  readonly liquidationProbability: number;
  /** Expected loss beyond the margin, as a share of the notional, if the closeout gets the worst price of the horizon: no less is to be expected, and as a rule less comes. */
  readonly badDebtRatio: number;
}

const SIDES = ['long', 'short'] as const;
/** No price rises further than to this many times what it was; none falls below zero. */
const LARGEST_RISE = 10;

/**
 * Liquidation probability and expected bad debt by leverage, from the forecast distribution that was published for the
 * market: the adverse excursion A of a side within the horizon, see `survivalProbability`.
 *
 * A long of leverage L is liquidated when 1 / L − A meets the maintenance margin of what is left, m (1 − A), a short when it
 * meets m (1 + A): at A = (1 / L − m) / (1 − m) and (1 / L − m) / (1 + m). m is the rate of the first bracket, or 0.75
 * of 1 / L where that is less, the most that any published table has. Bad debt is E[(A + c − 1 / L)⁺] = ∫ P(A > x) dx from 1 / L − c on.
 *
 * @param leverages at least 1. @param closeoutCostRate c, as a share of the notional.
 * @returns empty where no forecast of the horizon was published.
 */
export function marketSensitivity(
  { forecasts, brackets }: Pick<MarketLimit, 'forecasts' | 'brackets'>,
  leverages: readonly number[],
  horizonHours: number,
  closeoutCostRate: number,
): readonly SensitivityPoint[] {
  const tableRate = ppmToRate(brackets[0].maintenanceMarginRatePpm);
  return SIDES.flatMap((side) => {
    const distribution = distributionOf(forecasts, side, horizonHours);
    if (distribution === null) return [];
    const { quantiles, confidences } = distribution;
    const furthest = side === 'long' ? 1 : LARGEST_RISE - 1;
    return leverages.map((leverage) => {
      const initial = ppmToRate(leverageToMarginPpmUp(leverage));
      const rate = Math.min(tableRate, MAINTENANCE_TO_INITIAL_RATIO * initial);
      const trigger = (initial - rate) / (side === 'long' ? 1 - rate : 1 + rate);
      const from = Math.max(initial - closeoutCostRate, 0);
      return {
        leverage,
        side,
        liquidationProbability: trigger > furthest ? 0 : survivalProbability(trigger, quantiles, confidences),
        badDebtRatio: survivalIntegral(from, furthest, quantiles, confidences),
      };
    });
  });
}

/** Null where there are fewer than two quantiles. */
function distributionOf(
  forecasts: readonly ForecastCell[],
  side: 'long' | 'short',
  horizonHours: number,
): { readonly quantiles: Float64Array; readonly confidences: readonly number[] } | null {
  const cells = forecasts
    .filter((cell) => cell.side === side && cell.horizonHours === horizonHours)
    .sort((a, b) => a.confidence - b.confidence);
  if (cells.length < 2) return null;
  return {
    quantiles: Float64Array.from(cells, ({ valueAtRisk }) => valueAtRisk),
    confidences: cells.map(({ confidence }) => confidence),
  };
}

/**
 * ∫ P(A > x) dx, exactly: an exponential law between quantiles, a power law beyond the last.
 *
 * @param from at least 0. @param quantiles rising, at least two.
 */
export function survivalIntegral(
  from: number,
  until: number,
  quantiles: ArrayLike<number>,
  confidences: readonly number[],
): number {
  const survival = (x: number): number => survivalProbability(x, quantiles, confidences);
  const last = confidences.length - 1;
  let sum = 0;
  let lower = 0;
  let lowerLog = 0;
  for (let i = 0; i <= last; i++) {
    const upper = quantiles[i];
    const upperLog = Math.log(1 - confidences[i]);
    const [a, b] = [Math.max(from, lower), Math.min(until, upper)];
    if (b > a) {
      const slope = (upperLog - lowerLog) / (upper - lower);
      const at = (x: number): number => Math.exp(lowerLog + slope * (x - lower));
      sum += (at(b) - at(a)) / slope;
    }
    if (upper > lower) lower = upper;
    lowerLog = upperLog;
  }
  const start = Math.max(from, lower);
  if (until <= start) return sum;
  const before = quantiles[last - 1];
  const lastQuantile = quantiles[last];
  if (!(lastQuantile > before && before > 0)) return sum + (1 - confidences[last]) * (until - start);
  const power =
    Math.log((1 - confidences[last]) / (1 - confidences[last - 1])) / Math.log(lastQuantile / before) + 1;
  const tail =
    Math.abs(power) < 1e-9
      ? start * survival(start) * Math.log(until / start)
      : (until * survival(until) - start * survival(start)) / power;
  return sum + tail;
}
