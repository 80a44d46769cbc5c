import { isoTime } from '../../clock.ts';
import { PlimsollError } from '../../errors.ts';
import { compareForecasts, type NamedForecasts } from '../../risk/comparison/forecast-comparison.ts';
import { probabilityReport } from '../../risk/comparison/probability-report.ts';
import { coverageReport } from '../../risk/coverage/report.ts';
import type { CliContext, CommonOptions } from '../command.ts';
import { comparisonText, coverageText, probabilityText } from '../coverage-text.ts';
import { type NumberTable, readNumberTable } from '../number-table.ts';

const FORECASTS = ['loss', 'var', 'es'];
const PROBABILITIES = ['probability', 'outcome'];

interface CoverageFlags extends CommonOptions {
  readonly confidence: number;
  readonly against?: readonly string[];
  readonly horizon: number;
}

/** Judges anyone's forecasts: `time,loss,var,es` (losses positive), or `time,probability,outcome`. */
export async function coverage(context: CliContext, path: string, flags: CoverageFlags): Promise<void> {
  const table = await readNumberTable(path, FORECASTS, PROBABILITIES);
  if (table.columns.probability === undefined) await judgeForecasts(context, path, table, flags);
  else judgeProbabilities(context, path, table, flags);
}

async function judgeForecasts(
  context: CliContext,
  path: string,
  table: NumberTable,
  { json, confidence, against = [], horizon }: CoverageFlags,
): Promise<void> {
  const { loss } = table.columns;
  const own = forecastsOf(path, table);
  const report = coverageReport({ loss, ...own, confidence }, { horizonSteps: horizon });
  const others: NamedForecasts[] = [];
  for (const file of against) others.push(await sameLosses(file, path, table));
  const comparison =
    others.length === 0 ? null : compareForecasts(loss, [own, ...others], confidence, horizon);
  if (json === true) context.printJson(comparison === null ? report : { ...report, comparison });
  else {
    context.print(`${spanOf(table)}\n${coverageText(report)}`);
    if (comparison !== null) context.print(comparisonText(comparison));
  }
}

function judgeProbabilities(
  context: CliContext,
  path: string,
  table: NumberTable,
  { json, against }: CoverageFlags,
): void {
  const { probability, outcome } = table.columns;
  if (against !== undefined)
    throw new PlimsollError('USAGE', '--against compares forecasts of VaR and ES', {
      remedy: 'Give files with time,loss,var,es, or leave it out.',
    });
  const wrong = outcome.findIndex((value) => value !== 0 && value !== 1);
  if (wrong >= 0)
    throw new PlimsollError('DATA_INVALID', `${path}: outcome ${wrong + 1} is ${outcome[wrong]}`, {
      remedy: 'Give 1 where the event came and 0 where not.',
    });
  const report = probabilityReport(probability, Uint8Array.from(outcome));
  if (json === true) context.printJson(report);
  else context.print(`${spanOf(table)}\n${probabilityText(report)}`);
}

function spanOf({ time }: NumberTable): string {
  return `${isoTime(time[0])} to ${isoTime(time[time.length - 1])}`;
}

function forecastsOf(name: string, { columns }: NumberTable): NamedForecasts {
  return { name, valueAtRisk: columns.var, expectedShortfall: columns.es };
}

/** Forecasts compare only on the same losses at the same times. */
async function sameLosses(
  file: string,
  first: string,
  { time, columns }: NumberTable,
): Promise<NamedForecasts> {
  const other = await readNumberTable(file, FORECASTS);
  const differs = time.findIndex(
    (at, i) => other.time[i] !== at || other.columns.loss[i] !== columns.loss[i],
  );
  if (differs >= 0 || other.time.length !== time.length) {
    const row = differs >= 0 ? differs + 1 : Math.min(time.length, other.time.length) + 1;
    throw new PlimsollError('DATA_INVALID', `${file} and ${first} part at row ${row}`, {
      remedy: 'Give the same times and the same losses in both.',
    });
  }
  return forecastsOf(file, other);
}
