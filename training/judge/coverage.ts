import { countHits, kupiec } from '../../src/risk/coverage/hits.ts';
import { overlappingConditionalCoverage } from '../../src/risk/coverage/overlap.ts';
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
 * How exceedances of one cell compare with their target where horizons overlap: by the share of the observations that is independent.
 * Z₂ by the long-run variance of its terms.
 *
 * @param steps origins that a horizon spans. @param share of independent observations, as `independentShare` has it from all markets.
 */
export function cellCoverage(
  { hits, overShortfall }: Pick<ScoreSeries, 'hits' | 'overShortfall'>,
  confidence: number,
  steps: number,
  share: number,
): CellCoverage {
  const n = hits.length;
  const alpha = 1 - confidence;
  const exceedances = countHits(hits);
  const effective = share * n;
  const conditional = overlappingConditionalCoverage(hits, confidence, steps, share);
  const terms = overShortfall.map((value) => value / alpha);
  const mean = terms.reduce((sum, value) => sum + value, 0) / n;
  const longRun = longRunVariance(terms, steps - 1);
  return {
    exceedances,
    exceedanceRate: exceedances / n,
    effectiveObservations: effective,
    insideBinomial: isInsideBinomial(exceedances * share, effective, alpha),
    kupiecPValue: kupiec(exceedances * share, effective, confidence).pValue,
    conditionalCoveragePValue: conditional.available ? conditional.pValue : null,
    z2: 1 - mean,
    // 1 − Z₂ is a mean of terms around 1; only a mean above 1 speaks against the forecaster.
    z2PValue: longRun > 0 ? normalSurvival((mean - 1) / Math.sqrt(longRun / n)) : null,
  };
}

/** Whether neither so few nor so many exceedances is rarer than 2.5 %. */
export function isInsideBinomial(exceedances: number, observations: number, alpha: number): boolean {
  const [count, n] = [Math.round(exceedances), Math.round(observations)];
  const atMost = binomialCumulative(count, n, alpha);
  const atLeast = count === 0 ? 1 : 1 - binomialCumulative(count - 1, n, alpha);
  return atMost >= 0.025 && atLeast >= 0.025;
}
