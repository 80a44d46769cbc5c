import { type Experiment, pinballRatio } from './experiments.ts';
import type { TrainingOutcome } from './job.ts';
import type { Judgement } from './judge/judgement.ts';
import { modelScoreOf } from './scores.ts';

/** What a finished training adds to its row of the experiment log. */
export function ofTraining({
  manifest,
  judgement,
  gates,
}: TrainingOutcome): Pick<Experiment, 'version' | 'data' | 'folds' | 'gates' | 'result'> &
  Partial<Experiment> {
  const { data, evaluation, version } = manifest;
  return {
    version,
    data: {
      fingerprint: data.hash,
      from: data.from,
      to: data.to,
      markets: data.markets.length,
      rows: data.rows,
      simulated: data.simulated,
    },
    folds:
      evaluation === null
        ? []
        : [{ fittedUntil: evaluation.fittedUntil, from: evaluation.testFrom, until: evaluation.testTo }],
    ...(judgement === null ? {} : judgementForLog(judgement)),
    gates: (gates ?? []).map(({ gate, passed, words }) => ({ name: gate, passed, detail: words })),
    result: gates?.every(({ passed }) => passed) === false ? 'worse' : 'challenger',
  };
}

/** The candidate's own means over markets, with volatility and shocks, and how they stand against every other forecaster's. */
export function judgementForLog(
  judgement: Judgement,
): Pick<Experiment, 'scores' | 'against' | 'volatility' | 'shock'> {
  const { candidate, forecasters, averages, variances, shocks } = judgement;
  const by = (name: string) => averages.filter(({ forecaster }) => forecaster === name);
  return {
    scores: by(candidate).map((average) => {
      const { forecaster: _, ...score } = modelScoreOf(average);
      return score;
    }),
    against: forecasters
      .filter((name) => name !== candidate)
      .flatMap((forecaster) => {
        const ratio = pinballRatio(by(candidate), by(forecaster));
        return ratio === null ? [] : [{ forecaster, pinballRatio: ratio }];
      }),
    volatility: variances
      .filter(({ forecaster }) => forecaster === candidate)
      .map(({ horizonHours, qlike }) => ({ horizonHours, qlike })),
    shock: shocks
      .filter(({ forecaster }) => forecaster === candidate)
      .map(({ side, horizonHours, brier, skill }) => ({ side, horizonHours, brier, skill })),
  };
}
