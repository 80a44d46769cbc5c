import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { BarStore } from '../../../data/bar-store.ts';
import type { GateResult } from '../../../models/gate-record.ts';
import type { ModelRegistry } from '../../../models/registry.ts';
import {
  type BroughtModel,
  documentsOfBrought,
  manifestOfBrought,
  versionOfBrought,
} from '../../../training/brought.ts';
import { buildDataset, type Dataset } from '../../../training/dataset.ts';
import { blankExperiment } from '../../../training/experiments.ts';
import { FIELD_METHODS, QUICK_METHODS } from '../../../training/field/field.ts';
import { championOfToday, gatesOf } from '../../../training/gates-of.ts';
import { importanceOf } from '../../../training/importance-of.ts';
import { DEFAULT_EVERY_HOURS } from '../../../training/job.ts';
import { type JudgedAgainstField, judgeAgainstField } from '../../../training/judge/against-field.ts';
import type { GatePolicy } from '../../../training/judge/gate-policy.ts';
import { gateRecordOf } from '../../../training/judge/gates.ts';
import { outcomeTable } from '../../../training/judge/outcomes.ts';
import type { OutcomeTable } from '../../../training/judge/tables.ts';
import { openExperimentLog } from '../../../training/run.ts';
import { judgementForLog } from '../../../training/run-experiment.ts';
import { rowsBetween } from '../../../training/splits.ts';
import { isEvery, JUDGED_EVERY_HOURS, trialFolds } from '../../../training/trial.ts';
import { isoTime, stopwatchSeconds } from '../../clock.ts';
import { loadConfig } from '../../config.ts';
import { PlimsollError } from '../../errors.ts';
import { PROGRAM_VERSION } from '../../program.ts';
import type { MarketHistory } from '../../risk/bars.ts';
import { type Candidate, candidateIn } from '../candidate.ts';
import type { CliContext, CommonOptions } from '../command.ts';
import { jobBar } from '../job-bar.ts';
import { judgedPage, printGates } from '../judged.ts';
import { scoresByMarket, scoresOverMarkets } from '../score-tables.ts';
import { openRegistry } from './models.ts';

interface JudgeOptions extends CommonOptions {
  /** The module's author says what it was made of: nothing before this is judged. */
  readonly seenUntil?: number;
  readonly wholeField?: boolean;
  readonly output?: string;
  /** Keeps an ONNX file as a version; the challenger, if it passes every gate. */
  readonly register?: boolean;
}

/** Seconds of 42 markets and a quick predictor; only the proportions matter. */
const USUAL_SECONDS = [
  ['load', 2],
  ['features', 6],
  ['forecast', 60],
  ['evaluate', 40],
  ['gates', 20],
] as const;

/**
 * Anybody's model on the rows that a training would be judged on, beside the classical field and the champion: scores, duels, coverage, and
 * every gate that a trained version must pass. A module is code and runs with the rights of whoever calls this.
 *
 * @param file an ONNX file, or a module whose default export, or whose `predictor`, has the predictor port.
 */
export async function judgeFile(context: CliContext, file: string, options: JudgeOptions): Promise<void> {
  const { json, seenUntil: said, wholeField, output, register = false, ...flags } = options;
  const { dataDir, gates: policy } = loadConfig(flags).values;
  const started = stopwatchSeconds();
  const candidate = await candidateIn(file);
  const { brought } = candidate;
  if (register && brought === null) {
    throw new PlimsollError(
      'USAGE',
      'a module is code, which the service does not run: it is not registered',
      {
        remedy: 'Export the model as an ONNX file and register that.',
      },
    );
  }
  const bar = jobBar(context, 'judge', USUAL_SECONDS);
  const tell = (phase: string, share: number, remark = ''): void => {
    context.interrupted.throwIfAborted();
    bar.update({ phase, share, remark });
  };
  tell('load', 0);
  const store = await BarStore.open(dataDir);
  const [markets, fingerprint] = await Promise.all([store.loadMarkets(), store.fingerprint()]).finally(() =>
    store.close(),
  );
  tell('features', 0, `${markets.length} markets`);
  // As a training with its own options takes them: then the champion's own trial was on the same rows.
  const data = buildDataset(markets, [DEFAULT_EVERY_HOURS, JUDGED_EVERY_HOURS], Number.MAX_SAFE_INTEGER);
  const known = [said, candidate.seenUntil].filter((time) => time !== undefined && time !== null);
  const seenUntil = known.length === 0 ? null : Math.max(...known);
  const { folds, rows } = judgedTime(data, seenUntil);
  const outcomes = outcomeTable(markets, data, rows, folds);
  const own = await candidate.forecasts(markets, data, rows, outcomes, (share) => tell('forecast', share));
  const methods = wholeField === true ? FIELD_METHODS : QUICK_METHODS;
  const judged = await judgeAgainstField(markets, outcomes, folds, own, methods, (done, total) =>
    tell('evaluate', done / total, 'the classical field'),
  );
  requireAnswers(candidate, judged);
  tell('gates', 0);
  const { registry } = openRegistry(flags);
  const facts = await candidate.facts(markets, data);
  const champion = await championOfToday(registry);
  const gates = await gatesOf({ outcomes, ...judged }, data, champion, facts, policy);
  champion?.forecaster.dispose();
  const { judgement } = judged;
  const simulated = markets.some((market) => market.simulated);
  const importance = brought === null ? null : await importanceOf(brought.forecaster, data, outcomes.asOf[0]);
  const page = judgedPage(context, judged, outcomes, {
    gates,
    simulated,
    importance,
    lineage: lineageOf(file, brought),
    command: `plimsoll judge ${file}`,
  });
  const version =
    brought === null || !register
      ? null
      : await registered(context, registry, policy, {
          brought,
          data,
          outcomes,
          judged,
          gates,
          page,
          fingerprint,
          markets,
        });
  bar.finish();
  if (output !== undefined) await writeFile(output, page);
  const { from, until, origins, markets: count, rows: judgedRows } = judgement.span;
  const passed = gates.every((gate) => gate.passed);
  await openExperimentLog(dataDir).append({
    ...blankExperiment('judge', candidate.name, isoTime(context.clock.now())),
    version,
    data: { fingerprint, from, to: until, markets: count, rows: judgedRows, simulated },
    folds: seenUntil === null ? [] : [{ fittedUntil: isoTime(seenUntil), from, until }],
    ...judgementForLog(judgement),
    gates: gates.map(({ gate, passed: isPassed, words }) => ({
      name: gate,
      passed: isPassed,
      detail: words,
    })),
    result: version === null ? 'judged' : passed ? 'challenger' : 'worse',
    message: brought?.origin.title ?? file,
    seconds: stopwatchSeconds() - started,
  });
  if (json === true) {
    context.printJson({ predictor: candidate.name, seenUntil, version, gates, judgement });
    return;
  }
  context.print(scoresByMarket(judgement.cells));
  context.print('');
  context.print(scoresOverMarkets(judgement.cells));
  context.print('');
  printGates(context, gates);
  context.print('');
  context.print(`${candidate.name}: ${origins} origins, ${from} to ${until}. ${seenWords(seenUntil)}`);
  if (version !== null) context.print(standing(version, gates));
}

