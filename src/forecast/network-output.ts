import { CONFIDENCE_COUNT, PATHS_PER_MARKET } from './predictor.ts';

/**
 * What the numbers that leave the network mean. Each path (side and horizon) has nine: the log of the lowest quantile
 * in units of the path's volatility scale, the relative steps from one quantile to the next, the relative steps from
 * each quantile to its expected shortfall, and the logit of the shock probability. Steps go through softplus, so that
 * quantiles cannot cross and ES cannot fall below VaR, whatever the network says.
 */
export const OUTPUTS_PER_PATH = 2 * CONFIDENCE_COUNT + 1;
export const OUTPUT_COUNT = PATHS_PER_MARKET * OUTPUTS_PER_PATH;
export const QUANTILE_OUTPUT = 0;
export const SHORTFALL_OUTPUT = CONFIDENCE_COUNT;
export const SHOCK_OUTPUT = 2 * CONFIDENCE_COUNT;

/** The log of the lowest quantile is held to this range: from a twentieth to twenty volatilities. */
export const LOG_QUANTILE_BOUND = 3;

export interface PathForecast {
  /** In units of the scale, by confidence. */
  readonly valueAtRisk: Float64Array;
  readonly expectedShortfall: Float64Array;
  readonly shockProbability: number;
}

/** Reads the nine numbers of one path, in float64. */
export function decodePath(raw: ArrayLike<number>, offset: number): PathForecast {
  const valueAtRisk = new Float64Array(CONFIDENCE_COUNT);
  const expectedShortfall = new Float64Array(CONFIDENCE_COUNT);
  let quantile = 0;
  let shortfall = 0;
  for (let c = 0; c < CONFIDENCE_COUNT; c++) {
    const output = raw[offset + QUANTILE_OUTPUT + c];
    quantile = c === 0 ? Math.exp(clamp(output, LOG_QUANTILE_BOUND)) : quantile * (1 + softplus(output));
    // The mean beyond a higher quantile cannot be smaller than the mean beyond a lower one.
    shortfall = Math.max(quantile * (1 + softplus(raw[offset + SHORTFALL_OUTPUT + c])), shortfall);
    valueAtRisk[c] = quantile;
    expectedShortfall[c] = shortfall;
  }
  return { valueAtRisk, expectedShortfall, shockProbability: sigmoid(raw[offset + SHOCK_OUTPUT]) };
}

/** ln(1 + eˣ), without overflow. */
export function softplus(x: number): number {
  return Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
}

/** The x with softplus(x) = y, for y above 0. */
export function softplusInverse(y: number): number {
  return y > 30 ? y : Math.log(Math.expm1(y));
}

export function sigmoid(x: number): number {
  return x >= 0 ? 1 / (1 + Math.exp(-x)) : Math.exp(x) / (1 + Math.exp(x));
}

function clamp(x: number, bound: number): number {
  return Math.min(Math.max(x, -bound), bound);
}
