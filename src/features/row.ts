import { HOUR_MILLISECONDS } from '../units.ts';
import type { CrossSection } from './cross-section.ts';
import { LOG_UNIT, MOVE_UNIT, VOLUME_UNIT } from './lattice.ts';
import {
  ABSOLUTE_RETURN,
  BIPOWER,
  DOWNSIDE_SQUARE,
  FUNDING,
  FUNDING_COUNT,
  LOG_RANGE,
  LOG_RANGE_SQUARE,
  type MarketMemory,
  MISSING,
  PARKINSON,
  QUOTE_VOLUME,
  ROGERS_SATCHELL,
  SIGNED_RETURN,
  ZERO_VOLUME,
} from './market-memory.ts';
import { logVolatilityFeature, MAXIMUM_HOURS_SINCE_SHOCK, MEMORY_BARS, VARIANCE_FLOOR } from './spec.ts';

/** Features that are returns or distances in units of volatility are cut here. */
const MAXIMUM_SIGMAS = 10;
/** Log ratios of volume are cut here: a factor of about 150. */
const MAXIMUM_LOG_RATIO = 5;
const DAY_HOURS = 24;
/** 1970-01-01 was a Thursday; 0 is Sunday. */
const EPOCH_WEEKDAY = 4;

const HOUR_SINE = Float64Array.from({ length: 24 }, (_, hour) => Math.sin((2 * Math.PI * hour) / 24));
const HOUR_COSINE = Float64Array.from({ length: 24 }, (_, hour) => Math.cos((2 * Math.PI * hour) / 24));
const WEEKDAY_SINE = Float64Array.from({ length: 7 }, (_, day) => Math.sin((2 * Math.PI * day) / 7));
const WEEKDAY_COSINE = Float64Array.from({ length: 7 }, (_, day) => Math.cos((2 * Math.PI * day) / 7));

/** ln(1 + hours), 1 at the cap; by hours since the last shock. */
const LOG_SINCE_SHOCK = Float64Array.from(
  { length: MAXIMUM_HOURS_SINCE_SHOCK + 1 },
  (_, hours) => Math.log1p(hours) / Math.log1p(MAXIMUM_HOURS_SINCE_SHOCK),
);
/** ln(age / cap) by age in hours, which is at least `WARM_UP_BARS` where it is looked up. */
const LOG_AGE = Float64Array.from({ length: MEMORY_BARS + 1 }, (_, hours) =>
  Math.log(Math.max(hours, 1) / MEMORY_BARS),
);

/**
 * Writes one market's row, in the order of `FEATURE_NAMES`. The groups below follow that order; the test computes
 * each feature a second time, slowly and by name, so that a slip between the two lists cannot stay. Windows up to 168
 * hours are always full, since no row is written before `WARM_UP_BARS`; longer ones take the hours there are.
 *
 * @param memory refreshed at this hour, as `market` is.
 * @param asOf close of the newest hour, epoch milliseconds.
 */
export function writeFeatureRow(
  memory: MarketMemory,
  market: CrossSection,
  asOf: number,
  out: Float64Array,
  offset: number,
): void {
  let at = writeHarInputs(memory, market, out, offset);
  at = writeShapeOfVolatility(memory, out, at);
  at = writeReturns(memory, out, at);
  at = writeTrading(memory, out, at);
  at = writeMarketWide(memory, market, out, at);
  writeTime(memory, asOf, out, at);
}

function writeHarInputs(
  memory: MarketMemory,
  market: CrossSection,
  out: Float64Array,
  start: number,
): number {
  let at = start;
  out[at++] = memory.logVolatility24;
  out[at++] = memory.logVolatility168;
  out[at++] = logVolatilityFeature(memory.variance(720));
  out[at++] = logVolatilityFeature(memory.variance(2160));
  out[at++] = logRangeVolatility(memory, PARKINSON, memory.start4, 4);
  out[at++] = logRangeVolatility(memory, PARKINSON, memory.start24, 24);
  out[at++] = logRangeVolatility(memory, PARKINSON, memory.start168, 168);
  out[at++] = logRangeVolatility(memory, ROGERS_SATCHELL, memory.start24, 24);
  out[at++] = market.indexLogVolatility24;
  out[at++] = market.indexLogVolatility168;
  out[at++] = market.indexLogVolatility720;
  out[at++] = market.meanLogVolatility24;
  out[at++] = market.meanLogVolatility168;
  return at;
}

