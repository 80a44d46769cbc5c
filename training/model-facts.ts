import { packWeights } from '../models/weights.ts';
import { stopwatchSeconds } from '../src/clock.ts';
import { FEATURE_COUNT } from '../src/features/spec.ts';
import { LoadedNetwork } from '../src/forecast/network.ts';
import { emptyArrays, forecastRows } from '../src/forecast/network-predictor.ts';
import type { ShockModel } from '../src/forecast/shock-model.ts';
import type { Dataset } from './dataset.ts';
import { checkMonotone, type MonotoneResult } from './judge/monotone.ts';
import { gatherFeatures } from './train.ts';

/** What is measured of a model itself. */
export interface ModelFacts {
  readonly monotone: MonotoneResult;
  /** To forecast 500 markets from their features: the lowest of many measurements, since others use the machine as well. */
  readonly latencyMilliseconds: number;
  readonly sizeBytes: number;
}

const MARKETS = 500;
const MEASUREMENTS = 21;
/** Rows whose volatility is raised. */
const MONOTONE_ROWS = 2000;

/** Measures on rows of a dataset, spread over its time. */
export async function measureModel(model: ShockModel, data: Dataset): Promise<ModelFacts> {
  const networks = await Promise.all(model.members.map((member) => LoadedNetwork.load(member)));
  const forecast = (features: Float64Array, rows: number): Float64Array => {
    const out = emptyArrays(rows);
    forecastRows(model, networks, features, rows, out);
    return out.valueAtRisk;
  };
  const features = gatherFeatures(data, spread(data, MARKETS));
  const times: number[] = [];
  for (let i = 0; i < MEASUREMENTS; i++) {
    const since = stopwatchSeconds();
    forecast(features, features.length / FEATURE_COUNT);
    times.push(1000 * (stopwatchSeconds() - since));
  }
  const rows = spread(data, MONOTONE_ROWS);
  const monotone = await checkMonotone(
    async (raised, count) => forecast(raised, count),
    gatherFeatures(data, rows),
    rows.length,
  );
  for (const network of networks) network.dispose();
  return {
    monotone,
    latencyMilliseconds: Math.min(...times),
    sizeBytes: packWeights(model.members).length,
  };
}

function spread({ features }: Dataset, count: number): Uint32Array {
  return Uint32Array.from({ length: count }, (_, i) => Math.floor((i * features.rows) / count));
}
