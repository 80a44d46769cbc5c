import { VARIANCE_FLOOR } from '../features/spec.ts';
import { rollingSums } from '../risk/numeric/rolling.ts';

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
 * @param variance Parkinson's, by bar. @param from bar of entry 0 of the result; those before it are only memory.
 * @param exponent g in [0, 1]. @returns positive numbers.
 */
export function volatilityPower(variance: Float64Array, from: number, exponent: number): Float64Array {
  const sums = new Float64Array(variance.length);
  const power = new Float64Array(variance.length - from);
  for (const window of WINDOWS) {
    rollingSums(variance, window, sums);
    for (let i = from; i < variance.length; i++)
      power[i - from] += Math.log(Math.max(sums[i], 0) / Math.min(i + 1, window) + VARIANCE_FLOOR);
  }
  for (let i = 0; i < power.length; i++) power[i] = Math.exp((0.5 * exponent * power[i]) / WINDOWS.length);
  return power;
}
