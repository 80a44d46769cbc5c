import { VARIANCE_FLOOR } from '../features/spec.ts';
import type { BarSeries } from '../risk/bars.ts';
import { parkinsonVariance } from '../risk/volatility.ts';

/**
 * Windows in bars, all of the same weight: a log-HAR (Corsi 2009) with fixed coefficients. Nothing is estimated, so
 * nothing goes wrong where history is short. As the scale of filtered simulation it scored as well as fitted log-HARs do.
 */
const WINDOWS = [6, 24, 168, 720] as const;
/** Bars before the first origin that the longest window may need. */
export const VOLATILITY_MEMORY_BARS = 720;

/**
 * Volatility per bar as known at the close of each bar, to the power g: the geometric mean of the Parkinson
 * variances over 6, 24, 168 and 720 bars, each over the bars that there are.
 *
 * @param exponent g in [0, 1]. @returns positive numbers, one per bar.
 */
export function volatilityPower(bars: BarSeries, exponent: number): Float64Array {
  const variance = parkinsonVariance(bars);
  const logVariance = new Float64Array(bars.length);
  for (const window of WINDOWS) addLogMeans(variance, window, logVariance);
  const power = logVariance;
  for (let i = 0; i < power.length; i++)
    power[i] = Math.exp((0.5 * exponent * logVariance[i]) / WINDOWS.length);
  return power;
}

/**
 * out[i] += ln(mean of the last `window` values + floor). The window's sum is started afresh every 1024 bars,
 * so that rounding errors of a large wick do not stay behind when it has left.
 */
function addLogMeans(values: Float64Array, window: number, out: Float64Array): void {
  let sum = 0;
  for (let i = 0; i < values.length; i++) {
    sum += values[i];
    if (i >= window) sum -= values[i - window];
    if (i % 1024 === 1023) sum = sumOf(values, Math.max(i - window + 1, 0), i + 1);
    const mean = Math.max(sum, 0) / Math.min(i + 1, window);
    out[i] += Math.log(mean + VARIANCE_FLOOR);
  }
}

function sumOf(values: Float64Array, from: number, to: number): number {
  let sum = 0;
  for (let i = from; i < to; i++) sum += values[i];
  return sum;
}
