import { MODEL_NAME, type ModelScore } from '../models/manifest.ts';
import { type Experiment, pinballRatio } from './experiments.ts';
import type { TrainingOutcome } from './job.ts';
import type { Judgement } from './judge/judgement.ts';

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

/** The model's own means over markets, and how they stand against every other forecaster's. */
export function scoresForLog(scores: readonly ModelScore[]): Pick<Experiment, 'scores' | 'against'> {
  const by = (name: string): readonly ModelScore[] => scores.filter(({ forecaster }) => forecaster === name);
  const own = by(MODEL_NAME);
  const names = new Set(scores.map(({ forecaster }) => forecaster).filter((name) => name !== MODEL_NAME));
  return {
    scores: own.map(({ forecaster: _, ...score }) => score),
    against: [...names].flatMap((forecaster) => {
      const ratio = pinballRatio(own, by(forecaster));
      return ratio === null ? [] : [{ forecaster, pinballRatio: ratio }];
    }),
  };
}

/** The same of a judgement, with volatility and shocks. */
export function judgementForLog(
  judgement: Judgement,
): Pick<Experiment, 'scores' | 'against' | 'volatility' | 'shock'> {
  const { candidate, forecasters, averages, variances, shocks } = judgement;
  const by = (name: string) => averages.filter(({ forecaster }) => forecaster === name);
  return {
    scores: by(candidate).map(
      ({ side, horizonHours, confidence, observations, pinball, fz0, exceedanceRate }) => ({
        side,
        horizonHours,
        confidence,
        observations,
        pinball,
        fz0,
        exceedanceRate,
      }),
    ),
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
