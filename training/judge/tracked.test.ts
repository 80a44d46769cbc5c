import { describe, expect, test } from 'vitest';
import { LEVEL_RANGE } from '../../src/forecast/level-tracking.ts';
import {
  CELLS_PER_MARKET,
  cellIndex,
  HORIZON_COUNT,
  HORIZONS_HOURS,
  PATHS_PER_MARKET,
} from '../../src/forecast/predictor.ts';
import { HOUR_MILLISECONDS } from '../../src/units.ts';
import { scaledTable, simulateTables } from './judged-tables.fixture.ts';
import { trackedForecasts } from './tracked.ts';

const simulated = simulateTables(5, 4, 900);
const { outcomes } = simulated;

describe('forecasts with tracked levels', () => {
  test('bring the rate of a forecaster that is a fifth too low nearer to its target in every market and path', () => {
    const low = scaledTable(simulated, 'low', () => 0.8);
    const tracked = trackedForecasts(outcomes, low);
    const rateOf = (valueAtRisk: Float64Array, path: number): number => {
      let hits = 0;
      for (let row = outcomes.rows / 2; row < outcomes.rows; row++)
        if (
          outcomes.excursions[row * PATHS_PER_MARKET + path] > valueAtRisk[row * CELLS_PER_MARKET + path * 4]
        )
          hits++;
      return hits / (outcomes.rows / 2);
    };
    for (let path = 0; path < PATHS_PER_MARKET; path++) {
      const [before, after] = [rateOf(low.valueAtRisk, path), rateOf(tracked.valueAtRisk, path)];
      expect(Math.abs(after - 0.05)).toBeLessThan(0.7 * Math.abs(before - 0.05));
    }
    const ratios = tracked.valueAtRisk.map((value, i) => value / low.valueAtRisk[i]);
    expect(Math.min(...ratios)).toBeGreaterThanOrEqual(LEVEL_RANGE[0] - 1e-12);
  });

  test('learn from no outcome before its horizon is over', () => {
    const at = 600;
    const poisoned = { ...outcomes, excursions: outcomes.excursions.slice() };
    const time = outcomes.asOf[at];
    for (let row = 0; row < outcomes.rows; row++) {
      for (let path = 0; path < PATHS_PER_MARKET; path++) {
        const end = outcomes.asOf[row] + HORIZONS_HOURS[path % HORIZON_COUNT] * HOUR_MILLISECONDS;
        if (end > time) poisoned.excursions[row * PATHS_PER_MARKET + path] = 0.9;
      }
    }
    const [whole, blind] = [outcomes, poisoned].map((one) => trackedForecasts(one, simulated.right));
    const until = cellIndex(outcomes.asOf.lastIndexOf(time) + 1, 0, 0, 0);
    expect(blind.valueAtRisk.subarray(0, until)).toEqual(whole.valueAtRisk.subarray(0, until));
    expect(blind.valueAtRisk).not.toEqual(whole.valueAtRisk);
  });

  test('leave a row without an answer without one, and learn nothing from it', () => {
    const gappy = { ...simulated.right, valueAtRisk: simulated.right.valueAtRisk.slice() };
    gappy.valueAtRisk.fill(Number.NaN, 0, cellIndex(400, 0, 0, 0));
    const tracked = trackedForecasts(outcomes, gappy);
    const first = cellIndex(400, 0, 0, 0);
    expect(tracked.valueAtRisk.subarray(0, first).every(Number.isNaN)).toBe(true);
    expect(tracked.valueAtRisk.subarray(first, first + 32)).toEqual(
      gappy.valueAtRisk.subarray(first, first + 32),
    );
  });
});
