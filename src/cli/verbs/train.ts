import { ModelRegistry } from '../../../models/registry.ts';
import { DEFAULT_EVERY_HOURS, type JobProgress, type TrainingOutcome } from '../../../training/job.ts';
import { loadExperiments, trainInDataDir } from '../../../training/run.ts';
import { DEFAULT_MODEL_OPTIONS } from '../../../training/train.ts';
import { stopwatchSeconds } from '../../clock.ts';
import { loadConfig } from '../../config.ts';
import { SHIPPED_MODELS } from '../../program.ts';
import { tellVersion } from '../../shared-models.ts';
import type { CliContext, CommonOptions } from '../command.ts';
import { jobBar } from '../job-bar.ts';
import { scoresByMarket, scoresOverMarkets } from '../score-tables.ts';
import { recordTraining } from './records.ts';

interface TrainOptions extends CommonOptions {
  readonly markets?: string;
  readonly to?: number;
  readonly everyHours?: number;
  readonly epochs?: number;
  readonly seeds?: readonly number[];
  readonly evaluate: boolean;
  readonly wholeField?: boolean;
  readonly note?: string;
}

/**
 * Seconds of the phases where no earlier run in this folder tells: 42 markets on two shared cores. Only their
 * proportions matter, and those less and less as the run goes on.
 */
const USUAL_SECONDS: readonly (readonly [JobProgress['phase'], number])[] = [
  ['load', 2],
  ['features', 6],
  ['fit for evaluation', 80],
  ['evaluate', 40],
  ['fit', 25],
  ['save', 15],
];

export async function train(context: CliContext, options: TrainOptions): Promise<void> {
  const { values: config } = loadConfig({ dataDir: options.dataDir, config: options.config });
  const { dataDir, gates } = config;
  const started = stopwatchSeconds();
  const startedAt = context.clock.now();
  const bar = jobBar(context, 'train', await expectedSeconds(dataDir, options.evaluate));
  const trained = trainInDataDir(
    { dataDir, shippedModels: SHIPPED_MODELS },
    {
      seeds: options.seeds ?? DEFAULT_MODEL_OPTIONS.seeds,
      symbols: symbolsOf(options.markets),
      to: options.to ?? null,
      everyHours: options.everyHours ?? DEFAULT_EVERY_HOURS,
      maximumEpochs: options.epochs ?? DEFAULT_MODEL_OPTIONS.fit.maximumEpochs,
      evaluate: options.evaluate,
      wholeField: options.wholeField ?? false,
      gates,
      clock: context.clock,
      interrupted: context.interrupted,
      onProgress: bar.update,
    },
    options.note,
  ).finally(() => bar.finish());
  const outcome = await recordTraining(context.clock, config, startedAt, trained);
  const { version, gates: judged } = outcome.manifest;
  const registry = new ModelRegistry(SHIPPED_MODELS, dataDir);
  await tellVersion(config.databaseUrl, registry, version, judged?.passed ?? true);
  const seconds = stopwatchSeconds() - started;
  if (options.json === true) context.printJson({ ...asJson(outcome), seconds });
  else print(context, outcome, seconds);
}

/** The markets of `--markets`; null for all. */
export function symbolsOf(list: string | undefined): string[] | null {
  return list?.split(',').map((symbol) => symbol.trim()) ?? null;
}

/** What the newest run of the same kind took here. */
async function expectedSeconds(
  dataDir: string,
  evaluate: boolean,
): Promise<readonly (readonly [string, number])[]> {
  const { experiments } = await loadExperiments(dataDir);
  const last = experiments.findLast(
    (one) => one.kind === 'train' && one.result !== 'failed' && one.options.evaluate === evaluate,
  );
  const phases = Object.entries(last?.phaseSeconds ?? {});
  if (phases.length > 0) return phases;
  const ofEvaluation: readonly string[] = ['fit for evaluation', 'evaluate'];
  return USUAL_SECONDS.filter(([phase]) => evaluate || !ofEvaluation.includes(phase));
}

function asJson({ manifest, judgement, gates }: TrainingOutcome) {
  const { version, data, split, training } = manifest;
  return { version, data, split, training, gates, judgement };
}

function print(context: CliContext, { manifest, judgement, gates }: TrainingOutcome, seconds: number): void {
  const { data, version, training } = manifest;
  if (judgement !== null) {
    context.print(scoresByMarket(judgement.cells));
    context.print('');
    context.print(scoresOverMarkets(judgement.cells));
    context.print('');
  }
  const leftOut = data.leftOut ?? [];
  if (leftOut.length > 0) context.print(`Left out for too little history: ${leftOut.join(', ')}\n`);
  const failed = (gates ?? []).filter(({ passed }) => !passed);
  for (const { gate, passed, words } of gates ?? [])
    context.print(`${passed ? 'passed' : 'FAILED'}  ${gate}: ${words}`);
  if (gates !== null) context.print('');
  const standing =
    failed.length > 0
      ? `It failed ${failed.length} of ${gates?.length} gates and is not the challenger; its report: plimsoll report ${version} --output FILE`
      : `It is the challenger; make it the champion with: plimsoll promote ${version}`;
  context.print(
    `${version}: ${data.rows} rows of ${data.markets.length} ${data.simulated ? 'simulated ' : ''}markets, ` +
      `${training.members.length} members on ${training.backend}, ${seconds.toFixed(0)} s. ${standing}`,
  );
}
