import { table } from '../src/cli/command.ts';
import { stopwatchSeconds } from '../src/clock.ts';
import { CELLS_PER_MARKET, HORIZON_COUNT, PATHS_PER_MARKET } from '../src/forecast/predictor.ts';
import { DAY_MILLISECONDS } from '../src/units.ts';
import { buildDataset } from '../training/dataset.ts';
import { DEFAULT_EVERY_HOURS } from '../training/job.ts';
import { judge } from '../training/judge/judge.ts';
import { outcomeTable } from '../training/judge/outcomes.ts';
import type { ForecastTable } from '../training/judge/tables.ts';
import { VALIDATION_SHARE } from '../training/splits.ts';
import { DEFAULT_MODEL_OPTIONS } from '../training/train.ts';
import { isEvery, JUDGED_EVERY_HOURS, tableOf } from '../training/trial.ts';
import { expandingFolds, type OutOfFold, walkForward } from '../training/walk-forward.ts';
import { filledStore } from './history.ts';
import { print } from './measure.ts';

/**
 * What a market that the model has never seen loses: a year is forecast once by models of all markets, and once, a third of the markets at a
 * time, by models of the other two thirds. Untracked forecasts of the same rows, scores as means over markets.
 */
const FROM = Date.UTC(Number(process.argv[3] ?? 2024), 0, 1);
const UNTIL = FROM + 365 * DAY_MILLISECONDS;
const THIRDS = 3;
/** Longer than the usual age of a fit: the comparison needs no fresh one, and there are four times as many to make. */
const REFIT_DAYS = 183;

const { store, remove } = await filledStore();
const markets = await store.loadMarkets();
remove();
const since = stopwatchSeconds();
const data = buildDataset(markets, [DEFAULT_EVERY_HOURS, JUDGED_EVERY_HOURS], Number.MAX_SAFE_INTEGER);
const { market } = data.features;
const folds = expandingFolds(FROM, UNTIL, REFIT_DAYS);
const walk = (isKept: (market: number) => boolean): Promise<OutOfFold> =>
  walkForward(data, {
    folds,
    validationShare: VALIDATION_SHARE,
    isTrained: (row) => isEvery(data, row, DEFAULT_EVERY_HOURS) && isKept(market[row]),
    isForecast: (row) => isEvery(data, row, JUDGED_EVERY_HOURS),
    model: {
      seeds: DEFAULT_MODEL_OPTIONS.seeds,
      fit: DEFAULT_MODEL_OPTIONS.fit,
      threads: 2,
      onProgress: () => {},
      interrupted: new AbortController().signal,
    },
    onFold: () => {},
  });
const whole = await walk(() => true);
const known = tableOf('trained on', whole);
const unseen: ForecastTable = {
  ...known,
  forecaster: 'left out',
  valueAtRisk: known.valueAtRisk.slice(),
  expectedShortfall: known.expectedShortfall.slice(),
  shockProbability: whole.shockProbability.slice(),
  variance: whole.variance.slice(),
};
for (let third = 0; third < THIRDS; third++) {
  const part = await walk((m) => m % THIRDS !== third);
  for (const [i, row] of whole.rows.entries()) {
    if (market[row] % THIRDS !== third) continue;
    copyRow(part.valueAtRisk, unseen.valueAtRisk, i, CELLS_PER_MARKET);
    copyRow(part.expectedShortfall, unseen.expectedShortfall, i, CELLS_PER_MARKET);
    copyRow(part.shockProbability, unseen.shockProbability, i, PATHS_PER_MARKET);
    copyRow(part.variance, unseen.variance, i, HORIZON_COUNT);
  }
  print(`third ${third + 1} left out after ${(stopwatchSeconds() - since).toFixed(0)} s`);
}
const outcomes = outcomeTable(markets, data, whole.rows, folds);
const { averages, variances, span } = judge(outcomes, [known, unseen], 'left out', JUDGED_EVERY_HOURS);
const rows = averages
  .filter(({ forecaster, confidence }) => forecaster === 'left out' && confidence < 0.995)
  .map((own) => {
    const other = averages.find(
      (one) =>
        one.forecaster === 'trained on' &&
        one.side === own.side &&
        one.horizonHours === own.horizonHours &&
        one.confidence === own.confidence,
    );
    return [
      `${own.horizonHours} h`,
      own.side,
      `${100 * own.confidence} %`,
      (100 * (other?.pinball ?? 0)).toFixed(4),
      (100 * own.pinball).toFixed(4),
      `${(100 * (own.pinball / (other?.pinball ?? 1) - 1)).toFixed(2)} %`,
      (own.fz0 - (other?.fz0 ?? 0)).toFixed(4),
    ];
  });
print(table(['horizon', 'side', 'confidence', 'trained on', 'left out', 'worse by', 'FZ0 worse by'], rows));
for (const { forecaster, horizonHours, qlike } of variances)
  print(`${forecaster}, ${horizonHours} h: QLIKE ${qlike.toFixed(4)}`);
print(`${span.markets} markets, ${span.rows} rows`);

function copyRow(from: Float64Array, to: Float64Array | null, row: number, width: number): void {
  to?.set(from.subarray(row * width, (row + 1) * width), row * width);
}
