import { LEVEL_COUNT } from './network-inputs.ts';
import { CONFIDENCE_COUNT, CONFIDENCES, HORIZON_COUNT, PATHS_PER_MARKET } from './predictor.ts';

/**
 * What the numbers that leave the network mean. Each path (side and horizon) has twelve: the log of the lowest quantile
 * in units of the path's volatility scale, the relative steps from one quantile to the next, and for each of
 * `CONFIDENCES` the relative step from its quantile to its expected shortfall. Steps go through softplus, so that quantiles
 * cannot cross and ES cannot fall below VaR, whatever the network says. After the paths comes for each horizon
 * how much the log of its volatility differs from the log-HAR-X's.
 */
export const QUANTILE_LEVELS = [0.5, 0.75, 0.9, 0.95, 0.975, 0.99, 0.995, 0.999] as const;
export const LEVELS_PER_PATH = QUANTILE_LEVELS.length;
/** By confidence: its position among the levels. */
export const LEVEL_OF_CONFIDENCE: readonly number[] = CONFIDENCES.map((confidence) =>
  QUANTILE_LEVELS.indexOf(confidence),
);
export const QUANTILES_PER_MARKET = PATHS_PER_MARKET * LEVELS_PER_PATH;

export const OUTPUTS_PER_PATH = LEVELS_PER_PATH + CONFIDENCE_COUNT;
export const SHORTFALL_OUTPUT = LEVELS_PER_PATH;
export const VOLATILITY_OUTPUT = PATHS_PER_MARKET * OUTPUTS_PER_PATH;
export const OUTPUT_COUNT = VOLATILITY_OUTPUT + HORIZON_COUNT;

/** What the network says of the log of the lowest quantile is held to this range: from a twentieth to twenty volatilities. */
export const LOG_QUANTILE_BOUND = 3;

/** The outputs that a level of volatility moves: the lowest quantile of each path, then the volatilities. */
export const LEVELLED_OUTPUTS: readonly number[] = [
  ...Array.from({ length: PATHS_PER_MARKET }, (_, path) => path * OUTPUTS_PER_PATH),
  ...Array.from({ length: HORIZON_COUNT }, (_, h) => VOLATILITY_OUTPUT + h),
];
/** By levelled output: its horizon. */
export const HORIZON_OF_LEVELLED: readonly number[] = LEVELLED_OUTPUTS.map((_, i) => i % HORIZON_COUNT);

/**
 * Bounds what the network says of the lowest quantiles, and then adds to the levelled outputs what the levels of volatility
 * say: in this order, so that the bound cannot hold back a rise.
 *
 * @param raw outputs, changed in place. @param levels as `networkLevels` makes them. @param slopes levels × `LEVELLED_OUTPUTS`.
 */
export function addLevels(raw: Float32Array, levels: Float32Array, slopes: Float32Array): void {
  const count = LEVELLED_OUTPUTS.length;
  for (let row = 0, offset = 0; offset < raw.length; row++, offset += OUTPUT_COUNT) {
    for (let i = 0; i < PATHS_PER_MARKET; i++) {
      const at = offset + LEVELLED_OUTPUTS[i];
      raw[at] = Math.min(Math.max(raw[at], -LOG_QUANTILE_BOUND), LOG_QUANTILE_BOUND);
    }
    for (let level = 0; level < LEVEL_COUNT; level++) {
      const value = levels[row * LEVEL_COUNT + level];
      for (let i = 0; i < count; i++) raw[offset + LEVELLED_OUTPUTS[i]] += value * slopes[level * count + i];
    }
  }
}

/**
 * Reads the twelve numbers of one path, in float64.
 *
 * @param raw outputs, levels added.
 * @param quantiles receives the quantiles by level, from `quantileOffset` on, in units of the scale.
 * @param shortfalls receives ES by confidence.
 */
export function decodePath(
  raw: ArrayLike<number>,
  offset: number,
  quantiles: Float64Array,
  quantileOffset: number,
  shortfalls: Float64Array,
): void {
  let quantile = 0;
  for (let l = 0; l < LEVELS_PER_PATH; l++) {
    const output = raw[offset + l];
    quantile = l === 0 ? Math.exp(output) : quantile * (1 + softplus(output));
    quantiles[quantileOffset + l] = quantile;
  }
  let shortfall = 0;
  for (let c = 0; c < CONFIDENCE_COUNT; c++) {
    const own =
      quantiles[quantileOffset + LEVEL_OF_CONFIDENCE[c]] * (1 + softplus(raw[offset + SHORTFALL_OUTPUT + c]));
    // The mean beyond a higher quantile cannot be smaller than the mean beyond a lower one.
    shortfall = Math.max(own, shortfall);
    shortfalls[c] = shortfall;
  }
}

/** ln(1 + eˣ), without overflow. */
export function softplus(x: number): number {
  return Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
}

/** The x with softplus(x) = y, for y above 0. */
export function softplusInverse(y: number): number {
  return y > 30 ? y : Math.log(Math.expm1(y));
}
