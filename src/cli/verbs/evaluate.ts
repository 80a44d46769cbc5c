import { writeFile } from 'node:fs/promises';
import { BarStore } from '../../../data/bar-store.ts';
import type { GateResult } from '../../../models/gate-record.ts';
import { type ModelManifest, ONNX_NAME } from '../../../models/manifest.ts';
import type { ModelRegistry } from '../../../models/registry.ts';
import { blankExperiment } from '../../../training/experiments.ts';
import { FIELD_METHODS, QUICK_METHODS } from '../../../training/field/field.ts';
import { gatesOfForecasts, judgeAgainstField } from '../../../training/judge/against-field.ts';
import type { Judgement } from '../../../training/judge/judgement.ts';
import { outcomeTable } from '../../../training/judge/outcomes.ts';
import { openExperimentLog } from '../../../training/run.ts';
import { judgementForLog } from '../../../training/run-experiment.ts';
import { type CellScore, scoresFromCsv } from '../../../training/scores.ts';
import { forecastDataset } from '../../../training/train.ts';
import { tableOf } from '../../../training/trial.ts';
import { unseenTime } from '../../../training/unseen.ts';
import { isoTime, stopwatchSeconds } from '../../clock.ts';
import { loadConfig } from '../../config.ts';
import { PlimsollError } from '../../errors.ts';
import type { CliContext, CommonOptions } from '../command.ts';
import { jobBar } from '../job-bar.ts';
import { judgedPage, printGates } from '../judged.ts';
import { scoresByMarket, scoresOverMarkets } from '../score-tables.ts';
import { openRegistry, versionNamed } from './models.ts';

/** What scores rest on: weights that never saw the span, one way or the other. */
export interface Judged {
  readonly version: string;
  readonly basis: 'unseen data' | 'same recipe, fitted without the span';
  readonly from: string;
  readonly to: string;
  /** Judged on invented prices: says nothing about real markets. */
  readonly simulated: boolean;
  readonly cells: readonly CellScore[];
}

export interface EvaluateOptions extends CommonOptions {
  readonly wholeField?: boolean;
  readonly output?: string;
}

/** Seconds of 42 markets and a year; only the proportions matter. */
const USUAL_SECONDS = [
  ['load', 2],
  ['features', 6],
  ['forecast', 1],
  ['evaluate', 40],
] as const;

/**
 * Scores of a version that do not peek: its own weights on stored data newer than it was trained on, levelled as the service levels them, beside the
 * classical field on the same rows; where there are none, the scores that the same recipe had at training on time that it had not seen.
 */
export async function evaluate(context: CliContext, name: string, options: EvaluateOptions): Promise<void> {
  const { registry } = openRegistry(options);
  const version = await versionNamed(registry, name);
  const unseen = await evaluateUnseen(context, registry, version, options);
  const judged = unseen ?? (await judgedAtTraining(registry, version));
  if (unseen === null && options.output !== undefined)
    context.note(`no newer data to judge: plimsoll report ${version} has the page that its training made`);
  if (options.json === true) {
    context.printJson(judged);
    return;
  }
  context.print(`${version}, ${basisOf(judged)}`);
  context.print(scoresByMarket(judged.cells));
  context.print('');
  context.print(scoresOverMarkets(judged.cells));
  if (unseen === null) return;
  context.print('');
  printGates(context, unseen.gates);
}

interface EvaluatedUnseen extends Judged {
  readonly gates: readonly GateResult[];
  readonly judgement: Judgement;
}

