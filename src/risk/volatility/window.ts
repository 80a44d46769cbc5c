import type { BarSeries } from '../bars.ts';
import { refusal, requireWhole } from '../numeric/inputs.ts';
import { rollingSums } from '../numeric/rolling.ts';
import { garmanKlassVariance, parkinsonVariance, rogersSatchellVariance } from './range.ts';

/** Estimators of the variance per bar from a window of bars. */
export const VARIANCE_ESTIMATORS = [
  'close',
  'parkinson',
  'garman-klass',
  'rogers-satchell',
  'yang-zhang',
] as const;
export type VarianceEstimator = (typeof VARIANCE_ESTIMATORS)[number];

/** What Yang and Zhang (2000) take for α in k = (α − 1)/(α + (n + 1)/(n − 1)). */
const YANG_ZHANG_ALPHA = 1.34;

/**
 * Variance per bar over the last `window` bars, by bar, each known at the close of its bar; in squared log returns.
 *
 * - close: sample variance (n − 1) of the log returns from close to close.
 * - parkinson, garman-klass, rogers-satchell: means of those of the single bars (`range.ts`).
 * - yang-zhang (2000): V_overnight + k V_open-to-close + (1 − k) V_rogers-satchell with sample variances, overnight from the close
 *   before to the open, k = 0.34/(1.34 + (n + 1)/(n − 1)). Drift and gaps between bars do no harm.
 *
 * @param window whole, at least 2; for close and yang-zhang one bar more is looked at, for the close before.
 * @returns NaN nowhere: entries before the first whole window are 0, and `from` says which is the first.
 * @throws PlimsollError INPUT_INVALID for a window that is too short or longer than the series allows.
 */
export function rollingVariance(
  bars: BarSeries,
  window: number,
  estimator: VarianceEstimator,
): { readonly variance: Float64Array; readonly from: number } {
  requireWhole('the window', window, 2);
  const needsCloseBefore = estimator === 'close' || estimator === 'yang-zhang';
  const from = needsCloseBefore ? window : window - 1;
  if (from >= bars.length)
    throw refusal(
      `${bars.length} bars do not fill a window of ${window}`,
      'Give a shorter window or more bars.',
    );
  const variance =
    estimator === 'close'
      ? sampleVariances(betweenBars(bars, bars.close), window)
      : estimator === 'yang-zhang'
        ? yangZhang(bars, window)
        : means(singleBars(bars, estimator), window);
  variance.fill(0, 0, from);
  return { variance, from };
}

/** The estimate over all bars of a series, as `rollingVariance` gives it of the last. */
export function varianceOf(bars: BarSeries, estimator: VarianceEstimator): number {
  const window = estimator === 'close' || estimator === 'yang-zhang' ? bars.length - 1 : bars.length;
  const { variance } = rollingVariance(bars, window, estimator);
  return variance[bars.length - 1];
}

function singleBars(
  bars: BarSeries,
  estimator: 'parkinson' | 'garman-klass' | 'rogers-satchell',
): Float64Array {
  if (estimator === 'parkinson') return parkinsonVariance(bars);
  return estimator === 'garman-klass' ? garmanKlassVariance(bars) : rogersSatchellVariance(bars);
}

function yangZhang(bars: BarSeries, window: number): Float64Array {
  const k = (YANG_ZHANG_ALPHA - 1) / (YANG_ZHANG_ALPHA + (window + 1) / (window - 1));
  const overnight = sampleVariances(betweenBars(bars, bars.open), window);
  const within = sampleVariances(
    bars.close.map((close, i) => Math.log(close / bars.open[i])),
    window,
  );
  const rogersSatchell = means(rogersSatchellVariance(bars), window);
  return overnight.map((value, i) => value + k * within[i] + (1 - k) * rogersSatchell[i]);
}

/** ln(price[i] / close[i − 1]), 0 at the first. */
function betweenBars(bars: BarSeries, price: Float64Array): Float64Array {
  return price.map((value, i) => (i === 0 ? 0 : Math.log(value / bars.close[i - 1])));
}

function means(values: Float64Array, window: number): Float64Array {
  const sums = new Float64Array(values.length);
  rollingSums(values, window, sums);
  return sums.map((sum) => sum / window);
}

/** Sample variances (n − 1) of windows, about a common centre so that squares keep their digits. */
function sampleVariances(values: Float64Array, window: number): Float64Array {
  let centre = 0;
  for (let i = 0; i < values.length; i++) centre += values[i] / values.length;
  const sums = new Float64Array(values.length);
  const squares = new Float64Array(values.length);
  const centred = values.map((value) => value - centre);
  rollingSums(centred, window, sums);
  rollingSums(
    centred.map((value) => value * value),
    window,
    squares,
  );
  return squares.map((square, i) => Math.max(square - (sums[i] * sums[i]) / window, 0) / (window - 1));
}
