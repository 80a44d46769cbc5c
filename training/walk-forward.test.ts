import { describe, expect, test } from 'vitest';
import { HORIZON_COUNT, PATHS_PER_MARKET } from '../src/forecast/predictor.ts';
import { DAY_MILLISECONDS, HOUR_MILLISECONDS } from '../src/units.ts';
import { randomMarket } from '../test/random-market.ts';
import { buildDataset, type Dataset } from './dataset.ts';
import { PURGE_HOURS } from './splits.ts';
import { DEFAULT_MODEL_OPTIONS } from './train.ts';
import { expandingFolds, walkForward } from './walk-forward.ts';

const markets = [1, 2, 3].map((seed) =>
  randomMarket({ seed, hours: 2600, gapProbability: 0.001, longestGapHours: 4 }),
);
const data = buildDataset(markets, 1, Number.MAX_SAFE_INTEGER);
const { asOf, rows } = data.features;
const until = asOf[rows - 1] + HOUR_MILLISECONDS;
const from = until - 20 * DAY_MILLISECONDS;
const folds = expandingFolds(from, until, 8);
const options = {
  folds,
  validationShare: 0.2,
  isTrained: () => true,
  isForecast: () => true,
  model: {
    seeds: [1],
    fit: { ...DEFAULT_MODEL_OPTIONS.fit, hidden: [4], maximumEpochs: 1 },
    threads: 1,
    onProgress: () => {},
    interrupted: new AbortController().signal,
  },
  onFold: () => {},
};

describe('walking forward through time', () => {
  test('folds follow each other without a gap, each fitted before it begins by the purge', () => {
    expect(folds.length).toBe(3);
    expect(folds[0].from).toBe(from);
    expect(folds[2].until).toBe(until);
    folds.forEach((fold, i) => {
      expect(fold.from - fold.trainUntil).toBe(PURGE_HOURS * HOUR_MILLISECONDS);
      if (i > 0) expect(fold.from).toBe(folds[i - 1].until);
    });
    expect(expandingFolds(5, 5, 8)).toEqual([]);
  });

  test('no forecast knows what came after its model was fitted', async () => {
    const whole = await walkForward(data, options);
    expect(whole.rows.length).toBeGreaterThan(1000);
    expect(whole.valueAtRisk.every((value) => value > 0)).toBe(true);
    // What happened from the last fit on is replaced by something absurd.
    const last = folds[2].trainUntil;
    const poisoned: Dataset = {
      ...data,
      excursions: data.excursions.slice(),
      shocks: data.shocks.slice(),
      logVolatility: data.logVolatility.slice(),
    };
    for (let row = 0; row < rows; row++) {
      if (asOf[row] < last) continue;
      poisoned.excursions.fill(0.9, row * PATHS_PER_MARKET, (row + 1) * PATHS_PER_MARKET);
      poisoned.shocks.fill(1, row * PATHS_PER_MARKET, (row + 1) * PATHS_PER_MARKET);
      poisoned.logVolatility.fill(3, row * HORIZON_COUNT, (row + 1) * HORIZON_COUNT);
    }
    const again = await walkForward(poisoned, options);
    expect(again.valueAtRisk).toEqual(whole.valueAtRisk);
    expect(again.expectedShortfall).toEqual(whole.expectedShortfall);
    expect(again.shockProbability).toEqual(whole.shockProbability);
  });

  test('a walk over a time without rows is refused', async () => {
    const later = expandingFolds(until + DAY_MILLISECONDS, until + 2 * DAY_MILLISECONDS, 1);
    await expect(walkForward(data, { ...options, folds: later })).rejects.toMatchObject({
      code: 'DATA_INSUFFICIENT',
    });
    await expect(walkForward(data, { ...options, folds: [] })).rejects.toMatchObject({
      code: 'DATA_INSUFFICIENT',
    });
  });
});
