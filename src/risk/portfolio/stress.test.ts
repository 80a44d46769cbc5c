import { describe, expect, test } from 'vitest';
import { randomMarket } from '../../../test/random-market.ts';
import { sliceBars } from '../bars.ts';
import { adverseExcursions } from '../tail/excursions.ts';
import {
  type KnownWorst,
  STRESS_HORIZONS_HOURS,
  STRESS_SCENARIOS,
  stressExcursion,
  type WorstExcursions,
  worstExcursions,
} from './stress.ts';

describe('stress', () => {
  test('scenarios never ease with the horizon and stay below the price for longs', () => {
    for (const { id, long, short } of STRESS_SCENARIOS) {
      for (const losses of [long, short]) {
        expect(losses.length, id).toBe(STRESS_HORIZONS_HOURS.length);
        for (let h = 1; h < losses.length; h++) expect(losses[h], id).toBeGreaterThanOrEqual(losses[h - 1]);
      }
      expect(long[3], id).toBeLessThan(1);
    }
  });

  test('the own worst is the largest of all excursions in the history', () => {
    const { bars } = randomMarket({ seed: 4, hours: 500 });
    const worst = worstExcursions(bars, [1, 24, 1000]);
    expect(worst.long[1]).toBe(Math.max(...adverseExcursions(bars, 24).long));
    expect(worst.short[0]).toBe(Math.max(...adverseExcursions(bars, 1).short));
    expect(worst.long[2]).toBe(0);
  });

  test('the own worst of a history that has grown is found from what came since alone', () => {
    const { bars } = randomMarket({ seed: 5, hours: 900, gapProbability: 0.01, longestGapHours: 30 });
    const horizons = [1, 4, 24];
    let known: KnownWorst | null = null;
    for (const length of [0, 1, 3, 30, 31, 31, 200, 850, 851, bars.length]) {
      const own = sliceBars(bars, 0, Math.min(length, bars.length));
      const worst: WorstExcursions = worstExcursions(own, horizons, known);
      expect(worst).toEqual(worstExcursions(own, horizons));
      known = { bars: own.length, worst };
    }
  });

  test('a young and quiet market is held to the scenarios, a worse past counts instead', () => {
    const quiet = { long: new Float64Array(4), short: new Float64Array(4) };
    expect(stressExcursion(quiet, 'long', 4)).toEqual({ excursion: 0.529, source: '2021-05-19' });
    const crashed = { long: new Float64Array(4).fill(0.9), short: new Float64Array(4) };
    expect(stressExcursion(crashed, 'long', 4)).toEqual({ excursion: 0.9, source: 'own-history' });
  });

  test('a horizon between two is taken up, one beyond the last down', () => {
    const own = { long: Float64Array.of(0.6, 0.7, 0.8, 0.9), short: new Float64Array(4) };
    expect(stressExcursion(own, 'long', 5).excursion).toBe(0.8);
    expect(stressExcursion(own, 'long', 100).excursion).toBe(0.9);
  });
});
