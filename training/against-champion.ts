import type { ModelManifest } from '../models/manifest.ts';
import { HORIZONS_HOURS } from '../src/forecast/predictor.ts';
import type { RowForecaster } from '../src/forecast/row-forecaster.ts';
import { DAY_MILLISECONDS, HOUR_MILLISECONDS } from '../src/units.ts';
import type { Dataset } from './dataset.ts';
import { judge } from './judge/judge.ts';
import type { Judgement } from './judge/judgement.ts';
import type { ForecastTable, OutcomeTable } from './judge/tables.ts';
import { trackedForecasts } from './judge/tracked.ts';
import { rowsBetween } from './splits.ts';
import { forecastDataset } from './train.ts';
import { isEvery, JUDGED_EVERY_HOURS, type Trial, tableOf } from './trial.ts';

/** The champion's name among forecasters. */
export const CHAMPION = 'champion';

export interface ChampionOfToday {
  readonly manifest: ModelManifest;
  readonly forecaster: RowForecaster;
  /** What its own trial came to; null where it had none. */
  readonly judgement: Judgement | null;
}

/** Fewer days that neither has seen do not tell the two apart. */
const LEAST_DAYS = 30;

/**
 * The candidate and the champion judged on the same time, which the champion must not have seen. Either the champion's own trial was on that time
 * too: then trial stands against trial. Or there is later time: then the champion's weights forecast it.
 *
 * @returns a judgement with a forecaster `champion`; null where there is no such time.
 */
export async function judgeAgainstChampion(
  trial: Pick<Trial, 'outcomes' | 'forecasts' | 'judgement'>,
  data: Dataset,
  champion: ChampionOfToday,
): Promise<Judgement | null> {
  const { judgement } = champion;
  if (judgement !== null && isSameTime(trial.judgement, judgement)) return joined(trial.judgement, judgement);
  const longest = HORIZONS_HOURS[HORIZONS_HOURS.length - 1];
  const seenUntil = Date.parse(champion.manifest.data.to) + longest * HOUR_MILLISECONDS;
  const { asOf } = trial.outcomes;
  const from = asOf.findIndex((time) => time >= seenUntil);
  const last = asOf[asOf.length - 1];
  if (from < 0 || last - asOf[from] < LEAST_DAYS * DAY_MILLISECONDS) return null;
  const rows = rowsBetween(data.features.asOf, asOf[from], last + 1).filter((row) =>
    isEvery(data, row, JUDGED_EVERY_HOURS),
  );
  const outcomes = outcomesFrom(trial.outcomes, from);
  const forecast = await forecastDataset(data, rows, champion.forecaster);
  const theirs = trackedForecasts(outcomes, tableOf(CHAMPION, forecast));
  const [own] = trial.forecasts;
  const tables = [tailOf(own, from, asOf.length), theirs];
  return judge(outcomes, tables, own.forecaster, JUDGED_EVERY_HOURS);
}

/** Whether two trials were on the same origins of as many markets. */
function isSameTime({ span: a }: Judgement, { span: b }: Judgement): boolean {
  return a.from === b.from && a.until === b.until && a.rows === b.rows && a.stepHours === b.stepHours;
}

/** The candidate's judgement with the averages and regimes that the champion's trial came to. */
function joined(own: Judgement, theirs: Judgement): Judgement {
  const ofChampion = <T extends { readonly forecaster: string }>(all: readonly T[]): readonly T[] =>
    all
      .filter(({ forecaster }) => forecaster === theirs.candidate)
      .map((one) => ({ ...one, forecaster: CHAMPION }));
  return {
    ...own,
    forecasters: [...own.forecasters, CHAMPION],
    averages: [...own.averages, ...ofChampion(theirs.averages)],
    regimes: [...own.regimes, ...ofChampion(theirs.regimes)],
  };
}

function tailOf(table: ForecastTable, from: number, rows: number): ForecastTable {
  const cut = (array: Float64Array): Float64Array => array.subarray((array.length / rows) * from);
  const { shockProbability, variance } = table;
  return {
    forecaster: table.forecaster,
    valueAtRisk: cut(table.valueAtRisk),
    expectedShortfall: cut(table.expectedShortfall),
    shockProbability: shockProbability === null ? null : cut(shockProbability),
    variance: variance === null ? null : cut(variance),
  };
}

function outcomesFrom(outcomes: OutcomeTable, from: number): OutcomeTable {
  const { rows } = outcomes;
  const cut = (array: Float64Array): Float64Array => array.subarray((array.length / rows) * from);
  return {
    rows: rows - from,
    symbols: outcomes.symbols,
    market: outcomes.market.subarray(from),
    asOf: cut(outcomes.asOf),
    fold: outcomes.fold.subarray(from),
    price: cut(outcomes.price),
    excursions: cut(outcomes.excursions),
    shockThreshold: cut(outcomes.shockThreshold),
    realisedVariance: cut(outcomes.realisedVariance),
    volatilityFifth: outcomes.volatilityFifth.subarray(from),
  };
}
