import { stopwatchSeconds } from '../src/clock.ts';
import { FEATURE_COUNT } from '../src/features/spec.ts';
import type { Predictor } from '../src/forecast/predictor.ts';
import { type RowForecaster, valueAtRiskOf } from '../src/forecast/row-forecaster.ts';
import type { MarketHistory } from '../src/risk/bars.ts';
import type { Dataset } from './dataset.ts';
import { scorerOfPredictor } from './judge/from-predictor.ts';
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
/** Something slow is known to be slow after so many seconds. */
const MOST_SECONDS = 5;
/** Rows whose volatility is raised. */
const MONOTONE_ROWS = 2000;

/** Measures a forecaster of feature rows on rows of a dataset, spread over its time. @param sizeBytes of the weights. */
export function measureModel(
  forecaster: RowForecaster,
  sizeBytes: number,
  data: Dataset,
): Promise<ModelFacts> {
  const scorer: VolatilityScorer = (features, rows) => valueAtRiskOf(forecaster, features, rows);
  const [few, many] = [spread(data, MARKETS), spread(data, MONOTONE_ROWS)].map((rows) =>
    gatherFeatures(data, rows),
  );
  return measured(scorer, few, many, sizeBytes);
}

/** Measures any predictor on the newest rows of a dataset. @param sizeBytes of its file. */
export function measurePredictor(
  predictor: Predictor,
  sizeBytes: number,
  markets: readonly MarketHistory[],
  { features }: Dataset,
): Promise<ModelFacts> {
  const first = Math.max(features.rows - MARKETS, 0);
  const rows = Uint32Array.from({ length: features.rows - first }, (_, i) => first + i);
  const values = features.values.slice(first * FEATURE_COUNT, features.rows * FEATURE_COUNT);
  return measured(scorerOfPredictor(predictor, markets, features, rows), values, values, sizeBytes);
}

async function measured(
  scorer: VolatilityScorer,
  features: Float64Array,
  raised: Float64Array,
  sizeBytes: number,
): Promise<ModelFacts> {
  const times: number[] = [];
  const started = stopwatchSeconds();
  for (let i = 0; i < MEASUREMENTS && (i < 2 || stopwatchSeconds() - started < MOST_SECONDS); i++) {
    const since = stopwatchSeconds();
    await scorer(features, features.length / FEATURE_COUNT);
    times.push(1000 * (stopwatchSeconds() - since));
  }
  const monotone = await checkMonotone(scorer, raised, raised.length / FEATURE_COUNT);
  return { monotone, latencyMilliseconds: Math.min(...times), sizeBytes };
}

function spread({ features }: Dataset, count: number): Uint32Array {
  return Uint32Array.from({ length: count }, (_, i) => Math.floor((i * features.rows) / count));
}
