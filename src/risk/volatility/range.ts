import type { BarSeries } from '../bars.ts';

/**
 * Log returns and variances of single bars from their four prices. All are in squared log returns and not annualised; nothing
 * here assumes a bar's length. Prices are positive and finite, as `BarSeries` promises.
 */

/** Log returns close to close: entry i is ln(close[i] / close[i − 1]), entry 0 is 0. Gaps are not seen as such. */
export function logReturns(bars: BarSeries): Float64Array {
  const returns = new Float64Array(bars.length);
  for (let i = 1; i < bars.length; i++) returns[i] = Math.log(bars.close[i] / bars.close[i - 1]);
  return returns;
}

/** Parkinson (1980): (ln high/low)² / (4 ln 2) of one bar. */
export function parkinson(high: number, low: number): number {
  const range = Math.log(high / low);
  return (range * range) / (4 * Math.LN2);
}

/** The same for each bar. */
export function parkinsonVariance(bars: BarSeries): Float64Array {
  const variance = new Float64Array(bars.length);
  for (let i = 0; i < bars.length; i++) variance[i] = parkinson(bars.high[i], bars.low[i]);
  return variance;
}

/** Garman and Klass (1980): ½ (ln high/low)² − (2 ln 2 − 1)(ln close/open)² for each bar. */
export function garmanKlassVariance(bars: BarSeries): Float64Array {
  const variance = new Float64Array(bars.length);
  for (let i = 0; i < bars.length; i++) {
    const range = Math.log(bars.high[i] / bars.low[i]);
    const move = Math.log(bars.close[i] / bars.open[i]);
    variance[i] = 0.5 * range * range - (2 * Math.LN2 - 1) * move * move;
  }
  return variance;
}

/** Rogers and Satchell (1991), unaffected by drift: ln(h/c) ln(h/o) + ln(l/c) ln(l/o) for each bar. */
export function rogersSatchellVariance(bars: BarSeries): Float64Array {
  const variance = new Float64Array(bars.length);
  for (let i = 0; i < bars.length; i++) {
    const high = bars.high[i];
    const low = bars.low[i];
    const upper = Math.log(high / bars.close[i]) * Math.log(high / bars.open[i]);
    const lower = Math.log(low / bars.close[i]) * Math.log(low / bars.open[i]);
    variance[i] = upper + lower;
  }
  return variance;
}
