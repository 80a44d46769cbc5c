import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Random } from '../src/random.ts';
import { type BarSeries, emptyBars } from '../src/risk/bars.ts';
import { HOUR_MILLISECONDS } from '../src/units.ts';
import { resampleToHours } from './resample.ts';

const START = Date.UTC(2024, 1, 28, 23);
const MINUTE = 60_000;

/** Bars of a random walk at the slots that are kept. */
function randomBars(minutes: number, slots: readonly number[], seed: number): BarSeries {
  const random = new Random(seed);
  const bars = emptyBars(slots.length, minutes * MINUTE);
  slots.forEach((slot, i) => {
    const prices = Array.from({ length: 4 }, () => 100 * Math.exp(0.01 * random.normal())).sort(
      (a, b) => a - b,
    );
    bars.openTime[i] = START + slot * minutes * MINUTE;
    [bars.low[i], bars.open[i], bars.close[i], bars.high[i]] = prices;
    bars.volume[i] = random.exponential();
    bars.quoteVolume[i] = random.exponential();
  });
  return bars;
}

/** The same by grouping rows under their hour. */
function expectedHours(bars: BarSeries): number[][] {
  const perHour = HOUR_MILLISECONDS / bars.intervalMilliseconds;
  const byHour = Map.groupBy(
    Array.from({ length: bars.length }, (_, i) => i),
    (i) => Math.floor(bars.openTime[i] / HOUR_MILLISECONDS) * HOUR_MILLISECONDS,
  );
  return [...byHour]
    .filter(([, rows]) => rows.length === perHour)
    .map(([hour, rows]) => [
      hour,
      bars.open[rows[0]],
      Math.max(...rows.map((i) => bars.high[i])),
      Math.min(...rows.map((i) => bars.low[i])),
      bars.close[rows[rows.length - 1]],
      rows.reduce((sum, i) => sum + bars.volume[i], 0),
      rows.reduce((sum, i) => sum + bars.quoteVolume[i], 0),
    ]);
}

function rowsOf(bars: BarSeries): number[][] {
  const { openTime, open, high, low, close, volume, quoteVolume } = bars;
  return Array.from(openTime, (time, i) => [
    time,
    open[i],
    high[i],
    low[i],
    close[i],
    volume[i],
    quoteVolume[i],
  ]);
}

test('an hour is its first open, extremes, last close and sums, and only hours that are whole are given', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(1, 5, 15, 20, 30, 60),
      fc.uniqueArray(fc.integer({ min: 0, max: 400 }), { maxLength: 12 }),
      fc.integer({ min: 0, max: 400 }),
      fc.integer(),
      (minutes, missing, length, seed) => {
        const slots = Array.from({ length }, (_, slot) => slot).filter((slot) => !missing.includes(slot));
        const bars = randomBars(minutes, slots, seed);
        const hours = resampleToHours(bars);
        expect(hours.intervalMilliseconds).toBe(HOUR_MILLISECONDS);
        expect(hours.length).toBe(hours.openTime.length);
        expect(rowsOf(hours)).toEqual(expectedHours(bars));
      },
    ),
    { numRuns: 200, seed: 21 },
  );
});

test('hourly bars come out as they went in', () => {
  const bars = randomBars(
    60,
    Array.from({ length: 50 }, (_, i) => i),
    1,
  );
  expect(resampleToHours(bars)).toEqual(bars);
});

test('half-hours from half past are not put together across the hour', () => {
  expect(resampleToHours(randomBars(30, [1, 2, 3, 4], 2)).openTime).toEqual(
    Float64Array.of(START + HOUR_MILLISECONDS),
  );
});

test('the result owns its memory', () => {
  const bars = randomBars(30, [0, 1, 2, 3], 3);
  const hours = resampleToHours(bars);
  const before = structuredClone(hours);
  for (const column of [bars.openTime, bars.open, bars.high, bars.low, bars.close, bars.volume])
    column.fill(-1);
  expect(hours).toEqual(before);
});
