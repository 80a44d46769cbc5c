import type { Model } from '../../answers.ts';

export type Score = NonNullable<Model['evaluation']>['scores'][number];

/** A forecaster over the cells that were chosen. */
export interface Ranked {
  readonly forecaster: string;
  readonly cells: number;
  readonly observations: number;
  /** Mean over the cells of its pinball loss against the least of the others there: below 1 it is the best. */
  readonly pinballRatio: number;
  readonly fz0: number;
  /** Of all observations. */
  readonly exceedanceRate: number;
}

/**
 * Forecasters by their loss, the best first. Losses of cells are not added up, because a wide one would drown the rest: each is
 * measured against the best of the others in its own cell.
 */
export function ranked(scores: readonly Score[]): readonly Ranked[] {
  const byCell = Map.groupBy(
    scores,
    ({ side, horizonHours, confidence }) => `${side} ${horizonHours} ${confidence}`,
  );
  const rows = [...new Set(scores.map(({ forecaster }) => forecaster))].map((forecaster) => {
    const own = scores.filter((score) => score.forecaster === forecaster);
    const ratios = own.map((score) => {
      const cell = byCell.get(`${score.side} ${score.horizonHours} ${score.confidence}`) ?? [];
      const others = cell.filter((other) => other.forecaster !== forecaster).map(({ pinball }) => pinball);
      return others.length === 0 ? 1 : score.pinball / Math.min(...others);
    });
    const observations = own.reduce((sum, score) => sum + score.observations, 0);
    const exceedances = own.reduce((sum, score) => sum + score.exceedanceRate * score.observations, 0);
    return {
      forecaster,
      cells: own.length,
      observations,
      pinballRatio: mean(ratios),
      fz0: mean(own.map(({ fz0 }) => fz0)),
      exceedanceRate: observations === 0 ? 0 : exceedances / observations,
    };
  });
  return rows.toSorted((a, b) => a.pinballRatio - b.pinballRatio);
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