/** The rows of a trial that the candidate has not seen. @throws PlimsollError DATA_INSUFFICIENT where there is none. */
function judgedTime(data: Dataset, seenUntil: number | null) {
  const { rows: all, asOf } = data.features;
  if (all === 0) {
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
  const rows = rowsBetween(asOf, from, Number.MAX_SAFE_INTEGER).filter((row) =>
    isEvery(data, row, JUDGED_EVERY_HOURS),
  );
  if (rows.length > 0) return { folds, rows };
  throw new PlimsollError(
    'DATA_INSUFFICIENT',
    `the model was made from data until ${isoTime(from).slice(0, 10)}, and nothing later is stored`,
    { remedy: 'Import newer history, or make the model from data that end earlier.' },
  );
}

/** What a file answers when it likes is not judged; a module may have none for a market, but for most it must. */
function requireAnswers(
  { name, brought }: Candidate,
  { judgement: { forecasters, span } }: JudgedAgainstField,
): void {
  const missing = span.unanswered[name] ?? 0;
  if (forecasters.includes(name) && (brought === null || missing === 0)) return;
  throw new PlimsollError('INPUT_INVALID', `${name} has no answer for ${missing} of the rows to be judged`, {
    remedy: 'Give a finite forecast for every feature row.',
  });
}

interface Registration {
  readonly brought: BroughtModel;
  readonly data: Dataset;
  readonly outcomes: OutcomeTable;
  readonly judged: JudgedAgainstField;
  readonly gates: readonly GateResult[];
  readonly page: string;
  readonly fingerprint: string;
  readonly markets: readonly MarketHistory[];
}

/** Adds the model to the registry as a version. */
async function registered(
  { clock }: CliContext,
  registry: ModelRegistry,
  policy: GatePolicy,
  { brought, data, outcomes, judged, gates, page, fingerprint, markets }: Registration,
): Promise<string> {
  const parent = await registry.versionOf('champion');
  const record = gateRecordOf(gates, policy, parent, isoTime(clock.now()));
  const manifest = await manifestOfBrought(
    brought,
    data,
    outcomes,
    judged,
    record,
    {
      parent,
      dataFingerprint: fingerprint,
      programVersion: PROGRAM_VERSION,
      command: brought.origin.command,
    },
    markets.some(({ simulated }) => simulated),
  );
  const documents = documentsOfBrought(manifest, judged, gates, page);
  await registry.add(manifest, brought.file, documents, record.passed);
  return manifest.version;
}

function lineageOf(file: string, brought: BroughtModel | null): readonly (readonly [string, string])[] {
  if (brought === null) return [['module', resolve(file)]];
  const { title, command, data } = brought.origin;
  return [
    ['version', versionOfBrought(brought)],
    ['ONNX file', resolve(file)],
    ['title', title],
    ['made by', command],
    ['data, as its author says', `${data.markets.length} markets, ${data.from} to ${data.to}`],
  ];
}

function seenWords(seenUntil: number | null): string {
  return seenUntil === null
    ? 'What it had seen of that time nobody knows; --seen-until DATE leaves out what it may have.'
    : `It is said to have seen nothing after ${isoTime(seenUntil).slice(0, 10)}.`;
}

function standing(version: string, gates: readonly GateResult[]): string {
  const failed = gates.filter(({ passed }) => !passed);
  return failed.length > 0
    ? `${version} is registered. It failed ${failed.length} of ${gates.length} gates and is not the challenger.`
    : `${version} is registered as the challenger; make it the champion with: plimsoll promote ${version}`;
}
