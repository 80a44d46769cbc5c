import { stopwatchSeconds } from '../src/clock.ts';
import { FEATURE_COUNT } from '../src/features/spec.ts';
import type { Dataset } from './dataset.ts';
import { checkMonotone, type MonotoneResult, type VolatilityScorer } from './judge/monotone.ts';
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

/** Measures on rows of a dataset, spread over its time. @param sizeBytes of the weights. */
export async function measureModel(
  scorer: VolatilityScorer,
  sizeBytes: number,
  data: Dataset,
): Promise<ModelFacts> {
  const features = gatherFeatures(data, spread(data, MARKETS));
  const times: number[] = [];
  for (let i = 0; i < MEASUREMENTS; i++) {
    const since = stopwatchSeconds();
    await scorer(features, features.length / FEATURE_COUNT);
    times.push(1000 * (stopwatchSeconds() - since));
  }
  const rows = spread(data, MONOTONE_ROWS);
  const monotone = await checkMonotone(scorer, gatherFeatures(data, rows), rows.length);
  return { monotone, latencyMilliseconds: Math.min(...times), sizeBytes };
}

function spread({ features }: Dataset, count: number): Uint32Array {
  return Uint32Array.from({ length: count }, (_, i) => Math.floor((i * features.rows) / count));
}
