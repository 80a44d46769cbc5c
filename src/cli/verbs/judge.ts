import { access } from 'node:fs/promises';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { BarStore } from '../../../data/bar-store.ts';
import type { GateResult } from '../../../models/gate-record.ts';
import { buildDataset } from '../../../training/dataset.ts';
import { FIELD_METHODS, QUICK_METHODS } from '../../../training/field/field.ts';
import { judgeAgainstField } from '../../../training/judge/against-field.ts';
import { forecastByPredictor } from '../../../training/judge/from-predictor.ts';
import type { Judgement } from '../../../training/judge/judgement.ts';
import { outcomeTable } from '../../../training/judge/outcomes.ts';
import { rowsBetween } from '../../../training/splits.ts';
import { gatherFeatures } from '../../../training/train.ts';
import { isEvery, JUDGED_EVERY_HOURS, trialFolds } from '../../../training/trial.ts';
import { isoTime } from '../../clock.ts';
import { loadConfig } from '../../config.ts';
import { PlimsollError } from '../../errors.ts';
import type { Predictor } from '../../forecast/predictor.ts';
import type { CliContext, CommonOptions } from '../command.ts';
import { jobBar } from '../job-bar.ts';
import { printGates, writeJudgedPage } from '../judged.ts';
import { scoresByMarket, scoresOverMarkets } from '../score-tables.ts';

interface JudgeOptions extends CommonOptions {
  /** The module's author says what it was made of: nothing before this is judged. */
  readonly seenUntil?: number;
  readonly wholeField?: boolean;
  readonly output?: string;
}

/** Seconds of 42 markets and a quick predictor; only the proportions matter. */
const USUAL_SECONDS = [
  ['load', 2],
  ['features', 6],
  ['forecast', 60],
  ['evaluate', 40],
] as const;

/**
 * Anybody's predictor on the rows that a training would be judged on, beside the classical field: scores, duels, coverage, and the
 * gates that its forecasts can pass or fail. The module is code and runs with the rights of whoever calls this.
 *
 * @param file a module whose default export, or whose `predictor`, has the predictor port.
 */
export async function judgeModule(
  context: CliContext,
  file: string,
  { json, seenUntil, wholeField, output, ...flags }: JudgeOptions,
): Promise<void> {
  const { dataDir, gates: policy } = loadConfig(flags).values;
  const predictor = await predictorIn(file);
  const bar = jobBar(context, 'judge', USUAL_SECONDS);
  const tell = (phase: string, share: number, remark = ''): void => {
    context.interrupted.throwIfAborted();
    bar.update({ phase, share, remark });
  };
  tell('load', 0);
  const store = await BarStore.open(dataDir);
  const markets = await store.loadMarkets().finally(() => store.close());
  tell('features', 0, `${markets.length} markets`);
  const data = buildDataset(markets, JUDGED_EVERY_HOURS, Number.MAX_SAFE_INTEGER);
  if (data.features.rows === 0) {
    throw new PlimsollError(
      'DATA_INSUFFICIENT',
      'there is no stored market with enough history to judge on',
      {
        remedy: 'Import history first: plimsoll import PATH.',
      },
    );
  }
  const folds = trialFolds(data);
  const from = Math.max(folds[0].from, seenUntil ?? Number.NEGATIVE_INFINITY);
  const rows = rowsBetween(data.features.asOf, from, Number.MAX_SAFE_INTEGER).filter((row) =>
    isEvery(data, row, JUDGED_EVERY_HOURS),
  );
  const outcomes = outcomeTable(markets, data, rows, folds);
  const own = await forecastByPredictor(predictor, markets, outcomes, gatherFeatures(data, rows), (share) =>
    tell('forecast', share),
  );
  const methods = wholeField === true ? FIELD_METHODS : QUICK_METHODS;
  const judged = await judgeAgainstField(markets, outcomes, folds, own, methods, policy, (done, total) =>
    tell('evaluate', done / total, 'the classical field'),
  );
  const { judgement, gates } = judged;
  bar.finish();
  if (output !== undefined)
    await writeJudgedPage(context, output, judged, outcomes, {
      simulated: markets.some(({ simulated }) => simulated),
      lineage: [['module', resolve(file)]],
      command: `plimsoll judge ${file}`,
    });
  if (json === true)
    context.printJson({ predictor: predictor.id, seenUntil: seenUntil ?? null, gates, judgement });
  else print(context, predictor.id, judgement, gates, seenUntil);
}

/** @throws PlimsollError NOT_FOUND, INPUT_INVALID where the module cannot be loaded, or exports no predictor. */
async function predictorIn(file: string): Promise<Predictor> {
  await access(file).catch((cause: unknown) => {
    throw new PlimsollError('NOT_FOUND', `there is no file ${file}`, {
      remedy: 'Give the path of a .js, .mjs or .ts file that exports a predictor.',
      cause,
    });
  });
  const loaded = await import(pathToFileURL(resolve(file)).href).catch((cause: unknown) => {
    throw new PlimsollError('INPUT_INVALID', `${file} cannot be loaded as a module: ${String(cause)}`, {
      remedy: 'Give the path of a .js, .mjs or .ts file that can be imported by itself.',
      cause,
    });
  });
  const found: unknown =
    (loaded as { predictor?: unknown }).predictor ?? (loaded as { default?: unknown }).default;
  if (isPredictor(found)) return found;
  throw new PlimsollError('INPUT_INVALID', `${file} exports no predictor`, {
    remedy:
      'Export by default, or as `predictor`, an object with `id` and `predict(input)`; docs/model.md has an example.',
  });
}

function isPredictor(value: unknown): value is Predictor {
  if (typeof value !== 'object' || value === null) return false;
  const { id, predict } = value as Partial<Record<keyof Predictor, unknown>>;
  return typeof id === 'string' && id !== '' && typeof predict === 'function';
}

function print(
  context: CliContext,
  id: string,
  judgement: Judgement,
  gates: readonly GateResult[],
  seenUntil: number | undefined,
): void {
  const { from, until, origins } = judgement.span;
  context.print(scoresByMarket(judgement.cells));
  context.print('');
  context.print(scoresOverMarkets(judgement.cells));
  context.print('');
  printGates(context, gates);
  context.print('');
  const seen =
    seenUntil === undefined
      ? 'What it had seen of that time nobody knows; --seen-until DATE leaves out what it may have.'
      : `It is said to have seen nothing after ${isoTime(seenUntil).slice(0, 10)}.`;
  context.print(`${id}: ${origins} origins, ${from} to ${until}. ${seen}`);
}
