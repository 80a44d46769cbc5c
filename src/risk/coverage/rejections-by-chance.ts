import { bootstrapMeanDeviations } from '../comparison/bootstrap-means.ts';
import { requireConfidence, requireSeries, requireWhole } from '../numeric/inputs.ts';
import { quantile } from '../numeric/quantile.ts';

export interface RejectionsByChanceOptions {
  /** Size of each test. */
  readonly significance: number;
  /** Right forecasters have at most so many rejections with this probability. */
  readonly confidence: number;
  /** Mean length of a block in times: at least what a horizon spans. */
  readonly blockLength: number;
  readonly replications?: number;
  readonly seed?: number;
}

export interface RejectionsByChance {
  readonly tests: number;
  /** The most rejections by chance if tests were independent: a quantile of the binomial distribution. */
  readonly mostIndependent: number;
  /** The same with the dependence of the series; never less than the other. */
  readonly most: number;
}

/**
 * How many of many tests of a mean chance alone rejects, where the series depend on each other: markets fall together, and a loss over a
 * day holds the losses over its hours. All series are resampled by the same blocks of time, less their means, so that the hypothesis
 * holds in every replication; a test rejects where its mean is farther off than in a share `significance` of its own replications.
 *
 * @param series by test, then by time: contributions to its mean, 0 where it has no observation. Equally long, finite.
 * @throws PlimsollError INPUT_INVALID, DATA_INSUFFICIENT.
 */
export function rejectionsByChance(
  series: readonly Float64Array[],
  { significance, confidence, blockLength, replications = 1000, seed = 1 }: RejectionsByChanceOptions,
): RejectionsByChance {
  requireConfidence(significance);
  requireConfidence(confidence);
  requireWhole('the number of replications', replications, 10);
  const tests = series.length;
  if (tests === 0) return { tests, mostIndependent: 0, most: 0 };
  for (const [i, values] of series.entries()) requireSeries(`the series of test ${i + 1}`, values, 2);
  const deviations = bootstrapMeanDeviations(series, {
    bootstrap: 'stationary',
    blockLength: Math.min(blockLength, series[0].length),
    replications,
    seed,
  });
  const rejected = new Float64Array(replications);
  const own = new Float64Array(replications);
  for (let i = 0; i < tests; i++) {
    for (let r = 0; r < replications; r++) own[r] = Math.abs(deviations[r * tests + i]);
    const critical = quantile(own, 1 - significance);
    for (let r = 0; r < replications; r++) if (own[r] > critical) rejected[r]++;
  }
  const mostIndependent = binomialQuantile(confidence, tests, significance);
  return {
    tests,
    mostIndependent,
    most: Math.max(Math.ceil(quantile(rejected, confidence)), mostIndependent),
  };
}

/** The smallest k with P(X ≤ k) of at least a level, by the recurrence of the binomial probabilities in logarithms. */
function binomialQuantile(level: number, n: number, p: number): number {
  let logTerm = n * Math.log1p(-p);
  let sum = Math.exp(logTerm);
  for (let k = 0; k < n; k++) {
    if (sum >= level) return k;
    logTerm += Math.log(((n - k) / (k + 1)) * (p / (1 - p)));
    sum += Math.exp(logTerm);
  }
  return n;
}