function writeShapeOfVolatility(memory: MarketMemory, out: Float64Array, start: number): number {
  let at = start;
  const { start24, start168 } = memory;
  const sum24 = memory.variance24 * 24;
  const sum168 = memory.variance168 * 168;
  out[at++] = logVolatilityFeature(memory.variance(1));
  out[at++] = logVolatilityFeature(memory.variance(4));
  out[at++] = logVolatilityFeature(memory.variance(72));
  out[at++] = logRangeVolatility(memory, PARKINSON, memory.start1, 1);
  out[at++] = volatilityOfVolatility(memory, start168, 168);
  out[at++] = downsideShare(memory, start24, sum24);
  out[at++] = downsideShare(memory, start168, sum168);
  out[at++] = jumpShare(memory, start24, sum24);
  out[at++] = jumpShare(memory, start168, sum168);
  out[at++] = sum24 === 0 ? 0 : Math.sqrt(memory.largestSquare(24) / sum24);
  return at;
}

function writeReturns(memory: MarketMemory, out: Float64Array, start: number): number {
  let at = start;
  const variance = memory.variance168 + VARIANCE_FLOOR;
  const monthScale = 1 / Math.sqrt(720 * (memory.variance(720) + VARIANCE_FLOOR));
  out[at++] = scaledReturn(memory, memory.start1, 1, variance);
  out[at++] = scaledReturn(memory, memory.start4, 4, variance);
  out[at++] = clip(memory.return24 / Math.sqrt(24 * variance), MAXIMUM_SIGMAS);
  out[at++] = clip(memory.return168 / Math.sqrt(168 * variance), MAXIMUM_SIGMAS);
  out[at++] = clip(memory.signedSum(SIGNED_RETURN, memory.start720) * MOVE_UNIT * monthScale, MAXIMUM_SIGMAS);
  out[at++] = clip(memory.distanceFromHigh() * monthScale, MAXIMUM_SIGMAS);
  out[at++] = clip(memory.distanceFromLow() * monthScale, MAXIMUM_SIGMAS);
  return at;
}

function writeTrading(memory: MarketMemory, out: Float64Array, start: number): number {
  let at = start;
  const { start4, start24, start72, start168, start720 } = memory;
  const hours720 = memory.available(720);
  const volume4 = memory.sum(QUOTE_VOLUME, start4) / 4;
  const volume24 = memory.sum(QUOTE_VOLUME, start24) / 24;
  const volume720 = memory.sum(QUOTE_VOLUME, start720) / hours720;
  const absolute24 = memory.sum(ABSOLUTE_RETURN, start24) / 24;
  const absolute720 = memory.sum(ABSOLUTE_RETURN, start720) / hours720;
  const fundings = memory.sum(FUNDING_COUNT, start72);
  out[at++] = logRatio(volume4, volume720);
  out[at++] = logRatio(volume24, volume720);
  out[at++] = memory.sum(ZERO_VOLUME, start168) / 168;
  out[at++] = logRatio(absolute24 * volume720, absolute720 * volume24);
  out[at++] = dailyQuoteVolumeFeature((memory.sum(QUOTE_VOLUME, start168) * VOLUME_UNIT) / 168);
  out[at++] = memory.sum(MISSING, start168) / 168;
  out[at++] = fundingFeature(memory.lastFundingRate(72));
  out[at++] =
    fundings === 0 ? 0 : fundingFeature((memory.signedSum(FUNDING, start72) * MOVE_UNIT) / fundings);
  out[at++] = fundings === 0 ? 0 : 1;
  return at;
}

function writeMarketWide(
  memory: MarketMemory,
  market: CrossSection,
  out: Float64Array,
  start: number,
): number {
  let at = start;
  out[at++] = clip(market.scaledReturn1, MAXIMUM_SIGMAS);
  out[at++] = clip(market.scaledReturn4, MAXIMUM_SIGMAS);
  out[at++] = clip(market.scaledReturn24, MAXIMUM_SIGMAS);
  out[at++] = clip(market.scaledReturn168, MAXIMUM_SIGMAS);
  out[at++] = memory.logVolatility24 - market.meanLogVolatility24;
  out[at++] = memory.logVolatility168 - market.meanLogVolatility168;
  out[at++] = market.logDispersion24;
  out[at++] = market.logDispersion168;
  out[at++] = market.averageCorrelation168;
  out[at++] = market.shockShare24;
  return at;
}

