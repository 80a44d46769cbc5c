import { type BarSeries, sliceBars } from '../risk/bars.ts';
import { adverseExcursions } from '../risk/excursions.ts';
import { quantileInPlace } from '../risk/quantile.ts';
import { LOOKBACK_HOURS } from './classical.ts';
import { CONFIDENCES, HORIZON_COUNT, HORIZONS_HOURS, SIDES } from './predictor.ts';

/**
 * The excursions called a shock at a time, by side and horizon: the 95 % quantile over the last 365 days of all hourly
 * origins whose horizon had ended by then.
 *
 * @param end number of bars that had closed by that time.
 * @param out receives sides × horizons from `offset` on; 0 where there is no whole horizon yet.
 */
export function shockThresholds(bars: BarSeries, end: number, out: Float64Array, offset: number): void {
  const known = sliceBars(bars, Math.max(end - LOOKBACK_HOURS, 0), end);
  const scratch = new Float64Array(known.length);
  for (let h = 0; h < HORIZON_COUNT; h++) {
    const excursions = adverseExcursions(known, HORIZONS_HOURS[h]);
    for (const [s, side] of SIDES.entries()) {
      let count = 0;
      for (let i = 0; i < excursions.length; i++) {
        if (excursions.valid[i] === 1) scratch[count++] = excursions[side][i];
      }
      const isKnown = count > 0;
      out[offset + s * HORIZON_COUNT + h] = isKnown
        ? quantileInPlace(scratch.subarray(0, count), CONFIDENCES[0])
        : 0;
    }
  }
}

/** How many bars had closed by a time. */
export function barsClosedBy({ openTime, length, intervalMilliseconds }: BarSeries, asOf: number): number {
  let end = length;
  while (end > 0 && openTime[end - 1] + intervalMilliseconds > asOf) end--;
  return end;
}
