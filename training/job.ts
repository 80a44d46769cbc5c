import { createHash } from 'node:crypto';
import { availableParallelism } from 'node:os';
import type { MarketDataReader } from '../data/ports.ts';
import { MODEL_NAME, type ModelManifest } from '../models/manifest.ts';
import { type ModelRegistry, probeForecast } from '../models/registry.ts';
import { packWeights } from '../models/weights.ts';
import type { Clock } from '../src/clock.ts';
import { isoTime } from '../src/clock.ts';
import { PlimsollError } from '../src/errors.ts';
import { FEATURE_COUNT, FEATURE_NAMES, featureSpecHash } from '../src/features/spec.ts';
import { LoadedNetwork } from '../src/forecast/network.ts';
import { modelCard } from './card.ts';
import { buildDataset, type Dataset } from './dataset.ts';
import { averageOverMarkets, type Evaluation, evaluateModel } from './evaluate.ts';
import { scoresToCsv } from './scores-csv.ts';
import { rowsBetween, splitTime, type TimeSplit } from './splits.ts';
import { DEFAULT_MODEL_OPTIONS, type TrainedModel, trainModel } from './train.ts';

export interface TrainingJobOptions {
  readonly seeds: readonly number[];
  readonly symbols: readonly string[] | null;
  /** Only data up to this time, epoch milliseconds; null for all. */
  readonly to: number | null;
  /** Hours between origins. */
  readonly everyHours: number;
  readonly maximumEpochs: number;
  /** Fits a first time without the last 20 % of time and scores that fit on it; costs a second fit. */
  readonly evaluate: boolean;
  readonly clock: Clock;
  readonly onProgress: (progress: JobProgress) => void;
  readonly interrupted: AbortSignal;
}

export interface JobProgress {
  readonly phase: 'load' | 'features' | 'fit for evaluation' | 'evaluate' | 'fit' | 'save';
  /** Of the phase, 0 to 1. */
  readonly share: number;
  readonly remark: string;
}

export interface TrainingOutcome {
  readonly manifest: ModelManifest;
  readonly evaluation: Evaluation | null;
}

/** Has no divisor in common with 24, so that every hour of the day comes up. */
export const DEFAULT_EVERY_HOURS = 5;
const VALIDATION_SHARE = 0.1;
const TEST_SHARE = 0.2;

/**
 * The training job, from stored bars to a version in the registry, the same from the command and from the schedule.
 * First a fit that never sees the last fifth of time, scored on it; then the fit that is kept, with the newest tenth of
 * time for early stopping and calibration. Nothing is written before the end.
 *
 * @throws PlimsollError DATA_INSUFFICIENT; the reason of `interrupted` when it is aborted.
 */
export async function runTrainingJob(
  reader: MarketDataReader,
  registry: ModelRegistry,
  options: TrainingJobOptions,
): Promise<TrainingOutcome> {
  const tell = (phase: JobProgress['phase'], share: number, remark = ''): void => {
    options.interrupted.throwIfAborted();
    options.onProgress({ phase, share, remark });
  };
  tell('load', 0);
  const markets = await reader.loadMarkets(options.symbols === null ? {} : { symbols: options.symbols });
  const dataHash = await reader.fingerprint();
  tell('features', 0, `${markets.length} markets`);
  const data = buildDataset(markets, options.everyHours, options.to ?? Number.MAX_SAFE_INTEGER);
  const { asOf, rows } = data.features;
  if (rows === 0) {
    throw new PlimsollError(
      'DATA_INSUFFICIENT',
      'there is no stored market with enough history to train on',
      {
        remedy: 'Import history first: plimsoll import PATH.',
      },
    );
  }
  const [start, end] = [asOf[0], asOf[rows - 1]];

  const evaluation = options.evaluate ? await evaluateOutOfTime() : null;
  const split = splitTime(start, end, VALIDATION_SHARE, 0);
  const trained = await fitSplit(data, split, 'fit', options, tell);
  tell('save', 0);
  const manifest = await manifestOf({ data, markets, dataHash, split, trained, evaluation, options });
  const weights = packWeights(trained.model.members);
  const scores = evaluation === null ? {} : { 'scores.csv': scoresToCsv(evaluation.result.cells) };
  await registry.add(manifest, weights, { 'card.md': modelCard(manifest), ...scores });
  tell('save', 1);
  return { manifest, evaluation: evaluation?.result ?? null };

  async function evaluateOutOfTime(): Promise<OutOfTime> {
    const outOfTime = splitTime(start, end, VALIDATION_SHARE, TEST_SHARE);
    const trial = await fitSplit(data, outOfTime, 'fit for evaluation', options, tell);
    const testRows = rowsBetween(asOf, outOfTime.testFrom ?? end, end + 1);
    const result = await evaluateModel(markets, data, testRows, trial.model, MODEL_NAME, (done, total) =>
      tell('evaluate', done / total),
    );
    return { result, fittedUntil: outOfTime.validationUntil };
  }
}

