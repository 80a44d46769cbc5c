import { table } from '../src/cli/command.ts';
import { stopwatchSeconds } from '../src/clock.ts';
import type { MarketHistory } from '../src/risk/bars.ts';
import { DAY_MILLISECONDS } from '../src/units.ts';
import { buildDataset } from '../training/dataset.ts';
import { classicalField, FIELD_METHODS } from '../training/field/field.ts';
import { DEFAULT_EVERY_HOURS } from '../training/job.ts';
import { judge } from '../training/judge/judge.ts';
import type { Judgement } from '../training/judge/judgement.ts';
import { outcomeTable } from '../training/judge/outcomes.ts';
import type { ForecastTable } from '../training/judge/tables.ts';
import { trackedForecasts } from '../training/judge/tracked.ts';
import { VALIDATION_SHARE } from '../training/splits.ts';
import { DEFAULT_MODEL_OPTIONS } from '../training/train.ts';
import { isEvery, JUDGED_EVERY_HOURS, REFIT_DAYS, tableOf } from '../training/trial.ts';
import { expandingFolds, walkForward } from '../training/walk-forward.ts';
import { filledStore } from './history.ts';
import { megabytes, print } from './measure.ts';

/**
 * How good the shock model is, out of time, beside the whole classical field: refits every 84 days on an expanding past, origins every 6 hours of one
 * year, perpetual markets that traded all of that year and most of the one before. An argument names another year.
 */
const YEAR = Number(process.argv[3] ?? 2024);
const FROM = Date.UTC(YEAR, 0, 1);
const UNTIL = Date.UTC(YEAR + 1, 0, 1);
const LEAST_PAST_DAYS = 310;
const CANDIDATE = 'shock-network';
/** FZ0 of losses in percent is FZ0 of shares plus this. */
const PERCENT = Math.log(100);

const { store, remove } = await filledStore();
const markets = await store.loadMarkets();
remove();
const since = stopwatchSeconds();
const told = (what: string): void => print(`${what} after ${(stopwatchSeconds() - since).toFixed(0)} s`);
const data = buildDataset(markets, [DEFAULT_EVERY_HOURS, JUDGED_EVERY_HOURS], Number.MAX_SAFE_INTEGER);
const isJudged = markets.map(spansBothYears);
const folds = expandingFolds(FROM, UNTIL, REFIT_DAYS);
const walked = await walkForward(data, {
  folds,
  validationShare: VALIDATION_SHARE,
  isTrained: (row) => isEvery(data, row, DEFAULT_EVERY_HOURS),
  isForecast: (row) => isEvery(data, row, JUDGED_EVERY_HOURS) && isJudged[data.features.market[row]],
  model: {
    seeds: DEFAULT_MODEL_OPTIONS.seeds,
    fit: DEFAULT_MODEL_OPTIONS.fit,
    threads: 2,
    onProgress: () => {},
    interrupted: new AbortController().signal,
  },
  onFold: (fold) => told(`fit ${fold + 1}`),
});
const outcomes = outcomeTable(markets, data, walked.rows, folds);
const field: ForecastTable[] = [];
for (const method of FIELD_METHODS) {
  const start = stopwatchSeconds();
  field.push(...(await classicalField(markets, outcomes, folds, [method], () => {})));
  print(`${method}: ${(stopwatchSeconds() - start).toFixed(1)} s`);
}
const raw = tableOf(`${CANDIDATE}-untracked`, walked);
const tracked = { ...trackedForecasts(outcomes, raw), forecaster: CANDIDATE };
const judgement = judge(outcomes, [...field, tracked], CANDIDATE, JUDGED_EVERY_HOURS);
const untracked = judge(outcomes, [...field, raw], raw.forecaster, JUDGED_EVERY_HOURS);
told('judged');
printScores(judgement, 24);
printHorizons(judgement);
printDuels(judgement);
printCoverage(judgement, 'with tracked levels, as the service publishes it');
printCoverage(untracked, 'without');
const { span } = judgement;
print(
  `${span.markets} markets, ${span.origins} origins, ${span.rows} rows, memory ${megabytes(process.memoryUsage.rss())}`,
);

function spansBothYears({ source, bars }: MarketHistory): boolean {
  if (!source.includes('-perp-')) return false;
  const first = bars.openTime[0];
  const last = bars.openTime[bars.length - 1];
  return first <= FROM - LEAST_PAST_DAYS * DAY_MILLISECONDS && last >= UNTIL - DAY_MILLISECONDS;
}

