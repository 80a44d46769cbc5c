import {
  LOG_QUANTILE_BOUND,
  OUTPUTS_PER_PATH,
  SHOCK_OUTPUT,
  SHORTFALL_OUTPUT,
} from '../src/forecast/network-output.ts';
import { CONFIDENCE_COUNT, CONFIDENCES } from '../src/forecast/predictor.ts';

/**
 * The loss that the network is trained by, with its gradient by hand; `network-output.ts` says what the outputs mean.
 *
 * Losses are positive. For each path and confidence c with VaR q and ES e of the scaled excursion y:
 * pinball (c − 1{y < q})(y − q), FZ0 relu(y − q)/((1 − c) e) + q/e + ln e, and for the shock a logistic loss.
 *
 * As a graph of TF.js kernels the same was two hundred of them over thin columns and took most of a batch's time.
 * One loop in float64 takes each path once, and shares the exponential between a softplus and its slope.
 */

/** So that each confidence pulls about as hard as the others: a pinball loss shrinks with the tail. */
const PINBALL_WEIGHTS = [1, 3, 4, 8];
const FZ0_WEIGHTS = [0.05, 0.1, 0.05, 0.02];
const SHOCK_WEIGHT = 0.3;

/**
 * The loss summed over paths.
 *
 * @param raw network outputs, `OUTPUTS_PER_PATH` for each path. @param scaled excursion over scale, by path.
 * @param shocks 1 where the excursion was a shock, by path.
 * @param gradient receives the derivative of the sum by each output, over the number of paths; null where none is needed.
 */
export function sumOfLosses(
  raw: Float32Array,
  scaled: Float32Array,
  shocks: Uint8Array,
  gradient: Float32Array | null,
): number {
  const paths = scaled.length;
  const slopes = new Float64Array(OUTPUTS_PER_PATH);
  let sum = 0;
  for (let path = 0; path < paths; path++) {
    sum += lossOfPath(raw, path * OUTPUTS_PER_PATH, scaled[path], shocks[path], slopes);
    if (gradient === null) continue;
    for (let o = 0; o < OUTPUTS_PER_PATH; o++) gradient[path * OUTPUTS_PER_PATH + o] = slopes[o] / paths;
  }
  return sum;
}

const quantiles = new Float64Array(CONFIDENCE_COUNT);
/** Derivative of the loss by each quantile, the shortfall moving with it. */
const quantileSlopes = new Float64Array(CONFIDENCE_COUNT);
/** 1 + softplus of the step to each quantile, and the derivative of the softplus. */
const steps = new Float64Array(CONFIDENCE_COUNT);
const stepSlopes = new Float64Array(CONFIDENCE_COUNT);

function lossOfPath(
  raw: Float32Array,
  offset: number,
  outcome: number,
  shock: number,
  slopes: Float64Array,
): number {
  const logQuantile = raw[offset];
  const bounded = Math.min(Math.max(logQuantile, -LOG_QUANTILE_BOUND), LOG_QUANTILE_BOUND);
  let loss = 0;
  for (let c = 0; c < CONFIDENCE_COUNT; c++) {
    if (c === 0) quantiles[0] = Math.exp(bounded);
    else {
      const step = raw[offset + c];
      const power = Math.exp(-Math.abs(step));
      steps[c] = 1 + Math.max(step, 0) + Math.log(1 + power);
      stepSlopes[c] = (step >= 0 ? 1 : power) / (1 + power);
      quantiles[c] = quantiles[c - 1] * steps[c];
    }
    const output = raw[offset + SHORTFALL_OUTPUT + c];
    const power = Math.exp(-Math.abs(output));
    const ratio = 1 + Math.max(output, 0) + Math.log(1 + power);
    const ratioSlope = (output >= 0 ? 1 : power) / (1 + power);
    const q = quantiles[c];
    const e = q * ratio;
    const isAbove = outcome > q;
    const tail = 1 - CONFIDENCES[c];
    const excess = isAbove ? (outcome - q) / (tail * e) : 0;
    const pinball = isAbove ? CONFIDENCES[c] * (outcome - q) : tail * (q - outcome);
    loss += PINBALL_WEIGHTS[c] * pinball + FZ0_WEIGHTS[c] * (excess + 1 / ratio + Math.log(e));
    // FZ0 by e at fixed q, times e; and by q at fixed e, times e.
    const byShortfall = FZ0_WEIGHTS[c] * (1 - excess - 1 / ratio);
    const byQuantile = FZ0_WEIGHTS[c] * (1 - (isAbove ? 1 / tail : 0));
    slopes[SHORTFALL_OUTPUT + c] = (byShortfall / ratio) * ratioSlope;
    quantileSlopes[c] =
      PINBALL_WEIGHTS[c] * (isAbove ? -CONFIDENCES[c] : tail) + byQuantile / e + byShortfall / q;
  }
  for (let c = CONFIDENCE_COUNT - 1; c > 0; c--) {
    slopes[c] = quantileSlopes[c] * quantiles[c - 1] * stepSlopes[c];
    quantileSlopes[c - 1] += quantileSlopes[c] * steps[c];
  }
  slopes[0] = bounded === logQuantile ? quantileSlopes[0] * quantiles[0] : 0;
  const logit = raw[offset + SHOCK_OUTPUT];
  const power = Math.exp(-Math.abs(logit));
  // ln(1 + eˣ) − x·y is the logistic loss of an outcome y in {0, 1}.
  loss += SHOCK_WEIGHT * (Math.max(logit, 0) + Math.log(1 + power) - logit * shock);
  slopes[SHOCK_OUTPUT] = SHOCK_WEIGHT * ((logit >= 0 ? 1 : power) / (1 + power) - shock);
  return loss;
}
