import type { BarSeries } from '../risk/bars.ts';
import { tailsOf } from './excursion-history.ts';
import { LOOKBACK_HOURS } from './lookback.ts';
import { PATHS_PER_MARKET } from './predictor.ts';

/**
 * The excursions called a shock at a time, by side and horizon: the 95 % quantile over the last 365 days of all hourly
 * origins whose horizon had ended by then.
 *
 * @param end number of bars that had closed by that time.
 * @param out receives sides × horizons from `offset` on; 0 where there is no whole horizon yet.
 */
export function shockThresholds(bars: BarSeries, end: number, out: Float64Array, offset: number): void {
  const tails = tailsOf({ bars, from: Math.max(end - LOOKBACK_HOURS, 0), end });
  for (let path = 0; path < PATHS_PER_MARKET; path++) out[offset + path] = tails[path].threshold;
}
