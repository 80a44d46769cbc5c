import { createHash } from 'node:crypto';
import type { GateRecord, GateResult, Lineage } from '../models/gate-record.ts';
import { ONNX_NAME, type OnnxManifest, type OnnxOrigin } from '../models/manifest.ts';
import type { ModelDocument } from '../models/registry.ts';
import { isoTime } from '../src/clock.ts';
import { FEATURE_COUNT, FEATURE_NAMES, featureSpecHash } from '../src/features/spec.ts';
import { type RowForecaster, valueAtRiskOf } from '../src/forecast/row-forecaster.ts';
import { DOCUMENTS_BESIDE, onnxCard } from './card.ts';
import type { Dataset } from './dataset.ts';
import type { JudgedAgainstField } from './judge/against-field.ts';
import type { OutcomeTable } from './judge/tables.ts';
import { evaluationOf } from './manifest-of.ts';
import { driftReference } from './reference.ts';
import { gateLines, verdictOf } from './report/gates.ts';
import { scoresToCsv } from './scores.ts';

/** A model that was made elsewhere, judged here. */
export interface BroughtModel {
  readonly file: Buffer;
  readonly origin: OnnxOrigin;
  readonly forecaster: RowForecaster;
}

/** The version that a file is: the day its data end, and the beginning of the hash of all that was given. */
export function versionOfBrought({ file, origin }: Pick<BroughtModel, 'file' | 'origin'>): string {
  const day = isoTime(Date.parse(origin.data.to)).slice(0, 10).replaceAll('-', '');
  const content = createHash('sha256').update(sha256Of(file)).update(JSON.stringify(origin)).digest('hex');
  return `${day}-${content.slice(0, 8)}`;
}

/**
 * The manifest of a judged model from elsewhere. Drift is held against the stored history until its data end.
 *
 * @param isSimulated whether invented prices were judged on: then it is not for real markets, whatever it was made from.
 */
export async function manifestOfBrought(
  model: BroughtModel,
  data: Dataset,
  outcomes: OutcomeTable,
  { judgement, forecasts: [own] }: JudgedAgainstField,
  record: GateRecord,
  lineage: Lineage,
  isSimulated: boolean,
): Promise<OnnxManifest> {
  const { file, origin, forecaster } = model;
  const { rows, values, asOf } = data.features;
  const probe = values.slice((rows - 1) * FEATURE_COUNT, rows * FEATURE_COUNT);
  const end = Date.parse(origin.data.to);
  const later = asOf.findIndex((time) => time > end);
  // Nothing stored of the time it was made from: then the time it is judged on must do.
  const known = later > 0 ? later : rows;
  return {
    name: ONNX_NAME,
    version: versionOfBrought(model),
    createdAt: record.judgedAt,
    title: origin.title,
    data: { ...origin.data, simulated: origin.data.simulated || isSimulated },
    features: { specHash: featureSpecHash(), names: [...FEATURE_NAMES] },
    weights: { file: 'model.onnx', sha256: sha256Of(file) },
    probe: { features: [...probe], valueAtRisk: [...(await valueAtRiskOf(forecaster, probe, 1))] },
    evaluation: evaluationOf(judgement, end),
    gates: record,
    lineage,
    reference: driftReference(values, known, asOf, {
      asOf: outcomes.asOf,
      valueAtRisk: own.valueAtRisk,
      excursions: outcomes.excursions,
    }),
  };
}

/** What lies beside it in the version's folder. @param report the page. */
export function documentsOfBrought(
  manifest: OnnxManifest,
  { judgement }: JudgedAgainstField,
  gates: readonly GateResult[],
  report: string,
): Partial<Record<ModelDocument, string>> {
  const lines = gateLines(gates);
  return {
    'card.md': onnxCard(manifest, {
      verdict: verdictOf(lines),
      gates: lines,
      documents: DOCUMENTS_BESIDE,
    }),
    'scores.csv': scoresToCsv(judgement.cells),
    'judgement.json': `${JSON.stringify({ ...judgement, cells: [] })}\n`,
    'report.html': report,
  };
}

const sha256Of = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');
