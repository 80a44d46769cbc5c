import { binomialCumulative } from '../numeric/binomial.ts';
import { requireConfidence, requireSameLength, requireSeries, requireWhole } from '../numeric/inputs.ts';
import { longRunVariance } from '../numeric/long-run-variance.ts';
import { kupiec } from './hits.ts';

/** How often losses of several series exceeded VaR, where those of one time depend on each other. */
export interface ClusteredCoverage {
  readonly observations: number;
  readonly exceedances: number;
  readonly exceedanceRate: number;
  /** Independent observations of which a rate would have the same variance: at least one a horizon, at most all. */
  readonly effectiveObservations: number;
  /** Whether neither so few nor so many exceedances are rarer than 2.5 % among so many independent observations. */
  readonly withinInterval: boolean;
  /** Of Kupiec's statistic for so many independent observations; null where fewer than one exceedance is expected of them. */
  readonly pValue: number | null;
}

/**
 * The rate of exceedances over all series and times. What happens at one time is one cluster, and clusters less than a horizon apart
 * overlap: with h_t exceedances of n_t losses at time t, N = Σ n_t and rate r, Var r = T Ω / N², Ω the long-run variance of h_t − r n_t
 * (Newey and West 1987). The design effect r (1 − r) / N / Var r gives the effective number of observations (Kish 1965).
 *
 * @param exceedances by time. @param counts by time: losses there are, at least as many as exceedances.
 * @param horizonSteps times that a loss is over. @param lags of Bartlett's weights, at least the horizon less 1.
 * @param mostEffective bound of the effective observations from elsewhere: of the rarest exceedances there are too few to tell how large
 * their clusters are, and those of a lower confidence tell it better.
 * @throws PlimsollError INPUT_INVALID, DATA_INSUFFICIENT.
 */
export function clusteredCoverage(
  exceedances: Float64Array,
  counts: Float64Array,
  confidence: number,
  {
    horizonSteps,
    lags,
    mostEffective = Number.POSITIVE_INFINITY,
  }: { readonly horizonSteps: number; readonly lags: number; readonly mostEffective?: number },
): ClusteredCoverage {
  requireConfidence(confidence);
  requireWhole('the horizon in steps', horizonSteps, 1);
  requireWhole('the number of lags', lags, 0);
  requireSameLength('exceedances and counts', exceedances.length, counts.length);
  requireSeries('exceedances', exceedances, 1);
  requireSeries('counts', counts, 1);
  const times = counts.length;
  const total = sumOf(counts);
  const came = sumOf(exceedances);
  const rate = total === 0 ? 0 : came / total;
  const longRun = longRunVariance(
    exceedances.map((value, t) => value - rate * counts[t]),
    lags,
  );
  const least = Math.min(Math.max(Math.floor(times / horizonSteps), 1), total);
  const found = longRun > 0 ? (rate * (1 - rate) * total * total) / (times * longRun) : least;
  const effective = Math.min(Math.max(Math.min(found, mostEffective), least), total);
  const expected = effective * (1 - confidence);
  return {
    observations: total,
    exceedances: came,
    exceedanceRate: rate,
    effectiveObservations: effective,
    withinInterval: isWithinBinomial(rate * effective, effective, 1 - confidence),
    pValue: expected < 1 ? null : kupiec(rate * effective, effective, confidence).pValue,
  };
}

/** Whether neither so few nor so many of n independent trials are rarer than 2.5 %. Rounded to whole numbers. */
function isWithinBinomial(successes: number, trials: number, probability: number): boolean {
  const [count, n] = [Math.round(successes), Math.max(Math.round(trials), 1)];
  const atMost = binomialCumulative(count, n, probability);
  const atLeast = count === 0 ? 1 : 1 - binomialCumulative(count - 1, n, probability);
  return atMost >= 0.025 && atLeast >= 0.025;
}

function sumOf(values: Float64Array): number {
  let sum = 0;
  for (let t = 0; t < values.length; t++) sum += values[t];
  return sum;
}
