import {
  LEVEL_OF_CONFIDENCE,
  LEVELS_PER_PATH,
  OUTPUT_COUNT,
  OUTPUTS_PER_PATH,
  QUANTILE_LEVELS,
  SHORTFALL_OUTPUT,
  VOLATILITY_OUTPUT,
} from '../src/forecast/network-output.ts';
import { CONFIDENCE_COUNT, HORIZON_COUNT, PATHS_PER_MARKET } from '../src/forecast/predictor.ts';

/**
 * The loss that the network is trained by, with its gradient by hand; `network-output.ts` says what the outputs mean.
 *
 * Losses are positive. For each path, level c and its quantile q of the scaled excursion y: pinball (c − 1{y < q})(y − q); for each
 * confidence with VaR q and ES e also FZ0 relu(y − q)/((1 − c) e) + q/e + ln e. For each horizon the square of what is
 * missing to the log volatility: forecasting it beside the quantiles teaches the shared layers what moves both.
 *
 * As a graph of TF.js kernels the same was hundreds of them over thin columns and took most of a batch's time.
 * One loop in float64 takes each path once, and shares the exponential between a softplus and its slope.
 */

/** So that each level pulls about as hard as the others: a pinball loss shrinks with the tail. */
export const PINBALL_WEIGHTS = [0.3, 0.4, 0.7, 1, 1.7, 3, 4, 8] as const;
/** By confidence. */
export const FZ0_WEIGHTS = [0.05, 0.1, 0.05, 0.02] as const;
export const VOLATILITY_WEIGHT = 3;

/**
 * The loss summed over rows; a row's loss is the mean over its paths and the weighted mean over its horizons.
 *
 * @param raw network outputs, `OUTPUT_COUNT` a row, levels added. @param scaled excursion over scale, by row and path.
 * @param logVolatility log of the realised volatility over the scale, by row and horizon.
 * @param gradient receives the derivative of the mean over rows by each output; null where none is needed.
 */
export function sumOfLosses(
  raw: Float32Array,
  scaled: Float32Array,
  logVolatility: Float32Array,
  gradient: Float32Array | null,
): number {
  const rows = raw.length / OUTPUT_COUNT;
  let sum = 0;
  for (let row = 0; row < rows; row++) {
    const offset = row * OUTPUT_COUNT;
    for (let path = 0; path < PATHS_PER_MARKET; path++) {
      const at = offset + path * OUTPUTS_PER_PATH;
      sum += lossOfPath(raw, at, scaled[row * PATHS_PER_MARKET + path]) / PATHS_PER_MARKET;
      if (gradient === null) continue;
      for (let o = 0; o < OUTPUTS_PER_PATH; o++) gradient[at + o] = slopes[o] / (PATHS_PER_MARKET * rows);
    }
    for (let h = 0; h < HORIZON_COUNT; h++) {
      const at = offset + VOLATILITY_OUTPUT + h;
      const missing = raw[at] - logVolatility[row * HORIZON_COUNT + h];
      sum += (VOLATILITY_WEIGHT / HORIZON_COUNT) * missing * missing;
      if (gradient !== null) gradient[at] = (2 * VOLATILITY_WEIGHT * missing) / (HORIZON_COUNT * rows);
    }
  }
  return sum;
}

/** Of the path at hand: the derivative by each of its outputs. */
const slopes = new Float64Array(OUTPUTS_PER_PATH);
const quantiles = new Float64Array(LEVELS_PER_PATH);
/** Derivative of the loss by each quantile, the shortfall moving with it. */
const quantileSlopes = new Float64Array(LEVELS_PER_PATH);
/** Softplus of each output that is a step, and its derivative. */
const softplus = new Float64Array(OUTPUTS_PER_PATH);
const softplusSlopes = new Float64Array(OUTPUTS_PER_PATH);

function lossOfPath(raw: Float32Array, offset: number, outcome: number): number {
  let loss = 0;
  for (let l = 0; l < LEVELS_PER_PATH; l++) {
    if (l === 0) quantiles[0] = Math.exp(raw[offset]);
    else {
      writeSoftplus(raw[offset + l], l);
      quantiles[l] = quantiles[l - 1] * (1 + softplus[l]);
    }
    const level = QUANTILE_LEVELS[l];
    const missing = outcome - quantiles[l];
    const slope = missing > 0 ? level : level - 1;
    loss += PINBALL_WEIGHTS[l] * slope * missing;
    quantileSlopes[l] = -PINBALL_WEIGHTS[l] * slope;
  }
  for (let c = 0; c < CONFIDENCE_COUNT; c++) {
    const l = LEVEL_OF_CONFIDENCE[c];
    writeSoftplus(raw[offset + SHORTFALL_OUTPUT + c], SHORTFALL_OUTPUT + c);
    const ratio = 1 + softplus[SHORTFALL_OUTPUT + c];
    const q = quantiles[l];
    const e = q * ratio;
    const tail = 1 - QUANTILE_LEVELS[l];
    const isAbove = outcome > q;
    const excess = isAbove ? (outcome - q) / (tail * e) : 0;
    loss += FZ0_WEIGHTS[c] * (excess + 1 / ratio + Math.log(e));
    // FZ0 by e at fixed q, times e; and by q at fixed e, times e.
    const byShortfall = FZ0_WEIGHTS[c] * (1 - excess - 1 / ratio);
    const byQuantile = FZ0_WEIGHTS[c] * (1 - (isAbove ? 1 / tail : 0));
    slopes[SHORTFALL_OUTPUT + c] = (byShortfall / ratio) * softplusSlopes[SHORTFALL_OUTPUT + c];
    quantileSlopes[l] += byQuantile / e + byShortfall / q;
  }
  for (let l = LEVELS_PER_PATH - 1; l > 0; l--) {
    slopes[l] = quantileSlopes[l] * quantiles[l - 1] * softplusSlopes[l];
    quantileSlopes[l - 1] += quantileSlopes[l] * (1 + softplus[l]);
  }
  slopes[0] = quantileSlopes[0] * quantiles[0];
  return loss;
}

/** Both from one exponential. Arrays, not variables: a variable that holds a fraction is a new object at every change. */
function writeSoftplus(x: number, at: number): void {
  const power = Math.exp(-Math.abs(x));
  softplus[at] = Math.max(x, 0) + Math.log(1 + power);
  softplusSlopes[at] = (x >= 0 ? 1 : power) / (1 + power);
}
