import { expect, test } from 'vitest';
import { ranked, type Score } from './ranking.ts';

const score = (
  forecaster: string,
  horizonHours: number,
  pinball: number,
  changes: Partial<Score> = {},
): Score => ({
  forecaster,
  side: 'long',
  horizonHours,
  confidence: 0.99,
  observations: 100,
  pinball,
  fz0: -2,
  exceedanceRate: 0.01,
  ...changes,
});

test('each cell counts the same, however large its losses are', () => {
  const rows = ranked([
    score('model', 1, 0.0009),
    score('historical', 1, 0.001),
    score('garch', 1, 0.002),
    // A wide cell that would drown the first.
    score('model', 24, 0.5),
    score('historical', 24, 0.5),
    score('garch', 24, 0.6),
  ]);
  expect(rows.map(({ forecaster }) => forecaster)).toEqual(['model', 'historical', 'garch']);
  expect(rows[0].pinballRatio).toBeCloseTo((0.9 + 1) / 2, 12);
  expect(rows[1].pinballRatio).toBeCloseTo((0.001 / 0.0009 + 1) / 2, 12);
});

test('exceedances are of all observations, not a mean of cells', () => {
  const [row] = ranked([
    score('model', 1, 1, { observations: 900, exceedanceRate: 0 }),
    score('model', 24, 1, { observations: 100, exceedanceRate: 0.1 }),
  ]);
  expect([row.observations, row.exceedanceRate]).toEqual([1000, 0.01]);
  expect(row.pinballRatio).toBe(1);
});
