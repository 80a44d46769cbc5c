import { join } from 'node:path';
import { BarStore } from '../data/bar-store.ts';
import { appendJsonLine, readJsonLines } from '../data/json-lines.ts';
import { acquireLock } from '../data/lock.ts';
import { MODEL_NAME } from '../models/manifest.ts';
import { ModelRegistry } from '../models/registry.ts';
import { type Clock, isoTime, stopwatchSeconds } from '../src/clock.ts';
import { asPlimsollError } from '../src/errors.ts';
import { featureSpecHash } from '../src/features/spec.ts';
import { PROGRAM_VERSION } from '../src/program.ts';
import { Checkpoints, runKey } from './checkpoints.ts';
import { blankExperiment, type Experiment, type ExperimentLog, readExperiments } from './experiments.ts';
import { runTrainingJob, type TrainingJobOptions, type TrainingOutcome } from './job.ts';
import { JobPace } from './job-pace.ts';
import { ofTraining } from './run-experiment.ts';
import { DEFAULT_MODEL_OPTIONS } from './train.ts';

/**
 * The training entry: the job on a data folder, one at a time whoever asks, the command or the schedule. What came of
 * it, also when it failed, is a row of the folder's experiment log.
 *
 * @param note why it is tried, for that row.
 * @param finished pieces of this run that were made elsewhere, by `PieceMaker` on the same window with the same options.
 * @throws PlimsollError LOCKED while another training runs there, and what `runTrainingJob` throws.
 */
export async function trainInDataDir(
  folders: { readonly dataDir: string; readonly shippedModels: string },
  options: TrainingJobOptions,
  note = '',
  finished: FinishedPieces = noPieces(),
): Promise<TrainingOutcome> {
  const lock = acquireLock(join(folders.dataDir, 'training.lock'), 'a training');
  try {
    const store = await BarStore.open(folders.dataDir);
    try {
      const registry = new ModelRegistry(folders.shippedModels, folders.dataDir);
      const pieces = Checkpoints.open(folders.dataDir, keyOf(await store.fingerprint(), options));
      for await (const [name, bytes] of finished) pieces.put(name, bytes);
      const outcome = await logged(openExperimentLog(folders.dataDir), options, note, (watched) =>
        runTrainingJob(store, registry, { ...watched, pieces }),
      );
      pieces.clear();
      return outcome;
    } finally {
      store.close();
    }
  } finally {
    lock.release();
  }
}

export type FinishedPieces = AsyncIterable<readonly [name: string, bytes: Uint8Array]>;

async function* noPieces(): FinishedPieces {}

/** Of everything that a fit's bits depend on. */
function keyOf(fingerprint: string, options: TrainingJobOptions): string {
  const { seeds, symbols, to, everyHours, maximumEpochs, window = null } = options;
  return runKey({
    // Of a window nothing counts that is stored beside it.
    ...(window === null ? { fingerprint } : { window }),
    program: PROGRAM_VERSION,
    features: featureSpecHash(),
    fit: { ...DEFAULT_MODEL_OPTIONS.fit, hidden: [...DEFAULT_MODEL_OPTIONS.fit.hidden] },
    seeds: [...seeds],
    symbols: symbols === null ? null : [...symbols],
    to,
    everyHours,
    maximumEpochs,
  });
}

/** The experiment log of a data folder. */
export function openExperimentLog(dataDir: string): ExperimentLog {
  return { append: (experiment) => appendJsonLine(logPath(dataDir), experiment) };
}

/** All rows of a folder's log, oldest first, and how many lines of it could not be read. */
export async function loadExperiments(
  dataDir: string,
): Promise<{ readonly experiments: readonly Experiment[]; readonly refused: number }> {
  const { values, damaged } = await readJsonLines(logPath(dataDir));
  const { experiments, refused } = readExperiments(values);
  return { experiments, refused: refused + damaged };
}

const logPath = (dataDir: string): string => join(dataDir, 'experiments.jsonl');

async function logged(
  log: ExperimentLog,
  options: TrainingJobOptions,
  note: string,
  run: (watched: TrainingJobOptions) => Promise<TrainingOutcome>,
): Promise<TrainingOutcome> {
  const pace = new JobPace([]);
  const started = stopwatchSeconds();
  const start = startedRow(options, note, options.clock);
  const finish = (): Pick<Experiment, 'seconds' | 'phaseSeconds'> => {
    const seconds = stopwatchSeconds() - started;
    return { seconds, phaseSeconds: pace.taken(seconds) };
  };
  const watched: TrainingJobOptions = {
    ...options,
    onProgress: (progress) => {
      pace.step(progress, stopwatchSeconds() - started);
      options.onProgress(progress);
    },
  };
  const outcome = await run(watched).catch(async (thrown) => {
    const failed = { ...start, message: asPlimsollError(thrown).message, ...finish() };
    // Where the row cannot be written either, the first failure is the one to tell of.
    await log.append(failed).catch(() => {});
    throw thrown;
  });
  await log.append({ ...start, ...ofTraining(outcome), ...finish() });
  return outcome;
}

function startedRow(options: TrainingJobOptions, note: string, clock: Clock): Experiment {
  const { seeds, symbols, to, everyHours, maximumEpochs, evaluate } = options;
  return {
    ...blankExperiment('train', MODEL_NAME, isoTime(clock.now())),
    note,
    options: {
      seeds: [...seeds],
      markets: symbols === null ? null : [...symbols],
      to: to === null ? null : isoTime(to),
      everyHours,
      maximumEpochs,
      evaluate,
    },
  };
}
