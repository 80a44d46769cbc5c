import { applyLevels, trackedLevel } from '../../src/forecast/level-tracking.ts';
import {
  CELLS_PER_MARKET,
  CONFIDENCE_COUNT,
  CONFIDENCES,
  cellIndex,
  HORIZON_COUNT,
  HORIZONS_HOURS,
  PATHS_PER_MARKET,
  SIDE_COUNT,
} from '../../src/forecast/predictor.ts';
import { HOUR_MILLISECONDS } from '../../src/units.ts';
import type { ForecastTable, OutcomeTable } from './tables.ts';

/**
 * Forecasts as the service publishes them: each market's levels follow its own exceedances, learned from an outcome as soon as its horizon is over and
 * never before.
 */
export function trackedForecasts(outcomes: OutcomeTable, table: ForecastTable): ForecastTable {
  const valueAtRisk = table.valueAtRisk.slice();
  const expectedShortfall = table.expectedShortfall.slice();
  const byMarket = outcomes.symbols.map((): number[] => []);
  for (let row = 0; row < outcomes.rows; row++) byMarket[outcomes.market[row]].push(row);
  for (const rows of byMarket) {
    const logs = new Float64Array(CELLS_PER_MARKET);
    /** By horizon: how many of the rows have been learned from. */
    const learned = new Int32Array(HORIZON_COUNT);
    for (const row of rows) {
      for (let h = 0; h < HORIZON_COUNT; h++) {
        const known = outcomes.asOf[row] - HORIZONS_HOURS[h] * HOUR_MILLISECONDS;
        for (; outcomes.asOf[rows[learned[h]]] <= known; learned[h]++)
          learn(outcomes, valueAtRisk, rows, learned[h], h, logs);
      }
      if (Number.isFinite(valueAtRisk[cellIndex(row, 0, 0, 0)]))
        applyLevels(logs, valueAtRisk, expectedShortfall, row);
    }
  }
  return { ...table, valueAtRisk, expectedShortfall };
}

function learn(
  { asOf, excursions }: OutcomeTable,
  valueAtRisk: Float64Array,
  rows: readonly number[],
  i: number,
  horizon: number,
  logs: Float64Array,
): void {
  const row = rows[i];
  const hours = i === 0 ? 1 : (asOf[row] - asOf[rows[i - 1]]) / HOUR_MILLISECONDS;
  for (let side = 0; side < SIDE_COUNT; side++) {
    const loss = excursions[row * PATHS_PER_MARKET + side * HORIZON_COUNT + horizon];
    for (let c = 0; c < CONFIDENCE_COUNT; c++) {
      const value = valueAtRisk[cellIndex(row, side, horizon, c)];
      const cell = cellIndex(0, side, horizon, c);
      if (Number.isFinite(value))
        logs[cell] = trackedLevel(logs[cell], loss > value, CONFIDENCES[c], HORIZONS_HOURS[horizon], hours);
    }
  }
}
