import type { BarSeries } from './bars.ts';
import { quantileInPlace } from './numeric/quantile.ts';

/** What a closeout meets. Notionals and volumes in the quote asset, rates as shares of the notional. */
export interface LiquidityConditions {
  /** Traded notional per day that is counted on. */
  readonly dailyVolume: number;
  /** Standard deviation of a day's log return. */
  readonly dailyVolatility: number;
  readonly halfSpreadRate: number;
  readonly takerFeeRate: number;
  /** Y of the square-root law, about 0.5 to 1. */
  readonly impactCoefficient: number;
}

/** A closeout never costs more than the position is worth, and without any volume it costs all of it. */
export const MAXIMUM_CLOSEOUT_COST_RATE = 1;
/** A closeout that takes longer, or for ever because nothing trades, is said to take this: a year. */
export const MAXIMUM_CLOSEOUT_HOURS = 8760;

/**
 * Cost of closing a position out, as a share of its notional n: half spread + taker fee + ⅔ · Y · σ_day · √(n / ADV).
 * The square-root law gives the impact at the end of the order (Almgren et al. 2005; Tóth et al. 2011; Donier and Bonart
 * 2015 for bitcoin); the average fill pays two thirds of it, the mean of √x on [0, 1].
 *
 * @param notional at least 0.
 */
export function closeoutCostRate(notional: number, conditions: LiquidityConditions): number {
  const fixed = conditions.halfSpreadRate + conditions.takerFeeRate;
  if (notional === 0) return fixed;
  if (!(conditions.dailyVolume > 0)) return MAXIMUM_CLOSEOUT_COST_RATE;
  const share = notional / conditions.dailyVolume;
  const impact = (2 / 3) * conditions.impactCoefficient * conditions.dailyVolatility * Math.sqrt(share);
  return Math.min(fixed + impact, MAXIMUM_CLOSEOUT_COST_RATE);
}

/** Hours that a closeout takes when it may be a given share of the traded volume: n / (participation · volume). */
export function closeoutHorizonHours(notional: number, hourlyVolume: number, participation: number): number {
  if (notional === 0) return 0;
  const perHour = hourlyVolume * participation;
  return perHour > 0 ? Math.min(notional / perHour, MAXIMUM_CLOSEOUT_HOURS) : MAXIMUM_CLOSEOUT_HOURS;
}

/** The largest notional that is closed out within some hours: the inverse of `closeoutHorizonHours`. */
export function closeoutNotional(hours: number, hourlyVolume: number, participation: number): number {
  return Math.min(hours, MAXIMUM_CLOSEOUT_HOURS) * hourlyVolume * participation;
}

/**
 * Traded quote volume per hour that is counted on: a low quantile over the newest hours, because liquidity leaves when
 * it is needed. Hours without a bar traded nothing.
 *
 * @param asOf close of the newest hour looked at, epoch milliseconds.
 * @param lookbackHours whole hours before `asOf`; fewer where the market is younger.
 * @param probability of the quantile, in [0, 1].
 * @returns 0 where there is no bar.
 */
export function robustHourlyVolume(
  bars: BarSeries,
  asOf: number,
  lookbackHours: number,
  probability: number,
): number {
  const interval = bars.intervalMilliseconds;
  let end = bars.length;
  while (end > 0 && bars.openTime[end - 1] + interval > asOf) end--;
  if (end === 0) return 0;
  const since = Math.max(bars.openTime[0], asOf - lookbackHours * interval);
  const hours = Math.min(Math.round((asOf - since) / interval), lookbackHours);
  const scratch = new Float64Array(Math.max(hours, 1));
  for (let i = end - 1, slot = 0; i >= 0 && bars.openTime[i] >= since && slot < scratch.length; i--, slot++) {
    scratch[slot] = bars.quoteVolume[i];
  }
  return quantileInPlace(scratch, probability);
}
