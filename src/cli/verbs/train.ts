import { DEFAULT_EVERY_HOURS, type TrainingOutcome } from '../../../training/job.ts';
import { trainInDataDir } from '../../../training/run.ts';
import { DEFAULT_MODEL_OPTIONS } from '../../../training/train.ts';
import { stopwatchSeconds } from '../../clock.ts';
import { loadConfig } from '../../config.ts';
import { SHIPPED_MODELS } from '../../program.ts';
import type { CliContext, CommonOptions } from '../command.ts';
import { scoresByMarket, scoresOverMarkets } from '../score-tables.ts';
import { recordTraining } from './records.ts';

interface TrainOptions extends CommonOptions {
  readonly markets?: string;
  readonly to?: number;
  readonly everyHours?: number;
  readonly epochs?: number;
  readonly seeds?: readonly number[];
  readonly evaluate: boolean;
}

export async function train(context: CliContext, options: TrainOptions): Promise<void> {
  const { dataDir } = loadConfig({ dataDir: options.dataDir, config: options.config }).values;
  const started = stopwatchSeconds();
  const startedAt = context.clock.now();
  let phase = '';
  let bar = context.progress('', 1);
  const trained = trainInDataDir(
    { dataDir, shippedModels: SHIPPED_MODELS },
    {
      seeds: options.seeds ?? DEFAULT_MODEL_OPTIONS.seeds,
      symbols: options.markets?.split(',').map((symbol) => symbol.trim()) ?? null,
      to: options.to ?? null,
      everyHours: options.everyHours ?? DEFAULT_EVERY_HOURS,
      maximumEpochs: options.epochs ?? DEFAULT_MODEL_OPTIONS.fit.maximumEpochs,
      evaluate: options.evaluate,
      clock: context.clock,
      interrupted: context.interrupted,
      onProgress: (progress) => {
        if (progress.phase !== phase) {
          bar.finish();
          phase = progress.phase;
          context.note(`${phase} …`);
          bar = context.progress(phase, 1);
        }
        bar.update(progress.share, progress.remark);
      },
    },
  ).finally(() => bar.finish());
  const outcome = await recordTraining(context.clock, dataDir, startedAt, trained);
  const seconds = stopwatchSeconds() - started;
  if (options.json === true) context.printJson({ ...asJson(outcome), seconds });
  else print(context, outcome, seconds);
}

function asJson({ manifest, evaluation }: TrainingOutcome) {
  const { version, data, split, training } = manifest;
  return { version, data, split, training, evaluation };
}

function print(context: CliContext, { manifest, evaluation }: TrainingOutcome, seconds: number): void {
  const { data, version, training } = manifest;
  if (evaluation !== null) {
    context.print(scoresByMarket(evaluation.cells));
    context.print('');
    context.print(scoresOverMarkets(evaluation.cells));
    context.print('');
  }
  context.print(
    `${version}: ${data.rows} rows of ${data.markets.length} ${data.simulated ? 'simulated ' : ''}markets, ` +
      `${training.members.length} members on ${training.backend}, ${seconds.toFixed(0)} s. ` +
      `It is the challenger; make it the champion with: plimsoll promote ${version}`,
  );
}
