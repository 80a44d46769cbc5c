import { availableParallelism } from 'node:os';
import type { MarketDataReader } from '../data/ports.ts';
import type { GateRecord, GateResult } from '../models/gate-record.ts';
import { MODEL_NAME, type NetworkManifest } from '../models/manifest.ts';
import type { ModelRegistry } from '../models/registry.ts';
import { packWeights } from '../models/weights.ts';
import type { Clock } from '../src/clock.ts';
import { isoTime } from '../src/clock.ts';
import { NetworkForecaster } from '../src/forecast/network-forecaster.ts';
import { PROGRAM_VERSION } from '../src/program.ts';
import type { MarketHistory } from '../src/risk/bars.ts';
import { DOCUMENTS_BESIDE, modelCard } from './card.ts';
import type { Dataset } from './dataset.ts';
import { FIELD_METHODS, QUICK_METHODS } from './field/field.ts';
import { championOfToday, gatesOf } from './gates-of.ts';
import { importanceOf } from './importance-of.ts';
import { FINAL, finalRows, trainingSet } from './job-rows.ts';
import { DEFAULT_GATE_POLICY, type GatePolicy } from './judge/gate-policy.ts';
import { gateRecordOf } from './judge/gates.ts';
import type { Judgement } from './judge/judgement.ts';
import { keptFits, type PieceStore } from './kept-fits.ts';
import { manifestOf } from './manifest-of.ts';
import { measureModel } from './model-facts.ts';
import { gateLines, verdictOf } from './report/gates.ts';
import type { FeatureImportance } from './report/importance.ts';
import { lineageOf, reproducingCommand } from './report/lineage.ts';
import { runReport } from './report/report.ts';
import { scoresToCsv } from './scores.ts';
import { DEFAULT_MODEL_OPTIONS, type ModelOptions, type TrainedModel, trainModel } from './train.ts';
import { type Trial, trialFolds, tryRecipe } from './trial.ts';
import { loadWindow, requireWindow } from './window.ts';

export interface TrainingJobOptions {
  readonly seeds: readonly number[];
  readonly symbols: readonly string[] | null;
  /** Only data up to this time, epoch milliseconds; null for all. */
  readonly to: number | null;
  /** Hours between origins. */
  readonly everyHours: number;
  readonly maximumEpochs: number;
  /** Walks the recipe through the newest time and judges it; costs several fits. A version without it cannot pass the gates. */
  readonly evaluate: boolean;
  /** Judges against every classical forecaster, also those that take long. */
  readonly wholeField?: boolean;
  /** The data that it must be made of, by `windowHash`: then nothing after `to` is looked at. Null for what is stored. */
  readonly window?: string | null;
  /** What the version must hold to be promoted; the default policy where there is none. */
  readonly gates?: GatePolicy;
  /** Where finished fits are kept, so that a run that was killed goes on from them; they must be of a run with the same data and options. */
  readonly pieces?: PieceStore | null;
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
  readonly manifest: NetworkManifest;
  readonly judgement: Judgement | null;
  /** Null where nothing was judged. */
  readonly gates: readonly GateResult[] | null;
}

/** Has no divisor in common with 24, so that every hour of the day comes up. */
export const DEFAULT_EVERY_HOURS = 5;

type Tell = (phase: JobProgress['phase'], share: number, remark?: string) => void;

/**
 * The training job, from stored bars to a version in the registry, the same from the command and from the schedule.
 * First the recipe is tried: walked forward through the newest time beside the classical field and the champion, judged and held against the gates.
 * Then the fit that is kept, with the newest tenth of time for early stopping. Nothing is written before the end. A version that fails
 * a gate is kept, to be looked at, but is nobody's challenger.
 *
 * @throws PlimsollError DATA_INSUFFICIENT; DATA_DIFFERS where `window` is not what is stored; the reason of `interrupted` when it is
 *   aborted.
 */