/** All forecasters at one horizon: pinball in percent of the price, in brackets the exceedance rate in percent; FZ0 of losses in percent. */
function printScores({ forecasters, averages, variances, shocks }: Judgement, horizonHours: number): void {
  const rows = forecasters.map((forecaster) => {
    const score = (side: string, confidence: number, of: 'pinball' | 'fz0'): string => {
      const own = averages.find(
        (one) =>
          one.forecaster === forecaster &&
          one.side === side &&
          one.horizonHours === horizonHours &&
          one.confidence === confidence,
      );
      if (own === undefined) return '';
      return of === 'fz0'
        ? (own.fz0 + PERCENT).toFixed(3)
        : `${(100 * own.pinball).toFixed(4)} (${(100 * own.exceedanceRate).toFixed(2)})`;
    };
    const skill = (side: string): string =>
      shocks
        .find(
          (one) => one.forecaster === forecaster && one.side === side && one.horizonHours === horizonHours,
        )
        ?.skill.toFixed(3) ?? '';
    return [
      forecaster,
      score('long', 0.99, 'pinball'),
      score('short', 0.99, 'pinball'),
      score('long', 0.95, 'pinball'),
      score('short', 0.95, 'pinball'),
      score('long', 0.99, 'fz0'),
      score('short', 0.99, 'fz0'),
      variances
        .find((one) => one.forecaster === forecaster && one.horizonHours === horizonHours)
        ?.qlike.toFixed(3) ?? '',
      skill('long'),
      skill('short'),
    ];
  });
  const titles = [
    '1 % long',
    '1 % short',
    '5 % long',
    '5 % short',
    'FZ0 long',
    'FZ0 short',
    'QLIKE',
    'Brier long',
    'Brier short',
  ];
  print(table([`${horizonHours} h ahead`, ...titles], rows));
}

/** The shock model at all horizons beside historical simulation and the best other forecaster on average. */
function printHorizons({ averages, forecasters }: Judgement): void {
  const cells = averages.filter(
    ({ forecaster, confidence }) => forecaster === CANDIDATE && confidence < 0.995,
  );
  const rows = cells.map((own) => {
    const others = averages.filter(
      (one) =>
        one.forecaster !== CANDIDATE &&
        one.side === own.side &&
        one.horizonHours === own.horizonHours &&
        one.confidence === own.confidence,
    );
    const historical = others.find(({ forecaster }) => forecaster === 'historical');
    const best = others.reduce((least, one) => (one.pinball < least.pinball ? one : least));
    const gain = (other: number): string => `${(100 * (1 - own.pinball / other)).toFixed(1)} %`;
    return [
      `${own.horizonHours} h`,
      own.side,
      `${100 * own.confidence} %`,
      (100 * own.pinball).toFixed(4),
      `${(100 * own.exceedanceRate).toFixed(2)} %`,
      historical === undefined ? '' : gain(historical.pinball),
      gain(best.pinball),
      best.forecaster,
    ];
  });
  const titles = [
    'horizon',
    'side',
    'confidence',
    'pinball',
    'exceeded',
    'below historical',
    'below the best',
    'which is',
  ];
  print(`\n${CANDIDATE} against ${forecasters.length - 1} classical forecasters`);
  print(table(titles, rows));
}

function printDuels({ bestOfCells }: Judgement): void {
  const percent = (share: number): string => `${(100 * share).toFixed(0)} %`;
  const rows = bestOfCells.map((one) => [
    `${one.horizonHours} h`,
    `${100 * one.confidence} %`,
    one.score,
    String(one.cells),
    percent(one.shareLower),
    percent(one.shareSignificantlyBetter),
    percent(one.shareSignificantlyWorse),
  ]);
  print(
    '\nagainst the best forecaster of each cell (market and side), chosen afterwards; Diebold and Mariano at 5 %',
  );
  print(table(['horizon', 'confidence', 'score', 'cells', 'lower', 'significantly better', 'worse'], rows));
}

function printCoverage({ coverage, candidate }: Judgement, how: string): void {
  const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;
  const rows = coverage
    .filter(({ forecaster }) => forecaster === candidate)
    .map((one) => [
      `${100 * one.confidence} %`,
      String(one.cells),
      `${(100 * one.exceedanceRate).toFixed(3)} %`,
      `${(100 * one.exceedanceRateInStress).toFixed(3)} %`,
      percent(one.shareInsideBinomial),
      percent(one.shareKupiecHeld),
      percent(one.shareConditionalHeld),
      percent(one.shareZ2Held),
    ]);
  print(`\ncoverage by cell, ${how}`);
  const titles = [
    'confidence',
    'cells',
    'exceeded',
    'in the top fifth',
    'in the interval',
    'Kupiec',
    'conditional',
    'Z2',
  ];
  print(table(titles, rows));
}
