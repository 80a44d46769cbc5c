import type { CellJudgement, CoverageSummary, RegimeScore } from './judgement.ts';

/** Size of each test. */
const SIGNIFICANCE = 0.05;

/** By forecaster and confidence: in how many cells the exceedances are what they should be. */
export function coverageSummaries(
  cells: readonly CellJudgement[],
  regimes: readonly RegimeScore[],
): readonly CoverageSummary[] {
  const groups = new Map<string, CellJudgement[]>();
  for (const cell of cells) {
    const key = `${cell.forecaster} ${cell.confidence}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [cell]);
    else group.push(cell);
  }
  return [...groups.values()].map((group) => {
    const { forecaster, confidence } = group[0];
    const share = (holds: (cell: CellJudgement) => boolean): number =>
      group.filter(holds).length / group.length;
    const observations = group.reduce((sum, cell) => sum + cell.observations, 0);
    const stress = regimes.filter(
      (one) => one.forecaster === forecaster && one.confidence === confidence && one.regime === 'stress',
    );
    const inStress = stress.reduce((sum, one) => sum + one.observations, 0);
    return {
      forecaster,
      confidence,
      cells: group.length,
      shareInsideBinomial: share(({ insideBinomial }) => insideBinomial),
      shareKupiecHeld: share(({ kupiecPValue }) => kupiecPValue >= SIGNIFICANCE),
      shareConditionalHeld: share(
        ({ conditionalCoveragePValue }) => (conditionalCoveragePValue ?? 1) >= SIGNIFICANCE,
      ),
      shareZ2Held: share(({ z2PValue }) => (z2PValue ?? 1) >= SIGNIFICANCE),
      exceedanceRate: group.reduce((sum, cell) => sum + cell.exceedances, 0) / observations,
      exceedanceRateInStress:
        stress.reduce((sum, one) => sum + one.exceedanceRate * one.observations, 0) / Math.max(inStress, 1),
    };
  });
}
