import { conditionalCoverage, countHits, kupiec } from '../../src/risk/coverage/hits.ts';
import { binomialCumulative } from '../../src/risk/numeric/binomial.ts';
import { longRunVariance } from '../../src/risk/numeric/long-run-variance.ts';
import { normalSurvival } from '../../src/risk/numeric/normal.ts';
import type { CellJudgement } from './judgement.ts';
import type { ScoreSeries } from './series.ts';

export type CellCoverage = Pick<
  CellJudgement,
  | 'exceedances'
  | 'exceedanceRate'
  | 'effectiveObservations'
  | 'insideBinomial'
  | 'kupiecPValue'
  | 'conditionalCoveragePValue'
  | 'z2'
  | 'z2PValue'
>;

/**
 * How exceedances of one cell compare with their target where horizons overlap. The rate is judged on the effective
 * observations n · x̄(1 − x̄)/Ω with the long-run variance Ω of the hits (Newey and West 1987), at most n and at least one a horizon;
 * dependence on origins a horizon apart; Z₂ by the long-run variance of its terms.
 *
 * @param steps origins that a horizon spans.
 */
export function cellCoverage(
  { hits, overShortfall }: Pick<ScoreSeries, 'hits' | 'overShortfall'>,
  confidence: number,
  steps: number,
): CellCoverage {
  const n = hits.length;
  const alpha = 1 - confidence;
  const exceedances = countHits(hits);
  const rate = exceedances / n;
  const effective = effectiveObservations(new Float64Array(hits), rate, steps);
  const share = effective / n;
  const apart = hits.filter((_, i) => i % steps === 0);
  const conditional = conditionalCoverage(apart, confidence);
  const terms = overShortfall.map((value) => value / alpha);
  const mean = terms.reduce((sum, value) => sum + value, 0) / n;
  const longRun = longRunVariance(terms, steps - 1);
  return {
    exceedances,
    exceedanceRate: rate,
    effectiveObservations: effective,
    insideBinomial: isInsideBinomial(exceedances * share, effective, alpha),
    kupiecPValue: kupiec(exceedances * share, effective, confidence).pValue,
    conditionalCoveragePValue: conditional.available ? conditional.pValue : null,
    z2: 1 - mean,
    // 1 − Z₂ is a mean of terms around 1; only a mean above 1 speaks against the forecaster.
    z2PValue: longRun > 0 ? normalSurvival((mean - 1) / Math.sqrt(longRun / n)) : null,
  };
}

function effectiveObservations(hits: Float64Array, rate: number, steps: number): number {
  const n = hits.length;
  const longRun = longRunVariance(hits, steps - 1);
  const least = Math.min(Math.max(Math.floor(n / steps), 1), n);
  if (!(longRun > 0)) return least;
  return Math.min(Math.max((n * rate * (1 - rate)) / longRun, least), n);
}

/** Whether neither so few nor so many exceedances is rarer than 2.5 %. */
export function isInsideBinomial(exceedances: number, observations: number, alpha: number): boolean {
  const [count, n] = [Math.round(exceedances), Math.round(observations)];
  const atMost = binomialCumulative(count, n, alpha);
  const atLeast = count === 0 ? 1 : 1 - binomialCumulative(count - 1, n, alpha);
  return atMost >= 0.025 && atLeast >= 0.025;
}
