import { chiSquareSurvival } from '../numeric/chi-square.ts';
import { requireWhole } from '../numeric/inputs.ts';
import { type TestOutcome, unavailable } from '../outcome.ts';
import { countHits, kupiec } from './hits.ts';

/**
 * Which share of the observations would say as much about the rate of hits if they were independent, where horizons overlap:
 * γ₀ / (γ₀ + 2 Σ_{k<h} γ_k). Right forecasts have no dependence beyond the overlap, so that the autocovariances have equal weights and end
 * with it (Hansen and Hodrick 1980): hits that cluster for longer are for the tests to find, and do not excuse themselves.
 *
 * One series has too few hits for this; the autocovariances are those of all of them together.
 *
 * @param hits by series, then by time, 1 where the loss exceeded VaR. @param horizonSteps observations that a loss is over.
 * @returns from 1/horizonSteps, also without any hit, to 1.
 */
export function independentShare(hits: readonly Uint8Array[], horizonSteps: number): number {
  requireWhole('the horizon in steps', horizonSteps, 1);
  if (horizonSteps === 1) return 1;
  const covariance = new Float64Array(horizonSteps);
  for (const own of hits) addCovariances(own, covariance);
  let total = covariance[0];
  for (let lag = 1; lag < horizonSteps; lag++) total += 2 * covariance[lag];
  if (total <= covariance[0]) return covariance[0] > 0 ? 1 : 1 / horizonSteps;
  return Math.max(covariance[0] / total, 1 / horizonSteps);
}

/** Σ (a_t − r)(a_{t−k} − r) = Σ a_t a_{t−k} − r (their sums) + (n − k) r²: hits are few, and only they are looked at. */
function addCovariances(hits: Uint8Array, covariance: Float64Array): void {
  const n = hits.length;
  const places: number[] = [];
  for (let t = 0; t < n; t++) if (hits[t] === 1) places.push(t);
  const rate = places.length / Math.max(n, 1);
  for (let lag = 0; lag < Math.min(covariance.length, n); lag++) {
    let [both, later, earlier] = [0, 0, 0];
    for (const t of places) {
      if (t >= lag) later++;
      if (t < n - lag) earlier++;
      if (t >= lag && hits[t - lag] === 1) both++;
    }
    covariance[lag] += both - rate * (later + earlier) + (n - lag) * rate * rate;
  }
}

/**
 * Conditional coverage (Christoffersen 1998) where horizons overlap: the transitions are those between observations a horizon apart, at
 * every origin, and the log likelihoods of the rate and of the transitions count for the share of the observations that is
 * independent. Without overlap it is `conditionalCoverage`; without a hit nothing speaks against independence.
 *
 * @param hits by time. @param share of independent observations, as `independentShare` gives it.
 * @returns unavailable for no transition. The p-value is that of the chi-square with two degrees of freedom.
 */
export function overlappingConditionalCoverage(
  hits: Uint8Array,
  confidence: number,
  horizonSteps: number,
  share: number,
): TestOutcome {
  requireWhole('the horizon in steps', horizonSteps, 1);
  const n = hits.length;
  if (n <= horizonSteps) return unavailable(`${n} observations are too few; ${horizonSteps + 1} are needed`);
  const counts = [0, 0, 0, 0];
  for (let t = horizonSteps; t < n; t++) counts[2 * hits[t - horizonSteps] + hits[t]]++;
  const [n00, n01, n10, n11] = counts;
  const independence = Math.max(
    2 * (logLikelihood(n00, n01) + logLikelihood(n10, n11) - logLikelihood(n00 + n10, n01 + n11)),
    0,
  );
  const rate = kupiec(share * countHits(hits), share * n, confidence);
  const statistic = rate.statistic + share * independence;
  return { available: true, statistic, pValue: chiSquareSurvival(statistic, 2) };
}

/** The largest log likelihood of so many misses and hits, with 0 · ln 0 = 0. */
function logLikelihood(misses: number, hits: number): number {
  const n = misses + hits;
  return timesLog(misses, misses / n) + timesLog(hits, hits / n);
}

function timesLog(count: number, share: number): number {
  return count === 0 ? 0 : count * Math.log(share);
}
