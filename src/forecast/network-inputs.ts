import {
  FEATURE_COUNT,
  FEATURE_NAMES,
  type FeatureName,
  featureIndex,
  HAR_FEATURES,
} from '../features/spec.ts';

/**
 * What the network sees of a feature row: its shape, not its level. Every log volatility counts from a level, the market's own
 * ones from its own, those of all markets from theirs. A market that moves λ times as much, at every scale, looks the same
 * to the network; only the two levels tell, and they enter the answer by straight lines that the fit keeps from falling
 * (`LEVEL_COUNT` slopes beside the log-HAR-X's own). More volatility can so never give a smaller VaR.
 */
const OWN_LEVEL: FeatureName = 'logRealisedVolatility168h';
const MARKET_LEVEL: FeatureName = 'marketMeanLogVolatility168h';
export const LEVEL_FEATURES: readonly number[] = [featureIndex(OWN_LEVEL), featureIndex(MARKET_LEVEL)];
export const LEVEL_COUNT = LEVEL_FEATURES.length;

const isOwnVolatility = (name: string): boolean =>
  /^log(Realised|Parkinson|RogersSatchell)Volatility/.test(name);
const isMarketVolatility = (name: string): boolean =>
  /^(indexLogVolatility|marketMeanLogVolatility|logDispersion)/.test(name);
/** Differences of the two levels, which the straight lines know already. */
const isDifference = (name: string): boolean => name.startsWith('ownMinusMarketLogVolatility');

/** By feature: which level it counts from; −1 for none, −2 where it is left out. */
const LEVEL_OF = Int8Array.from(FEATURE_NAMES, (name) => {
  if (isDifference(name)) return -2;
  if (isOwnVolatility(name)) return 0;
  return isMarketVolatility(name) ? 1 : -1;
});

/** By level: the features that rise with it by as much. */
export const FEATURES_OF_LEVEL: readonly (readonly number[])[] = LEVEL_FEATURES.map((_, level) =>
  [...LEVEL_OF.keys()].filter((f) => LEVEL_OF[f] === level),
);

/** A feature row without its levels. @param out receives `FEATURE_COUNT` numbers from `outOffset` on. */
export function writeShape(
  features: Float64Array,
  offset: number,
  out: Float64Array,
  outOffset: number,
): void {
  for (let f = 0; f < FEATURE_COUNT; f++) {
    const level = LEVEL_OF[f];
    const value = features[offset + f];
    if (level >= 0) out[outOffset + f] = value - features[offset + LEVEL_FEATURES[level]];
    else out[outOffset + f] = level === -1 ? value : 0;
  }
}

/** The two levels of each row, row-major float32. */
export function networkLevels(features: Float64Array, rows: number): Float32Array {
  const levels = new Float32Array(rows * LEVEL_COUNT);
  for (let row = 0; row < rows; row++) {
    for (let level = 0; level < LEVEL_COUNT; level++)
      levels[row * LEVEL_COUNT + level] = features[row * FEATURE_COUNT + LEVEL_FEATURES[level]];
  }
  return levels;
}

/** A standardised feature counts at most this many deviations, so that a market unlike any other cannot run away. */
export const FEATURE_BOUND = 4;

/**
 * Overtones of the day. Volatility has several peaks in 24 hours (openings and closings of exchanges, funding), of
 * which one sine and cosine know nothing.
 */
const OVERTONES = [2, 3, 4, 6] as const;
const HOUR_SINE = featureIndex('hourSine');
const HOUR_COSINE = featureIndex('hourCosine');
/** So that they have the deviation of the standardised features. */
const OVERTONE_SCALE = Math.SQRT2;

export const NETWORK_INPUT_COUNT = FEATURE_COUNT + 2 * OVERTONES.length;

/**
 * Feature rows as the network sees them: shape, standardised, bounded, then the overtones of the hour; float32.
 *
 * @param features row-major, `FEATURE_COUNT` per row. @param mean, deviation of `writeShape`'s numbers.
 * @returns row-major, `NETWORK_INPUT_COUNT` per row.
 */
export function networkInputs(
  features: Float64Array,
  rows: number,
  mean: Float64Array,
  deviation: Float64Array,
): Float32Array {
  const inputs = new Float32Array(rows * NETWORK_INPUT_COUNT);
  const shape = new Float64Array(FEATURE_COUNT);
  for (let row = 0; row < rows; row++) {
    const [offset, at] = [row * FEATURE_COUNT, row * NETWORK_INPUT_COUNT];
    writeShape(features, offset, shape, 0);
    for (let f = 0; f < FEATURE_COUNT; f++) {
      const standard = (shape[f] - mean[f]) / deviation[f];
      inputs[at + f] = Math.min(Math.max(standard, -FEATURE_BOUND), FEATURE_BOUND);
    }
    writeOvertones(features[offset + HOUR_SINE], features[offset + HOUR_COSINE], inputs, at + FEATURE_COUNT);
  }
  return inputs;
}

/** Sines and cosines of multiples of an angle, by the powers of cos + i sin (de Moivre). */
function writeOvertones(sine: number, cosine: number, out: Float32Array, offset: number): void {
  let [real, imaginary, power, at] = [cosine, sine, 1, offset];
  for (const overtone of OVERTONES) {
    for (; power < overtone; power++)
      [real, imaginary] = [real * cosine - imaginary * sine, real * sine + imaginary * cosine];
    out[at++] = OVERTONE_SCALE * imaginary;
    out[at++] = OVERTONE_SCALE * real;
  }
}

/** How much the log-HAR-X itself rises with each level: the sum of its coefficients on the features of the level. */
export function harLevelSlopes(coefficients: Float64Array): Float64Array {
  const slopes = new Float64Array(LEVEL_COUNT);
  for (const [k, feature] of HAR_FEATURES.entries()) {
    const level = LEVEL_OF[feature];
    if (level >= 0) slopes[level] += coefficients[k + 1];
  }
  return slopes;
}
