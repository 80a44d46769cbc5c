import { type BarSeries, barsClosedBy } from './bars.ts';
import { KeptBySeries } from './kept-by-series.ts';
import { quantileOfSorted } from './numeric/quantile.ts';
import { RollingLargest } from './numeric/rolling-largest.ts';

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
 * it is needed. Hours without a bar traded nothing. The hours are kept sorted while a series grows, so that an hour costs
 * what comes and what leaves.
 */
export class RobustVolume {
  readonly #lookbackHours: number;
  readonly #probability: number;
  readonly #kept = new KeptBySeries(() => new VolumeWindow());

  /** @param lookbackHours whole hours; fewer where a market is younger. @param probability of the quantile, in [0, 1]. */
  constructor(lookbackHours: number, probability: number) {
    this.#lookbackHours = lookbackHours;
    this.#probability = probability;
  }

  /**
   * @param asOf close of the newest hour looked at, epoch milliseconds.
   * @returns 0 where there is no bar.
   */
  hourly(bars: BarSeries, asOf: number): number {
    const interval = bars.intervalMilliseconds;
    const end = barsClosedBy(bars, asOf);
    if (end === 0) return 0;
    const since = Math.max(bars.openTime[0], asOf - this.#lookbackHours * interval);
    const hours = Math.max(Math.min(Math.round((asOf - since) / interval), this.#lookbackHours), 1);
    const from = Math.max(barsClosedBy(bars, since + interval - 1), end - hours);
    const sorted = this.#kept.of(bars, from, end).sorted(bars.quoteVolume, from, end, hours);
    return quantileOfSorted(sorted, hours, this.#probability);
  }
}

/** The volumes of a window of hours. */
class VolumeWindow {
  readonly #sample = new RollingLargest();
  #from = 0;
  #end = 0;

  /** @param from, end of the bars; neither is below that of an earlier call. @param hours at least as many as bars. */
  sorted(volume: Float64Array, from: number, end: number, hours: number): Float64Array {
    for (let i = this.#from; i < Math.min(from, this.#end); i++) this.#sample.remove(volume[i]);
    for (let i = Math.max(this.#end, from); i < end; i++) this.#sample.add(volume[i]);
    this.#from = from;
    this.#end = end;
    while (this.#sample.count < hours) this.#sample.add(0);
    while (this.#sample.count > hours) this.#sample.remove(0);
    // All are kept; were they not, nothing would be counted on.
    return this.#sample.largest(hours) ?? new Float64Array(hours);
  }
}