interface OutOfTime {
  readonly result: Evaluation;
  readonly fittedUntil: number;
}

function fitSplit(
  data: Dataset,
  split: TimeSplit,
  phase: JobProgress['phase'],
  options: TrainingJobOptions,
  tell: (phase: JobProgress['phase'], share: number, remark: string) => void,
): Promise<TrainedModel> {
  const { asOf } = data.features;
  const trainRows = rowsBetween(asOf, Number.NEGATIVE_INFINITY, split.trainUntil);
  const validationRows = rowsBetween(asOf, split.validationFrom, split.validationUntil + 1);
  // By member: they are fitted side by side, and each tells of itself.
  const epochsDone = options.seeds.map(() => 0);
  return trainModel(data, trainRows, validationRows, {
    seeds: options.seeds,
    fit: { ...DEFAULT_MODEL_OPTIONS.fit, maximumEpochs: options.maximumEpochs },
    threads: availableParallelism(),
    interrupted: options.interrupted,
    onProgress: (member, { epoch, batch, batches, loss, validationLoss }) => {
      epochsDone[member] = epoch - 1 + batch / batches;
      const epochs = epochsDone.reduce((sum, own) => sum + own, 0);
      const remark = `member ${member + 1} epoch ${epoch} loss ${loss.toFixed(4)} validation ${validationLoss?.toFixed(4) ?? '-'}`;
      tell(phase, epochs / (options.seeds.length * options.maximumEpochs), remark);
    },
  });
}

async function manifestOf(made: {
  readonly data: Dataset;
  readonly markets: readonly { readonly symbol: string; readonly simulated: boolean }[];
  readonly dataHash: string;
  readonly split: TimeSplit;
  readonly trained: TrainedModel;
  readonly evaluation: OutOfTime | null;
  readonly options: TrainingJobOptions;
}): Promise<ModelManifest> {
  const { data, markets, split, trained, evaluation, options } = made;
  const { model } = trained;
  const { asOf, rows, values, market } = data.features;
  const weights = packWeights(model.members);
  const sha256 = createHash('sha256').update(weights).digest('hex');
  const probeFeatures = values.slice((rows - 1) * FEATURE_COUNT, rows * FEATURE_COUNT);
  const networks = await Promise.all(model.members.map((member) => LoadedNetwork.load(member)));
  const probe = probeForecast(model, networks, probeFeatures);
  const used = new Set(market);
  const names = markets.filter((_, m) => used.has(m));
  const day = isoTime(asOf[rows - 1])
    .slice(0, 10)
    .replaceAll('-', '');
  const scaling = {
    featureMean: [...model.featureMean],
    featureDeviation: [...model.featureDeviation],
    harCoefficients: model.harCoefficients.map((row) => [...row]),
    varianceFactors: [...model.varianceFactors],
  };
  const content = createHash('sha256').update(sha256).update(JSON.stringify(scaling)).digest('hex');
  return {
    name: MODEL_NAME,
    version: `${day}-${content.slice(0, 8)}`,
    createdAt: isoTime(options.clock.now()),
    data: {
      from: isoTime(asOf[0]),
      to: isoTime(asOf[rows - 1]),
      hash: made.dataHash,
      markets: names.map(({ symbol }) => symbol),
      simulated: names.some(({ simulated }) => simulated),
      rows,
      everyHours: options.everyHours,
    },
    features: { specHash: featureSpecHash(), names: [...FEATURE_NAMES] },
    split: {
      trainUntil: isoTime(split.trainUntil),
      validationFrom: isoTime(split.validationFrom),
      validationUntil: isoTime(split.validationUntil),
    },
    training: {
      ...DEFAULT_MODEL_OPTIONS.fit,
      hidden: [...DEFAULT_MODEL_OPTIONS.fit.hidden],
      backend: trained.backend,
      maximumEpochs: options.maximumEpochs,
      members: trained.members.map((member) => ({ ...member })),
    },
    weights: {
      file: 'weights.bin',
      sha256,
      layers: model.members[0].layers.map(({ inputs, outputs }) => ({ inputs, outputs })),
      members: model.members.length,
    },
    scaling,
    probe: { features: [...probeFeatures], valueAtRisk: [...probe] },
    evaluation:
      evaluation === null
        ? null
        : {
            testFrom: isoTime(evaluation.result.testFrom),
            testTo: isoTime(evaluation.result.testTo),
            fittedUntil: isoTime(evaluation.fittedUntil),
            scores: averageOverMarkets(evaluation.result.cells),
          },
  };
}
