import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ModelRegistry } from '../models/registry.ts';
import { unpackWeights } from '../models/weights.ts';
import { table } from '../src/cli/command.ts';
import { latestFeatures } from '../src/features/live.ts';
import { FEATURE_COUNT } from '../src/features/spec.ts';
import { LoadedNetwork } from '../src/forecast/network.ts';
import { networkInputs, networkLevels } from '../src/forecast/network-inputs.ts';
import { OnnxForecaster } from '../src/forecast/onnx-forecaster.ts';
import { emptyArrays } from '../src/forecast/row-forecaster.ts';
import { RowPredictor } from '../src/forecast/row-predictor.ts';
import { SHIPPED_MODELS } from '../src/program.ts';
import type { MarketHistory } from '../src/risk/bars.ts';
import { onnxFile } from '../test/onnx-file.ts';
import { filledStore } from './history.ts';
import { median, print } from './measure.ts';

/**
 * Forecasting 500 markets from their features with the shipped champion: its networks alone, with what goes into them and comes out, and
 * behind the predictor port with shock thresholds and probabilities; a small ONNX file beside it. The markets are the stored ones, many times.
 */
const MARKETS = 500;
const ROUNDS = 51;

const { store, dataDir, remove } = await filledStore();
const stored = await store.loadMarkets();
const registry = new ModelRegistry(SHIPPED_MODELS, dataDir);
const version = (await registry.versionOf('champion')) ?? '';
const manifest = await registry.manifest(version);
if (manifest.name !== 'shock-network') throw new Error('the shipped champion is no shock network');
const { weights, scaling } = manifest;
const bytes = readFileSync(join(SHIPPED_MODELS, 'versions', version, weights.file));
const members = unpackWeights(bytes, weights.layers, weights.members) ?? [];
const [mean, deviation] = [
  Float64Array.from(scaling.featureMean),
  Float64Array.from(scaling.featureDeviation),
];
const asOf = Math.max(...stored.map(({ bars }) => bars.openTime[bars.length - 1])) + 3_600_000;
const own = latestFeatures(stored, asOf);
const ready = stored.flatMap((_, m) => (own.ready[m] === 1 ? [m] : []));
const chosen = Array.from({ length: MARKETS }, (_, i) => ready[i % ready.length]);
const features = new Float64Array(MARKETS * FEATURE_COUNT);
for (const [i, m] of chosen.entries())
  features.set(own.values.subarray(m * FEATURE_COUNT, (m + 1) * FEATURE_COUNT), i * FEATURE_COUNT);
const markets = chosen.map((m): MarketHistory => stored[m]);
const networks = await Promise.all(members.map((member) => LoadedNetwork.load(member)));
const [inputs, levels] = [
  networkInputs(features, MARKETS, mean, deviation),
  networkLevels(features, MARKETS),
];
const { forecaster } = await registry.forecaster(version);
const predictor = new RowPredictor('bench@1', forecaster);
const onnx = await OnnxForecaster.load(onnxFile());
const out = emptyArrays(MARKETS);
const featuresReady = new Uint8Array(MARKETS).fill(1);
const parts: readonly (readonly [string, () => unknown])[] = [
  ['the networks alone', () => networks.map((network) => network.score(inputs, levels, MARKETS))],
  ['from features to VaR, ES and quantiles', () => forecaster.forecast(features, MARKETS, out)],
  [
    'with shock thresholds and probabilities',
    () => predictor.predict({ asOf, markets, features, featuresReady }),
  ],
  ['a small ONNX file, to VaR, ES and quantiles', () => onnx.forecast(features, MARKETS, out)],
];
const rows: string[][] = [];
for (const [name, work] of parts) {
  const times: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const since = performance.now();
    await work();
    times.push(performance.now() - since);
  }
  rows.push([name, ...[times[0], Math.min(...times), median(times)].map((ms) => ms.toFixed(2))]);
}
print(`${MARKETS} markets of ${ready.length}, ${members.length} networks, shipped ${version}`);
print(table(['part', 'first ms', 'least ms', 'median ms'], rows));
remove();
