import { Random } from '../../random.ts';
import { requireWhole } from './inputs.ts';
import { quantileInPlace } from './quantile.ts';

/**
 * Fills `places` with a stationary bootstrap sample (Politis and Romano 1994): blocks of geometric length with the given mean, each
 * from a random place on, around the end to the beginning. Dependence within blocks is kept.
 *
 * @param n places to draw from. @param meanLength at least 1; 1 is the ordinary bootstrap.
 */
export function stationaryBlocks(places: Uint32Array, n: number, meanLength: number, random: Random): void {
  // ln P(a block goes on): −∞ where every block has one place.
  const logContinue = Math.log1p(-1 / meanLength);
  for (let filled = 0; filled < places.length; ) {
    let place = random.integer(n);
    const length = 1 + Math.floor(-random.exponential() / logContinue);
    const end = Math.min(filled + length, places.length);
    while (filled < end) {
      places[filled++] = place++;
      if (place === n) place = 0;
    }
  }
}

/**
 * The mean block length that the stationary bootstrap of a mean is best off with, from the series' own correlogram (Politis and White
 * 2004, with the correction of Patton, Politis and White 2009).
 *
 * @param values at least 3, finite. @returns at least 1, at most 3 √n or n/3; 1 where the values do not vary.
 */
export function automaticBlockLength(values: Float64Array): number {
  const n = values.length;
  const runLength = Math.max(5, Math.floor(Math.log10(n)));
  const most = Math.ceil(Math.sqrt(n)) + runLength;
  const covariance = autocovariances(values, Math.min(most, n - 1));
  const largest = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  if (!(Math.sqrt(covariance[0]) > 1e-12 * largest)) return 1;
  const insignificant = 2 * Math.sqrt(Math.log10(n) / n);
  const lags = Math.min(2 * lastSignificantLag(covariance, insignificant, runLength), covariance.length - 1);
  let total = covariance[0];
  let slope = 0;
  for (let lag = 1; lag <= lags; lag++) {
    const weight = lag / lags <= 0.5 ? 1 : 2 * (1 - lag / lags);
    total += 2 * weight * covariance[lag];
    slope += 2 * weight * lag * covariance[lag];
  }
  const longest = Math.min(3 * Math.sqrt(n), n / 3);
  const length = ((2 * slope * slope) / (2 * total * total)) ** (1 / 3) * n ** (1 / 3);
  return Math.min(Math.max(Number.isFinite(length) ? length : 1, 1), Math.max(Math.ceil(longest), 1));
}

/** The smallest lag after which a whole run of correlations is small; the largest large one where there is no such run. */
function lastSignificantLag(covariance: Float64Array, insignificant: number, runLength: number): number {
  const isLarge = (lag: number): boolean => Math.abs(covariance[lag] / covariance[0]) >= insignificant;
  let run = 0;
  let last = 0;
  for (let lag = 1; lag < covariance.length; lag++) {
    if (isLarge(lag)) {
      run = 0;
      last = lag;
    } else if (++run === runLength) return Math.max(lag - runLength, 1);
  }
  return Math.max(last, 1);
}

function autocovariances(values: Float64Array, lags: number): Float64Array {
  const n = values.length;
  let mean = 0;
  for (let t = 0; t < n; t++) mean += values[t] / n;
  const covariance = new Float64Array(lags + 1);
  for (let lag = 0; lag <= lags; lag++) {
    let sum = 0;
    for (let t = lag; t < n; t++) sum += (values[t] - mean) * (values[t - lag] - mean);
    covariance[lag] = sum / n;
  }
  return covariance;
}

export interface BootstrapPlan {
  readonly replications: number;
  /** Mean length of a block, at least 1. */
  readonly blockLength: number;
  readonly seed: number;
  /** What the interval is to hold, for example 0.95. */
  readonly level: number;
}

/** An interval of a statistic, and how it came about. */
export interface Interval {
  readonly available: true;
  readonly low: number;
  readonly high: number;
  readonly level: number;
  /** Replications that gave a value. */
  readonly replications: number;
}

/**
 * Percentile interval of a statistic of resampled places (Efron and Tibshirani 1993, 13.3).
 *
 * @param n places that the sample has. @param statistic of a resample; null where it has none, which counts for nothing.
 * @returns null where fewer than half of the resamples have a value.
 */
export function bootstrapInterval(
  n: number,
  { replications, blockLength, seed, level }: BootstrapPlan,
  statistic: (places: Uint32Array, random: Random) => number | null,
): Interval | null {
  requireWhole('the number of replications', replications, 10);
  const random = Random.stream(seed, 'block-bootstrap');
  const places = new Uint32Array(n);
  const values = new Float64Array(replications);
  let count = 0;
  for (let b = 0; b < replications; b++) {
    stationaryBlocks(places, n, blockLength, random);
    const value = statistic(places, random);
    if (value !== null && Number.isFinite(value)) values[count++] = value;
  }
  if (count < 0.5 * replications) return null;
  const found = values.subarray(0, count);
  const tail = 0.5 * (1 - level);
  return {
    available: true,
    low: quantileInPlace(found, tail),
    high: quantileInPlace(found, 1 - tail),
    level,
    replications: count,
  };
}