/** Null where the store has too little time that the version was not trained on. */
async function evaluateUnseen(
  context: CliContext,
  registry: ModelRegistry,
  version: string,
  { json: _, wholeField, output, ...flags }: EvaluateOptions,
): Promise<EvaluatedUnseen | null> {
  const { dataDir, gates: policy } = loadConfig(flags).values;
  const { manifest, forecaster } = await registry.forecaster(version);
  const started = stopwatchSeconds();
  const bar = jobBar(context, `evaluate ${version}`, USUAL_SECONDS);
  const tell = (phase: string, share: number, remark = ''): void => {
    context.interrupted.throwIfAborted();
    bar.update({ phase, share, remark });
  };
  try {
    tell('load', 0);
    const store = await BarStore.open(dataDir);
    const [markets, fingerprint] = await Promise.all([store.loadMarkets(), store.fingerprint()]).finally(() =>
      store.close(),
    );
    tell('features', 0, `${markets.length} markets`);
    const unseen = unseenTime(markets, lastLabelEnd(manifest));
    if (unseen === null) return null;
    const { data, rows, folds } = unseen;
    tell('forecast', 0);
    const own = tableOf(manifest.name, await forecastDataset(data, rows, forecaster));
    const outcomes = outcomeTable(markets, data, rows, folds);
    const methods = wholeField === true ? FIELD_METHODS : QUICK_METHODS;
    const judged = await judgeAgainstField(markets, outcomes, folds, own, methods, (done, total) =>
      tell('evaluate', done / total, 'the classical field'),
    );
    const { judgement } = judged;
    const gates = gatesOfForecasts(outcomes, judged, policy);
    const simulated = markets.some((market) => market.simulated);
    if (output !== undefined)
      await writeFile(
        output,
        judgedPage(context, judged, outcomes, {
          gates,
          simulated,
          lineage: [
            ['version', version],
            ['trained on data to', manifest.data.to],
          ],
          command: `plimsoll evaluate ${version}`,
        }),
      );
    const { from, until, markets: count, rows: judgedRows } = judgement.span;
    // A span that a version had not seen is spent when it is looked at: the log says how often it was.
    await openExperimentLog(dataDir).append({
      ...blankExperiment('evaluate', manifest.name, isoTime(context.clock.now())),
      version,
      data: { fingerprint, from, to: until, markets: count, rows: judgedRows, simulated },
      folds: [{ fittedUntil: manifest.data.to, from, until }],
      ...judgementForLog(judgement),
      gates: gates.map(({ gate, passed, words }) => ({ name: gate, passed, detail: words })),
      result: 'judged',
      seconds: stopwatchSeconds() - started,
    });
    return {
      ...{ version, basis: 'unseen data', from, to: until, simulated, cells: judgement.cells, gates },
      judgement: { ...judgement, cells: [] },
    };
  } catch (thrown) {
    if (thrown instanceof PlimsollError && thrown.code === 'DATA_INSUFFICIENT') return null;
    throw thrown;
  } finally {
    forecaster.dispose();
    bar.finish();
  }
}

export function basisOf({ basis, from, to, simulated }: Omit<Judged, 'version' | 'cells'>): string {
  return `${basis}${simulated ? ' of SIMULATED markets' : ''}: ${from} to ${to}`;
}

/** Names a cell within a market. */
export function keyOf({
  side,
  horizonHours,
  confidence,
}: Pick<CellScore, 'side' | 'horizonHours' | 'confidence'>): string {
  return `${side}/${horizonHours}/${confidence}`;
}

/** The labels of the last training row reach a day beyond it. */
export function lastLabelEnd({ data }: ModelManifest): number {
  return Date.parse(data.to) + 24 * 3_600_000;
}

export async function judgedAtTraining(registry: ModelRegistry, version: string): Promise<Judged> {
  const { name, evaluation, data } = await registry.manifest(version);
  const scores = await registry.document(version, 'scores.csv');
  if (evaluation === null || scores === null) {
    throw new PlimsollError(
      'DATA_INSUFFICIENT',
      `${version} was not scored at training, and the store has no data newer than its own`,
      { remedy: 'Import newer history, or train without --no-evaluate.' },
    );
  }
  return {
    version,
    // What comes from elsewhere is judged itself, on time after its data.
    basis: name === ONNX_NAME ? 'unseen data' : 'same recipe, fitted without the span',
    from: evaluation.testFrom,
    to: evaluation.testTo,
    simulated: data.simulated,
    cells: scoresFromCsv(scores),
  };
}
