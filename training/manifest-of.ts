import { createHash } from 'node:crypto';
import type { GateRecord, Lineage } from '../models/gate-record.ts';
import { MODEL_NAME, type ModelManifest, type NetworkManifest } from '../models/manifest.ts';
import { packWeights } from '../models/weights.ts';
import { isoTime } from '../src/clock.ts';
import { FEATURE_COUNT, FEATURE_NAMES, featureSpecHash } from '../src/features/spec.ts';
import { type RowForecaster, valueAtRiskOf } from '../src/forecast/row-forecaster.ts';
import type { Dataset } from './dataset.ts';
import type { Judgement } from './judge/judgement.ts';
import { driftReference, type ReferenceForecasts } from './reference.ts';
import { modelScoreOf } from './scores.ts';
import type { TimeSplit } from './splits.ts';
import type { TrainedModel } from './train.ts';

/** All that a manifest tells of. */
export interface MadeModel {
  readonly data: Dataset;
  readonly markets: readonly { readonly symbol: string; readonly simulated: boolean }[];
  /** Of the bar store. */
  readonly dataHash: string;
  readonly split: TimeSplit;
  readonly everyHours: number;
  /** Rows that could be trained on, of the split's slices together. */
  readonly rows: number;
  readonly maximumEpochs: number;
  readonly fit: {
    readonly hidden: readonly number[];
    readonly batchRows: number;
    readonly learningRate: number;
    readonly weightDecay: number;
    readonly patience: number;
  };
  readonly trained: TrainedModel;
  /** Of the trained model. */
  readonly forecaster: RowForecaster;
  readonly createdAt: number;
  readonly trial: {
    readonly judgement: Judgement;
    readonly fittedUntil: number;
    /** Of the candidate, out of fold. */
    readonly forecasts: ReferenceForecasts;
  } | null;
  /** Of the manifest without them. */
  readonly gates: GateRecord | null;
  readonly lineage: (manifest: NetworkManifest) => Lineage;
}

/** The manifest of a trained model: what was made of what, with a probe that a load must repeat. */
export async function manifestOf(made: MadeModel): Promise<NetworkManifest> {
  const { data, markets, split, trained, trial, fit } = made;
  const { model } = trained;
  const { asOf, rows, values, market } = data.features;
  const sha256 = createHash('sha256').update(packWeights(model.members)).digest('hex');
  const probeFeatures = values.slice((rows - 1) * FEATURE_COUNT, rows * FEATURE_COUNT);
  const probe = await valueAtRiskOf(made.forecaster, probeFeatures, 1);
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
  const manifest: NetworkManifest = {
    name: MODEL_NAME,
    version: `${day}-${content.slice(0, 8)}`,
    createdAt: isoTime(made.createdAt),
    data: {
      from: isoTime(asOf[0]),
      to: isoTime(asOf[rows - 1]),
      hash: made.dataHash,
      markets: names.map(({ symbol }) => symbol),
      leftOut: markets.filter((_, m) => !used.has(m)).map(({ symbol }) => symbol),
      simulated: names.some(({ simulated }) => simulated),
      rows: made.rows,
      everyHours: made.everyHours,
    },
    features: { specHash: featureSpecHash(), names: [...FEATURE_NAMES] },
    split: {
      trainUntil: isoTime(split.trainUntil),
      validationFrom: isoTime(split.validationFrom),
      validationUntil: isoTime(split.validationUntil),
    },
    training: {
      backend: trained.backend,
      hidden: [...fit.hidden],
      batchRows: fit.batchRows,
      learningRate: fit.learningRate,
      weightDecay: fit.weightDecay,
      patience: fit.patience,
      maximumEpochs: made.maximumEpochs,
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
    evaluation: trial === null ? null : evaluationOf(trial.judgement, trial.fittedUntil),
    reference: driftReference(values, rows, asOf, trial?.forecasts ?? null),
    ...(made.gates === null ? {} : { gates: made.gates }),
  };
  return { ...manifest, lineage: made.lineage(manifest) };
}

export function evaluationOf(judgement: Judgement, fittedUntil: number): ModelManifest['evaluation'] {
  return {
    testFrom: judgement.span.from,
    testTo: judgement.span.until,
    fittedUntil: isoTime(fittedUntil),
    scores: judgement.averages.map(modelScoreOf),
  };
}