export async function runTrainingJob(
  reader: MarketDataReader,
  registry: ModelRegistry,
  options: TrainingJobOptions,
): Promise<TrainingOutcome> {
  const tell: Tell = (phase, share, remark = '') => {
    options.interrupted.throwIfAborted();
    options.onProgress({ phase, share, remark });
  };
  tell('load', 0);
  const { window = null } = options;
  const markets =
    window === null
      ? await reader.loadMarkets(options.symbols === null ? {} : { symbols: options.symbols })
      : await loadWindow(reader, options);
  if (window !== null) requireWindow(markets, window);
  const dataHash = await reader.fingerprint();
  tell('features', 0, `${markets.length} markets`);
  const data = trainingSet(markets, options);
  const trial = options.evaluate ? await runTrial(markets, data, options, tell) : null;
  const final = await fitAll(data, options, tell);
  tell('save', 0, 'measuring');
  const { model } = final.trained;
  const forecaster = await NetworkForecaster.load(model);
  const weights = packWeights(model.members);
  const facts = await measureModel(forecaster, weights.length, data);
  const champion = await championOfToday(registry);
  // Also where it is damaged: whoever is promoted takes its place.
  const parent = await registry.versionOf('champion');
  const policy = options.gates ?? DEFAULT_GATE_POLICY;
  const gates = trial === null ? null : await gatesOf(trial, data, champion, facts, policy);
  champion?.forecaster.dispose();
  const judgedAt = isoTime(options.clock.now());
  const record: GateRecord | null = gates === null ? null : gateRecordOf(gates, policy, parent, judgedAt);
  const manifest = await manifestOf({
    ...{ data, markets, dataHash, gates: record },
    ...final,
    forecaster,
    everyHours: options.everyHours,
    maximumEpochs: options.maximumEpochs,
    fit: DEFAULT_MODEL_OPTIONS.fit,
    createdAt: options.clock.now(),
    trial: trial === null ? null : seenOf(trial),
    lineage: (made) => ({
      parent,
      dataFingerprint: dataHash,
      programVersion: PROGRAM_VERSION,
      command: reproducingCommand(made),
    }),
  });
  const importance = trial === null ? null : await importanceOf(forecaster, data, trial.folds[0].from);
  forecaster.dispose();
  tell('save', 0.5, 'the report');
  const documents = trial === null ? {} : documentsOf(manifest, trial, gates ?? [], importance);
  const isChallenger = record?.passed ?? true;
  await registry.add(manifest, weights, { 'card.md': modelCard(manifest), ...documents }, isChallenger);
  tell('save', 1);
  return { manifest, judgement: trial?.judgement ?? null, gates };
}

/** What a manifest tells of a trial. */
function seenOf({ judgement, folds, outcomes, forecasts: [{ valueAtRisk }] }: Trial) {
  const { asOf, excursions } = outcomes;
  return { judgement, fittedUntil: folds[0].trainUntil, forecasts: { asOf, valueAtRisk, excursions } };
}

function runTrial(
  markets: readonly MarketHistory[],
  data: Dataset,
  options: TrainingJobOptions,
  tell: Tell,
): Promise<Trial> {
  const folds = trialFolds(data).length;
  let done = 0;
  tell('fit for evaluation', 0);
  const watched = modelOptions(options, (share, remark) =>
    tell('fit for evaluation', (done + share) / folds, `fold ${done + 1} of ${folds} ${remark}`),
  );
  return tryRecipe(markets, data, {
    candidate: MODEL_NAME,
    everyHours: options.everyHours,
    methods: options.wholeField === true ? FIELD_METHODS : QUICK_METHODS,
    model: watched,
    pieces: options.pieces ?? null,
    onFold: () => {
      done++;
    },
    onField: (market, all) => tell('evaluate', market / all, 'the classical field'),
  });
}

async function fitAll(data: Dataset, options: TrainingJobOptions, tell: Tell) {
  const { split, train, validation } = finalRows(data, options.everyHours);
  tell('fit', 0);
  const watched = modelOptions(options, (share, remark) => tell('fit', share, remark));
  const trained: TrainedModel = await trainModel(data, train, validation, {
    ...watched,
    threads: availableParallelism(),
    kept: options.pieces == null ? null : keptFits(options.pieces, FINAL),
  });
  return { split, trained, rows: train.length + validation.length };
}

function modelOptions(
  { seeds, maximumEpochs, interrupted }: TrainingJobOptions,
  tell: (share: number, remark: string) => void,
): Omit<ModelOptions, 'threads'> {
  // By member: they are fitted side by side, and each tells of itself.
  const epochsDone = seeds.map(() => 0);
  return {
    seeds,
    fit: { ...DEFAULT_MODEL_OPTIONS.fit, maximumEpochs },
    interrupted,
    onProgress: (member, { epoch, batch, batches, loss, validationLoss }) => {
      epochsDone[member] = epoch - 1 + batch / batches;
      const epochs = epochsDone.reduce((sum, own) => sum + own, 0);
      const remark = `member ${member + 1} epoch ${epoch} loss ${loss.toFixed(4)} validation ${validationLoss?.toFixed(4) ?? '-'}`;
      tell(Math.min(epochs / (seeds.length * maximumEpochs), 1), remark);
    },
  };
}

function documentsOf(
  manifest: NetworkManifest,
  trial: Trial,
  gates: readonly GateResult[],
  importance: readonly FeatureImportance[] | null,
) {
  const { judgement, outcomes, forecasts } = trial;
  const lines = gateLines(gates);
  const verdict = verdictOf(lines);
  const report = runReport({
    version: manifest.version,
    madeAt: manifest.createdAt,
    simulated: manifest.data.simulated,
    verdict,
    gates: lines,
    judgement,
    outcomes,
    forecasts,
    candidate: MODEL_NAME,
    champion: null,
    importance,
    lineage: lineageOf(manifest),
    command: reproducingCommand(manifest),
  });
  return {
    'card.md': modelCard(manifest, { verdict, gates: lines, documents: DOCUMENTS_BESIDE }),
    'scores.csv': scoresToCsv(judgement.cells),
    'judgement.json': `${JSON.stringify({ ...judgement, cells: [] })}\n`,
    'report.html': report,
  };
}
