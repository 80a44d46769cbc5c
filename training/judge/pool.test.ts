import { describe, expect, test } from 'vitest';
import { CONFIDENCES, cellIndex, HORIZON_COUNT, PATHS_PER_MARKET } from '../../src/forecast/predictor.ts';
import { judge } from './judge.ts';
import { scaledTable, simulateTables } from './judged-tables.fixture.ts';
import { judgePool } from './pool.ts';

const STEP_HOURS = 6;
const simulated = simulateTables(9, 5, 700, { dependence: 0.7 });
const { outcomes, right } = simulated;
const low = scaledTable(simulated, 'low', () => 0.7);
/** Has no answer for some rows, which then count for nobody. */
const holed = scaledTable(simulated, 'holed', (row) => (row % 97 === 0 ? Number.NaN : 1));
const tables = [right, low, holed];
const judged = judge(outcomes, tables, 'right', STEP_HOURS);

describe('all markets together', () => {
  test('the counts are those of a plain loop over the rows that all answered', () => {
    const pool = judgePool(outcomes, tables, judged, 'low');
    for (const [h, c] of [
      [0, 1],
      [3, 2],
    ]) {
      let [observations, exceedances] = [0, 0];
      for (let row = 0; row < outcomes.rows; row++) {
        if (row % 97 === 0) continue;
        observations++;
        const loss = outcomes.excursions[row * PATHS_PER_MARKET + HORIZON_COUNT + h];
        if (loss > low.valueAtRisk[cellIndex(row, 1, h, c)]) exceedances++;
      }
      const found = pool.coverage.find(
        (cell) =>
          cell.side === 'short' &&
          cell.horizonHours === [1, 4, 8, 24][h] &&
          cell.confidence === CONFIDENCES[c],
      );
      expect(found).toMatchObject({ observations, exceedances });
    }
  });

  test('right forecasts are not rejected at 99.9 % and understated ones are', () => {
    const worst = (name: string): number =>
      Math.min(
        ...judgePool(outcomes, tables, judged, name)
          .coverage.filter(({ confidence }) => confidence === 0.999)
          .map(({ kupiecPValue }) => kupiecPValue ?? 1),
      );
    expect(worst('right')).toBeGreaterThan(0.01);
    expect(worst('low')).toBeLessThan(1e-3);
  });

  test('markets that fall together count for fewer observations than there are rows, horizons that overlap for fewer still', () => {
    const { coverage } = judgePool(outcomes, tables, judged, 'right');
    const effective = (hours: number): number =>
      coverage.find((cell) => cell.side === 'long' && cell.horizonHours === hours && cell.confidence === 0.95)
        ?.effectiveObservations ?? Number.NaN;
    expect(effective(1)).toBeLessThan(0.7 * 3500);
    expect(effective(24)).toBeLessThan(0.7 * effective(1));
  });

  test('dependence lowers the share of cells that chance leaves, and both bounds are shares', () => {
    const { chance } = judgePool(outcomes, tables, judged, 'right');
    expect(chance.map(({ confidences, cells }) => [confidences, cells])).toEqual([
      [[0.95], 40],
      [[0.99], 40],
      [[0.95, 0.99], 80],
    ]);
    for (const { leastShare, leastShareIndependent } of chance) {
      expect(leastShare).toBeLessThanOrEqual(leastShareIndependent);
      expect(leastShareIndependent).toBeLessThan(0.95);
      expect(leastShare).toBeGreaterThan(0.5);
    }
    expect(chance[2].leastShare).toBeLessThan(chance[2].leastShareIndependent);
  });

  test('a forecaster that was not judged is refused', () => {
    expect(() => judgePool(outcomes, tables, judged, 'nobody')).toThrow(
      expect.objectContaining({ code: 'NOT_FOUND' }),
    );
  });

  test('is plain data', () => {
    const pool = judgePool(outcomes, tables, judged, 'right');
    expect(JSON.parse(JSON.stringify(pool))).toEqual(pool);
  });
});
