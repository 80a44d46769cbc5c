import { access, readFile, stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ONNX_NAME, onnxOriginSchema } from '../../models/manifest.ts';
import type { BroughtModel } from '../../training/brought.ts';
import type { Dataset } from '../../training/dataset.ts';
import { forecastByPredictor } from '../../training/judge/from-predictor.ts';
import type { ForecastTable, OutcomeTable } from '../../training/judge/tables.ts';
import { type ModelFacts, measureModel, measurePredictor } from '../../training/model-facts.ts';
import { forecastDataset, gatherFeatures } from '../../training/train.ts';
import { tableOf } from '../../training/trial.ts';
import { PlimsollError } from '../errors.ts';
import { featureSpecHash } from '../features/spec.ts';
import { OnnxForecaster } from '../forecast/onnx-forecaster.ts';
import { HORIZONS_HOURS, type Predictor } from '../forecast/predictor.ts';
import type { MarketHistory } from '../risk/bars.ts';
import { HOUR_MILLISECONDS } from '../units.ts';

/** Somebody's forecaster, to be judged. */
export interface Candidate {
  /** Among forecasters. */
  readonly name: string;
  /** End of the newest outcome that it was made from, epoch milliseconds; null where nobody says. */
  readonly seenUntil: number | null;
  /** What can be registered; null for a module, which is code. */
  readonly brought: BroughtModel | null;
  /** @param rows of the dataset that the outcomes are of. */
  forecasts(
    markets: readonly MarketHistory[],
    data: Dataset,
    rows: Uint32Array,
    outcomes: OutcomeTable,
    onProgress: (share: number) => void,
  ): Promise<ForecastTable>;
  facts(markets: readonly MarketHistory[], data: Dataset): Promise<ModelFacts>;
}

/**
 * @param file an ONNX file with a JSON file of its origin beside it, or a module that exports a predictor.
 * @throws PlimsollError NOT_FOUND, INPUT_INVALID, DEPENDENCY_MISSING.
 */
export async function candidateIn(file: string): Promise<Candidate> {
  await access(file).catch((cause: unknown) => {
    throw new PlimsollError('NOT_FOUND', `there is no file ${file}`, {
      remedy: 'Give the path of an .onnx file, or of a .js, .mjs or .ts file that exports a predictor.',
      cause,
    });
  });
  return file.endsWith('.onnx') ? onnxCandidate(file) : moduleCandidate(file);
}

async function onnxCandidate(path: string): Promise<Candidate> {
  const brought = await broughtModel(path);
  const { file, origin, forecaster } = brought;
  const longest = HORIZONS_HOURS[HORIZONS_HOURS.length - 1];
  return {
    name: ONNX_NAME,
    seenUntil: Date.parse(origin.data.to) + longest * HOUR_MILLISECONDS,
    brought,
    forecasts: async (_, data, rows) => tableOf(ONNX_NAME, await forecastDataset(data, rows, forecaster)),
    facts: (_, data) => measureModel(forecaster, file.length, data),
  };
}

async function broughtModel(path: string): Promise<BroughtModel> {
  const beside = `${path}.json`;
  const text = await readFile(beside, 'utf8').catch((cause: unknown) => {
    throw new PlimsollError(
      'NOT_FOUND',
      `there is no file ${beside} that says what the model was made from`,
      {
        remedy: 'Write title, command, featureSpecHash and data into it; docs/model.md has an example.',
        cause,
      },
    );
  });
  const parsed = onnxOriginSchema.safeParse(jsonIn(text));
  if (!parsed.success) {
    const { path: where, message } = parsed.error.issues[0];
    throw invalidOrigin(`${beside} does not hold at ${where.join('.') || 'its beginning'}: ${message}`);
  }
  const { featureSpecHash: hash } = parsed.data;
  if (hash !== featureSpecHash())
    throw invalidOrigin(
      `the model was trained on the feature specification ${hash}, and this program computes ${featureSpecHash()}`,
    );
  const file = await readFile(path);
  return { file, origin: parsed.data, forecaster: await OnnxForecaster.load(file) };
}

function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function invalidOrigin(what: string): PlimsollError {
  return new PlimsollError('INPUT_INVALID', what, {
    remedy: 'Take the hashes from the metadata of the exported training set; docs/model.md has an example.',
  });
}

async function moduleCandidate(file: string): Promise<Candidate> {
  const predictor = await predictorIn(file);
  const { size } = await stat(file);
  return {
    name: predictor.id,
    seenUntil: null,
    brought: null,
    forecasts: (markets, data, rows, outcomes, onProgress) =>
      forecastByPredictor(predictor, markets, outcomes, gatherFeatures(data, rows), onProgress),
    facts: (markets, data) => measurePredictor(predictor, size, markets, data),
  };
}

async function predictorIn(file: string): Promise<Predictor> {
  const loaded = await import(pathToFileURL(resolve(file)).href).catch((cause: unknown) => {
    throw new PlimsollError('INPUT_INVALID', `${file} cannot be loaded as a module: ${String(cause)}`, {
      remedy: 'Give the path of a .js, .mjs or .ts file that can be imported by itself.',
      cause,
    });
  });
  const found: unknown =
    (loaded as { predictor?: unknown }).predictor ?? (loaded as { default?: unknown }).default;
  if (isPredictor(found)) return found;
  throw new PlimsollError('INPUT_INVALID', `${file} exports no predictor`, {
    remedy:
      'Export by default, or as `predictor`, an object with `id` and `predict(input)`; docs/model.md has an example.',
  });
}

function isPredictor(value: unknown): value is Predictor {
  if (typeof value !== 'object' || value === null) return false;
  const { id, predict } = value as Partial<Record<keyof Predictor, unknown>>;
  return typeof id === 'string' && id !== '' && typeof predict === 'function';
}