/** The hour and day are those that begin at `asOf`: the first ones of the forecast's horizon. */
function writeTime(memory: MarketMemory, asOf: number, out: Float64Array, start: number): void {
  let at = start;
  const hours = Math.floor(asOf / HOUR_MILLISECONDS);
  const hour = hours % DAY_HOURS;
  const weekday = (Math.floor(hours / DAY_HOURS) + EPOCH_WEEKDAY) % 7;
  out[at++] = HOUR_SINE[hour];
  out[at++] = HOUR_COSINE[hour];
  out[at++] = WEEKDAY_SINE[weekday];
  out[at++] = WEEKDAY_COSINE[weekday];
  out[at++] = weekday === 0 || weekday === 6 ? 1 : 0;
  out[at++] = LOG_SINCE_SHOCK[memory.hoursSinceShock()];
  out[at++] = LOG_AGE[Math.min(memory.age, MEMORY_BARS)];
}

/** Mean of a range variance over the bars of a window; of none, the floor. */
function logRangeVolatility(memory: MarketMemory, quantity: number, start: number, hours: number): number {
  const present = hours - memory.sum(MISSING, start);
  return logVolatilityFeature(present > 0 ? (memory.sum(quantity, start) * MOVE_UNIT) / present : 0);
}

/** Standard deviation of the log variance of a bar's range over the bars of a window. */
function volatilityOfVolatility(memory: MarketMemory, start: number, hours: number): number {
  const present = hours - memory.sum(MISSING, start);
  if (present < 2) return 0;
  const mean = (memory.signedSum(LOG_RANGE, start) * LOG_UNIT) / present;
  const meanSquare = (memory.sum(LOG_RANGE_SQUARE, start) * LOG_UNIT) / present;
  return Math.sqrt(Math.max(meanSquare - mean * mean, 0));
}

/** Share of the squared returns that fell; 0.5 for a market that stood still. */
function downsideShare(memory: MarketMemory, start: number, sumOfSquares: number): number {
  if (sumOfSquares === 0) return 0.5;
  return Math.min((memory.sum(DOWNSIDE_SQUARE, start) * MOVE_UNIT) / sumOfSquares, 1);
}

/**
 * Share of the realised variance that bipower variation does not see: max(1 − (π/2) Σ|rᵢ||rᵢ₋₁| / Σr², 0)
 * (Barndorff-Nielsen and Shephard 2004).
 */
function jumpShare(memory: MarketMemory, start: number, sumOfSquares: number): number {
  if (sumOfSquares === 0) return 0;
  return Math.max(1 - ((Math.PI / 2) * memory.sum(BIPOWER, start) * MOVE_UNIT) / sumOfSquares, 0);
}

function scaledReturn(memory: MarketMemory, start: number, hours: number, variance: number): number {
  const move = memory.signedSum(SIGNED_RETURN, start) * MOVE_UNIT;
  return clip(move / Math.sqrt(hours * variance), MAXIMUM_SIGMAS);
}

/** log10 of a day's quote volume, 0 at 100 million and 1 a factor of 30 above; 0 where no volume is known. */
function dailyQuoteVolumeFeature(hourlyVolume: number): number {
  return hourlyVolume === 0 ? 0 : (Math.log10(24 * hourlyVolume + 1) - 8) / 1.5;
}

/** Inverse hyperbolic sine of basis points: linear around the usual 1 bp, logarithmic in the tails. */
function fundingFeature(rate: number): number {
  return Math.asinh(rate * 10_000);
}

/** ln(a / b), cut; 0 where either is 0, which says "unknown" and not "infinitely far apart". */
function logRatio(a: number, b: number): number {
  return a <= 0 || b <= 0 ? 0 : clip(Math.log(a / b), MAXIMUM_LOG_RATIO);
}

function clip(value: number, bound: number): number {
  if (value > bound) return bound;
  return value < -bound ? -bound : value;
}
