import { describe, expect, test } from 'vitest';
import { CELLS_PER_MARKET, PATHS_PER_MARKET } from '../../src/forecast/predictor.ts';
import { emptyForecastTable, type ForecastTable } from '../judge/tables.ts';
import { putRows, rowsAsBytes } from './kept-rows.ts';

/** Two methods, one that gives all and one that gives VaR and ES alone, on six rows. */
function tables(filled: boolean, second = 'lines'): ForecastTable[] {
  const all = emptyForecastTable('all', 6, { shockProbability: true, variance: true });
  const lines = emptyForecastTable(second, 6, { shockProbability: false, variance: false });
  if (filled)
    for (const table of [all, lines])
      for (const column of [
        table.valueAtRisk,
        table.expectedShortfall,
        table.shockProbability,
        table.variance,
      ])
        column?.forEach((_, i) => {
          column[i] = i % 7 === 3 ? Number.NaN : Math.sin(i) / 3;
        });
  return [all, lines];
}

const rows = Uint32Array.of(1, 4);

describe('the rows of one market', () => {
  test('come back to the bit, missing answers among them, and touch no other row', () => {
    const made = tables(true);
    const put = tables(false);
    expect(putRows(put, rows, rowsAsBytes(made, rows))).toBe(true);
    for (const row of [0, 1, 2, 3, 4, 5]) {
      const from = row * CELLS_PER_MARKET;
      const expected = rows.includes(row)
        ? made[0].valueAtRisk.subarray(from, from + CELLS_PER_MARKET)
        : new Float64Array(CELLS_PER_MARKET).fill(Number.NaN);
      expect(put[0].valueAtRisk.subarray(from, from + CELLS_PER_MARKET)).toEqual(expected);
    }
    expect(put[0].shockProbability?.[4 * PATHS_PER_MARKET]).toBe(
      made[0].shockProbability?.[4 * PATHS_PER_MARKET],
    );
    expect(put[1].variance).toBeNull();
  });

  test.each([
    ['other methods', tables(true, 'other'), rows],
    ['fewer methods', tables(true).slice(0, 1), rows],
    ['more rows', tables(true), Uint32Array.of(1, 2, 4)],
  ])('are not put where they are of %s', (_, others, ofRows) => {
    const put = tables(false);
    expect(putRows(put, rows, rowsAsBytes(others, ofRows))).toBe(false);
    expect(put).toEqual(tables(false));
  });
});
