import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { asPlimsollError, PlimsollError } from '../src/errors.ts';
import { FEATURE_COUNT, featureSpecHash } from '../src/features/spec.ts';
import { type RowForecaster, valueAtRiskOf } from '../src/forecast/row-forecaster.ts';
import type { ShockModel } from '../src/forecast/shock-model.ts';
import { MODEL_NAME, type ModelManifest, manifestSchema, type NetworkManifest } from './manifest.ts';
import { unpackWeights } from './weights.ts';

/** How far a probe forecast may differ between machines and backends: float32 noise, no more. */
const PROBE_TOLERANCE = 1e-3;

function damaged(version: string, what: string, cause?: unknown): PlimsollError {
  return new PlimsollError('MODEL_DAMAGED', `model ${version}: ${what}`, {
    remedy: 'Promote another version, or train anew: plimsoll train.',
    details: { version },
    cause,
  });
}

/** @throws PlimsollError MODEL_DAMAGED. */
export async function readManifest(folder: string, version: string): Promise<ModelManifest> {
  const text = await readFile(join(folder, 'manifest.json'), 'utf8').catch((cause) => {
    throw damaged(version, 'it has no manifest', cause);
  });
  let parsed: ReturnType<typeof manifestSchema.safeParse>;
  try {
    parsed = manifestSchema.safeParse(JSON.parse(text));
  } catch (cause) {
    throw damaged(version, 'its manifest is not valid JSON', cause);
  }
  if (!parsed.success)
    throw damaged(version, `its manifest does not hold at ${parsed.error.issues[0].path.join('.')}`);
  if (parsed.data.version !== version)
    throw damaged(version, `its manifest is that of ${parsed.data.version}`);
  if (parsed.data.features.specHash !== featureSpecHash()) {
    throw damaged(version, 'it was trained on another feature specification than this program computes');
  }
  return parsed.data;
}

/**
 * What a version folder forecasts with, after every check: checksum, shapes, finite weights, probe.
 *
 * @throws PlimsollError MODEL_DAMAGED; DEPENDENCY_MISSING where the package that runs it is not installed.
 */
export async function loadForecaster(folder: string, manifest: ModelManifest): Promise<RowForecaster> {
  const forecaster =
    manifest.name === MODEL_NAME
      ? await networkForecaster(await readModel(folder, manifest))
      : await onnxForecaster(manifest.version, await readWeights(folder, manifest));
  await requireProbe(manifest, forecaster);
  return forecaster;
}

/** The shock model in a version folder. @throws PlimsollError MODEL_DAMAGED. */
async function readModel(folder: string, manifest: NetworkManifest): Promise<ShockModel> {
  const { version, weights, scaling } = manifest;
  const bytes = await readWeights(folder, manifest);
  const members = unpackWeights(bytes, weights.layers, weights.members);
  if (members === null)
    throw damaged(version, 'its weights are not of the shape in the manifest, or not finite');
  return {
    featureMean: Float64Array.from(scaling.featureMean),
    featureDeviation: Float64Array.from(scaling.featureDeviation),
    harCoefficients: scaling.harCoefficients.map((row) => Float64Array.from(row)),
    varianceFactors: Float64Array.from(scaling.varianceFactors),
    members,
  };
}

async function readWeights(folder: string, { version, weights }: ModelManifest): Promise<Buffer> {
  const bytes = await readFile(join(folder, weights.file)).catch((cause) => {
    throw damaged(version, 'its weights are missing', cause);
  });
  if (createHash('sha256').update(bytes).digest('hex') !== weights.sha256) {
    throw damaged(version, 'its weights do not have the checksum of the manifest');
  }
  return bytes;
}

/** TF.js is loaded only where a network is: listing versions does not wait for it. */
async function networkForecaster(model: ShockModel): Promise<RowForecaster> {
  const { NetworkForecaster } = await import('../src/forecast/network-forecaster.ts');
  return NetworkForecaster.load(model);
}

async function onnxForecaster(version: string, file: Buffer): Promise<RowForecaster> {
  const { OnnxForecaster } = await import('../src/forecast/onnx-forecaster.ts');
  return OnnxForecaster.load(file).catch((thrown: unknown) => {
    const { code, message } = asPlimsollError(thrown);
    throw code === 'INPUT_INVALID' ? damaged(version, message, thrown) : thrown;
  });
}

async function requireProbe({ version, probe }: ModelManifest, forecaster: RowForecaster): Promise<void> {
  if (probe.features.length !== FEATURE_COUNT)
    throw damaged(version, 'its probe has the wrong number of features');
  const forecast = await valueAtRiskOf(forecaster, Float64Array.from(probe.features), 1);
  const isRepeated = forecast.every(
    (value, i) => Math.abs(value / probe.valueAtRisk[i] - 1) <= PROBE_TOLERANCE,
  );
  if (!isRepeated) throw damaged(version, 'it does not repeat the forecast that it made when it was saved');
}
