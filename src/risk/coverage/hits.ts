import { chiSquareSurvival } from '../numeric/chi-square.ts';
import { normalSurvival } from '../numeric/normal.ts';
import { type TestOutcome, type TestResult, unavailable } from '../outcome.ts';

/**
 * Kupiec's test (1995) that losses exceed VaR as often as they should: with x exceedances in n and p = 1 − c,
 * LR = −2 ln[(1 − p)^(n−x) p^x / ((1 − x/n)^(n−x) (x/n)^x)], chi-square with one degree of freedom; 0 · ln 0 = 0.
 *
 * The observations must be independent for the p-value to mean anything: of overlapping horizons, take one in each.
 *
 * @param n at least 1. @param confidence in (0, 1).
 */
export function kupiec(exceedances: number, n: number, confidence: number): TestResult {
  const p = 1 - confidence;
  const rate = exceedances / n;
  const misses = n - exceedances;
  const logRatio = timesLog(misses, confidence / (1 - rate)) + timesLog(exceedances, p / rate);
  const statistic = Math.max(-2 * logRatio, 0);
  return { statistic, pValue: chiSquareSurvival(statistic, 1) };
}

/**
 * That losses exceed VaR as often as they should where horizons overlap, so that one bad day is many exceedances: (x̄ − p)/√(Ω/n) with the
 * long-run variance Ω of the hits (Newey and West 1987), standard normal, two-sided.
 *
 * @param hits by time, 1 where the loss exceeded VaR. @param lags of Bartlett's weights: at least the horizon in rows less 1.
 */
export function dependentCoverage(hits: Uint8Array, confidence: number, lags: number): TestOutcome {
  const n = hits.length;
  if (n < 2 * (lags + 1))
    return unavailable(`${n} observations are too few for ${lags} lags; ${2 * (lags + 1)} are needed`);
  const variance = longRunVarianceOfHits(hits, lags);
  if (!(variance > 0)) return unavailable('all hits are alike: nothing tells how they vary');
  const statistic = (countHits(hits) / n - (1 - confidence)) / Math.sqrt(variance / n);
  return { available: true, statistic, pValue: 2 * normalSurvival(Math.abs(statistic)) };
}

/**
 * `longRunVariance` of hits, from how many pairs of them lie how far apart: they are few, and nothing else needs to be looked at.
 *
 * @param lags of Bartlett's weights; those beyond n − 1 count for nothing.
 */
export function longRunVarianceOfHits(hits: Uint8Array, lags: number): number {
  const n = hits.length;
  const farthest = Math.min(lags, n - 1);
  const places: number[] = [];
  for (let t = 0; t < n; t++) if (hits[t] === 1) places.push(t);
  const count = places.length;
  const pairs = new Float64Array(farthest + 1);
  for (let i = 0; i < count; i++)
    for (let j = i; j < count && places[j] - places[i] <= farthest; j++) pairs[places[j] - places[i]]++;
  const mean = count / n;
  let [early, late, variance] = [0, 0, 0];
  for (let lag = 0; lag <= farthest; lag++) {
    if (lag > 0) {
      early += hits[lag - 1];
      late += hits[n - lag];
    }
    // Σ (h_t − m)(h_{t − lag} − m) over the n − lag pairs: without the first hits on one side and the last on the other.
    const product = pairs[lag] - mean * (2 * count - early - late) + (n - lag) * mean * mean;
    variance += (lag === 0 ? 1 : 2 * (1 - lag / (lags + 1))) * product;
  }
  return variance / n;
}

/** How often a hit followed a hit, a hit followed none, and so on: n₀₀, n₀₁, n₁₀, n₁₁ over the n − 1 transitions. */
export function countTransitions(hits: Uint8Array): readonly [number, number, number, number] {
  const counts: [number, number, number, number] = [0, 0, 0, 0];
  for (let t = 1; t < hits.length; t++) counts[2 * hits[t - 1] + hits[t]]++;
  return counts;
}

/**
 * Christoffersen's test (1998) that an exceedance does not make the next one more likely: the likelihood of a first-order
 * Markov chain of hits against that of independent ones, chi-square with one degree of freedom; 0 · ln 0 = 0.
 *
 * @param hits by time, 1 where the loss exceeded VaR.
 */
export function christoffersenIndependence(hits: Uint8Array): TestOutcome {
  const [n00, n01, n10, n11] = countTransitions(hits);
  const total = n00 + n01 + n10 + n11;
  const followed = n01 + n11;
  if (total === 0) return unavailable('there is no transition: at least two observations are needed');
  if (followed === 0 || followed === total)
    return unavailable('all hits are alike after the first one: nothing tells how they depend on each other');
  const rate = followed / total;
  const logRatio =
    logLikelihood(n00 + n10, followed, rate) -
    logLikelihood(n00, n01, n01 / Math.max(n00 + n01, 1)) -
    logLikelihood(n10, n11, n11 / Math.max(n10 + n11, 1));
  const statistic = Math.max(-2 * logRatio, 0);
  return { available: true, statistic, pValue: chiSquareSurvival(statistic, 1) };
}

/**
 * Conditional coverage (Christoffersen 1998): Kupiec's statistic on all n observations plus that of independence on their
 * n − 1 transitions, chi-square with two degrees of freedom.
 */
export function conditionalCoverage(hits: Uint8Array, confidence: number): TestOutcome {
  const independence = christoffersenIndependence(hits);
  if (!independence.available) return independence;
  const unconditional = kupiec(countHits(hits), hits.length, confidence);
  const statistic = unconditional.statistic + independence.statistic;
  return { available: true, statistic, pValue: chiSquareSurvival(statistic, 2) };
}

export function countHits(hits: Uint8Array): number {
  let count = 0;
  for (let t = 0; t < hits.length; t++) count += hits[t];
  return count;
}

/** ln[(1 − p)^misses p^hits], with 0 · ln 0 = 0. */
function logLikelihood(misses: number, hits: number, p: number): number {
  return timesLog(misses, 1 - p) + timesLog(hits, p);
}

function timesLog(count: number, ratio: number): number {
  return count === 0 ? 0 : count * Math.log(ratio);
}
