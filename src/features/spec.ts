import { createHash } from 'node:crypto';

/**
 * What a feature row is: the names in their order, the windows behind them and a hash over both. A model is trained
 * on one specification and refuses any other, so whoever changes how a feature is computed raises
 * `FEATURE_DEFINITION_VERSION` even where the names stay.
 */
export const FEATURE_DEFINITION_VERSION = 1;

/** The longest window, in hours. A row depends on nothing older than this, apart from the close just before it. */
export const MEMORY_BARS = 2160;
/** The fewest hours of history for which a row is written. */
export const WARM_UP_BARS = 168;
/** After more missing hours in a row than this, a market's memory restarts. */
export const MAXIMUM_GAP_HOURS = 48;
/**
 * Hours of history that determine a row completely: the longest window, the close before it, and the longest gap
 * that may lie between the two. A history that starts here gives the same bits as one that starts years earlier.
 */
export const LOAD_HOURS = MEMORY_BARS + MAXIMUM_GAP_HOURS + 1;
/** Longest window of everything but realised volatility. */
export const MEDIUM_MEMORY_BARS = 720;

/** A log move within one bar counts at most this much: a factor of e. Bars beyond it are clipped, not dropped. */
export const MAXIMUM_LOG_MOVE = 1;
/** A variance per hour is never taken as smaller: one part in 100,000 of price, below any traded market's noise. */
export const VARIANCE_FLOOR = 1e-10;
/** A return is a shock when it is larger than this many volatilities of the 168 hours before it. */
export const SHOCK_SIGMAS = 4;
/**
 * Hours since the last shock stop counting here. The volatility that a shock is measured with needs 168 hours before
 * the shock, which must lie inside the memory as well.
 */
export const MAXIMUM_HOURS_SINCE_SHOCK = MEMORY_BARS - 168;

/** Daily volatility at which every log volatility feature is 0. */
export const VOLATILITY_CENTRE = 0.03;

/** Inputs of the linear log-HAR-X that the forecaster nests; they open the row. */
const HAR_NAMES = [
  'logRealisedVolatility24h',
  'logRealisedVolatility168h',
  'logRealisedVolatility720h',
  'logRealisedVolatility2160h',
  'logParkinsonVolatility4h',
  'logParkinsonVolatility24h',
  'logParkinsonVolatility168h',
  'logRogersSatchellVolatility24h',
  'indexLogVolatility24h',
  'indexLogVolatility168h',
  'indexLogVolatility720h',
  'marketMeanLogVolatility24h',
  'marketMeanLogVolatility168h',
] as const;

export const FEATURE_NAMES = [
  ...HAR_NAMES,
  // The market's own volatility: faster scales, and its shape.
  'logRealisedVolatility1h',
  'logRealisedVolatility4h',
  'logRealisedVolatility72h',
  'logParkinsonVolatility1h',
  'volatilityOfVolatility168h',
  'downsideShare24h',
  'downsideShare168h',
  'jumpShare24h',
  'jumpShare168h',
  'largestReturnShare24h',
  // Where the price came from, in units of volatility.
  'scaledReturn1h',
  'scaledReturn4h',
  'scaledReturn24h',
  'scaledReturn168h',
  'scaledReturn720h',
  'distanceFromHigh720h',
  'distanceFromLow720h',
  // Trading.
  'logVolumeRatio4h',
  'logVolumeRatio24h',
  'zeroVolumeShare168h',
  'logIlliquidityRatio24h',
  'logDailyQuoteVolume',
  'missingShare168h',
  'fundingLast',
  'fundingMean72h',
  'fundingAvailable',
  // All markets together.
  'indexScaledReturn1h',
  'indexScaledReturn4h',
  'indexScaledReturn24h',
  'indexScaledReturn168h',
  'ownMinusMarketLogVolatility24h',
  'ownMinusMarketLogVolatility168h',
  'logDispersion24h',
  'logDispersion168h',
  'averageCorrelation168h',
  'shockShare24h',
  // Time.
  'hourSine',
  'hourCosine',
  'weekdaySine',
  'weekdayCosine',
  'weekend',
  'logHoursSinceShock',
  'logAge',
] as const;

export type FeatureName = (typeof FEATURE_NAMES)[number];

export const FEATURE_COUNT = FEATURE_NAMES.length;

/** Positions of the log-HAR-X inputs in a row. */
export const HAR_FEATURES: readonly number[] = HAR_NAMES.map((name) => featureIndex(name));

/** Position in a row of the log realised volatility of the last 24 hours, the forecast's base scale. */
export const baseVolatilityIndex = featureIndex('logRealisedVolatility24h');

export function featureIndex(name: FeatureName): number {
  return FEATURE_NAMES.indexOf(name);
}

/** Daily volatility (standard deviation of the log return over 24 hours) behind a log volatility feature. */
export function dailyVolatilityOf(logVolatilityFeature: number): number {
  return VOLATILITY_CENTRE * Math.exp(logVolatilityFeature);
}

/** The log volatility feature of a mean variance per hour: ½ ln(24 v) − ln(centre), with v floored. */
export function logVolatilityFeature(variancePerHour: number): number {
  return 0.5 * Math.log(24 * (variancePerHour + VARIANCE_FLOOR)) - LOG_VOLATILITY_CENTRE;
}

const LOG_VOLATILITY_CENTRE = Math.log(VOLATILITY_CENTRE);

/** SHA-256, hex, over the names in their order and the definition version. */
export function featureSpecHash(): string {
  const specification = JSON.stringify({ version: FEATURE_DEFINITION_VERSION, names: FEATURE_NAMES });
  return createHash('sha256').update(specification).digest('hex');
}
