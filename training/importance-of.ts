import { CONFIDENCES, cellIndex, HORIZON_COUNT, PATHS_PER_MARKET, SIDES } from '../src/forecast/predictor.ts';
import { type RowForecaster, valueAtRiskOf } from '../src/forecast/row-forecaster.ts';
import { pinball } from '../src/risk/comparison/scores.ts';
import type { Dataset } from './dataset.ts';
import { type FeatureImportance, permutationImportance } from './report/importance.ts';
import { rowsBetween } from './splits.ts';
import { gatherFeatures } from './train.ts';

/** Rows that are shuffled among each other. */
const MOST_ROWS = 3000;
const SEED = 1;

/**
 * What each family of features does for a model: how much its pinball loss at 99 % over 24 hours rises when the family is shuffled, on rows of the time that the
 * it was judged on. A kept model of the recipe has seen that time; the order of the families is what this tells.
 *
 * @param from begin of that time, epoch milliseconds.
 */
export async function importanceOf(
  forecaster: RowForecaster,
  data: Dataset,
  from: number,
): Promise<readonly FeatureImportance[]> {
  const all = rowsBetween(data.features.asOf, from, Number.MAX_SAFE_INTEGER);
  const every = Math.max(Math.floor(all.length / MOST_ROWS), 1);
  const rows = all.filter((_, i) => i % every === 0);
  const score = async (features: Float64Array, count: number): Promise<number> =>
    meanPinball(data, rows, await valueAtRiskOf(forecaster, features, count));
  return permutationImportance(score, gatherFeatures(data, rows), rows.length, SEED);
}

const CONFIDENCE = CONFIDENCES.indexOf(0.99);
const HORIZON = HORIZON_COUNT - 1;

function meanPinball({ excursions }: Dataset, rows: Uint32Array, valueAtRisk: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < rows.length; i++) {
    for (const side of SIDES.keys()) {
      const loss = excursions[rows[i] * PATHS_PER_MARKET + side * HORIZON_COUNT + HORIZON];
      sum += pinball(loss, valueAtRisk[cellIndex(i, side, HORIZON, CONFIDENCE)], CONFIDENCES[CONFIDENCE]);
    }
  }
  return sum / (rows.length * SIDES.length);
}
