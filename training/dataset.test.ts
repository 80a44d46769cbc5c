import { describe, expect, test } from 'vitest';
import { VARIANCE_FLOOR } from '../src/features/spec.ts';
import { HORIZON_COUNT, HORIZONS_HOURS, PATHS_PER_MARKET } from '../src/forecast/predictor.ts';
import { randomMarket } from '../test/random-market.ts';
import { buildDataset } from './dataset.ts';
import { PURGE_HOURS, rowsBetween, splitTime } from './splits.ts';

const HOUR = 3_600_000;
const markets = [1, 2, 3].map((seed) =>
  randomMarket({ seed, hours: 1800, gapProbability: 0.002, longestGapHours: 6 }),
);
const data = buildDataset(markets, 4, Number.MAX_SAFE_INTEGER);

describe('the training data', () => {
  test('targets are the worst price of each side after the row, against a slow walk over the bars', () => {
    expect(data.features.rows).toBeGreaterThan(500);
    for (let row = 0; row < data.features.rows; row += 37) {
      const { bars } = markets[data.features.market[row]];
      const bar = data.features.barIndex[row];
      const asOf = data.features.asOf[row];
      expect(bars.openTime[bar] + HOUR).toBe(asOf);
      for (const [h, hours] of HORIZONS_HOURS.entries()) {
        let lowest = bars.close[bar];
        let highest = bars.close[bar];
        for (let i = bar + 1; i < bars.length && bars.openTime[i] < asOf + hours * HOUR; i++) {
          lowest = Math.min(lowest, bars.low[i]);
          highest = Math.max(highest, bars.high[i]);
        }
        const [long, short] = [0, 1].map(
          (side) => data.excursions[row * PATHS_PER_MARKET + side * HORIZON_COUNT + h],
        );
        expect(long).toBeCloseTo(1 - lowest / bars.close[bar], 5);
        expect(short).toBeCloseTo(Math.min(highest / bars.close[bar] - 1, 0.9), 5);
      }
    }
  });

  test('the volatility target is that of the hours after the row alone', () => {
    const row = 100;
    const { bars } = markets[data.features.market[row]];
    const bar = data.features.barIndex[row];
    let variance = 0;
    for (let i = bar + 1; i <= bar + 4; i++)
      variance += Math.log(bars.high[i] / bars.low[i]) ** 2 / (4 * Math.LN2);
    const expected = 0.5 * Math.log(variance + 4 * VARIANCE_FLOOR);
    expect(data.logVolatility[row * HORIZON_COUNT + 1]).toBeCloseTo(expected, 4);
  });

  test('a market that was away for a year has no row into the gap, none before it is warm again, and no number that is none', () => {
    const whole = randomMarket({ seed: 4, hours: 1200 });
    const openTime = whole.bars.openTime.map((time, i) => (i < 600 ? time - 365 * 24 * HOUR : time));
    const away = { ...whole, bars: { ...whole.bars, openTime } };
    const rows = buildDataset([away, ...markets], 4, Number.MAX_SAFE_INTEGER);
    const own = [...rows.features.market.keys()].filter((row) => rows.features.market[row] === 0);
    const bars = own.map((row) => rows.features.barIndex[row]);
    expect(bars.some((bar) => bar < 600)).toBe(true);
    expect(bars.some((bar) => bar > 800)).toBe(true);
    expect(bars.filter((bar) => bar > 600 - 24 && bar < 600 + 167)).toEqual([]);
    for (const numbers of [rows.features.values, rows.excursions, rows.logVolatility, rows.realisedVariance])
      expect(numbers.every((value: number) => Number.isFinite(value))).toBe(true);
  });

  test('a cut in time leaves out every row whose outcome reaches beyond it', () => {
    const cut = data.features.asOf[Math.floor(data.features.rows / 2)];
    const before = buildDataset(markets, 4, cut);
    expect(before.features.rows).toBeGreaterThan(0);
    expect(Math.max(...before.features.asOf)).toBeLessThanOrEqual(cut - 23 * HOUR);
  });

  test('slices of time are in order, apart by the purge, and cover all else', () => {
    const end = 10_000 * HOUR;
    const split = splitTime(0, end, 0.1, 0.2);
    expect(split.validationFrom - split.trainUntil).toBe(PURGE_HOURS * HOUR);
    expect((split.testFrom ?? 0) - split.validationUntil).toBe(PURGE_HOURS * HOUR);
    expect(split.testFrom).toBe(0.8 * end);
    const times = Float64Array.from({ length: 10_000 }, (_, i) => i * HOUR);
    const parts = [
      rowsBetween(times, 0, split.trainUntil),
      rowsBetween(times, split.validationFrom, split.validationUntil),
      rowsBetween(times, split.testFrom ?? 0, end),
    ];
    const seen = new Set(parts.flatMap((rows) => [...rows]));
    expect(seen.size).toBe(parts.reduce((sum, rows) => sum + rows.length, 0));
    expect(10_000 - seen.size).toBe(2 * PURGE_HOURS);
  });
});
