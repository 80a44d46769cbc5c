import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { randomMarket } from '../../test/random-market.ts';
import { sliceBars } from '../risk/bars.ts';
import type { Excursion } from './realised-excursion.ts';
import { mergedBars, readTrack } from './track-reading.ts';

const HOUR = 3_600_000;
const market = randomMarket({
  symbol: 'AUSDT',
  seed: 7,
  hours: 1000,
  gapProbability: 0.02,
  longestGapHours: 9,
});
const { bars } = market;
const [first, last] = [bars.openTime[0], bars.openTime[bars.length - 1]];

describe('merged bars', () => {
  test('of any range are at most as many as asked for, whole, and say what the hours in them say', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: -50, max: 1050 }),
        fc.integer({ min: 1, max: 1100 }),
        fc.integer({ min: 2, max: 300 }),
        fc.integer({ min: 0, max: HOUR - 1 }),
        (start, length, points, offset) => {
          const from = first + start * HOUR + offset;
          const to = from + length * HOUR;
          const merged = mergedBars(bars, { from, to, points });
          const span = merged.intervalMilliseconds;
          expect(merged.openTime.length).toBeLessThanOrEqual(points);
          expect(span % HOUR).toBe(0);
          const hours = Array.from({ length: bars.length }, (_, i) => i);
          const inRange = hours.filter((i) => bars.openTime[i] >= from && bars.openTime[i] < to);
          const opens = [...new Set(inRange.map((i) => Math.floor(bars.openTime[i] / span) * span))];
          expect([...merged.openTime]).toEqual(opens);
          for (const [b, opened] of opens.entries()) {
            const own = hours.filter(
              (i) => bars.openTime[i] >= opened && bars.openTime[i] < Math.min(opened + span, to),
            );
            expect([merged.open[b], merged.close[b]]).toEqual([
              bars.open[own[0]],
              bars.close[own.at(-1) ?? 0],
            ]);
            expect(merged.high[b]).toBe(Math.max(...own.map((i) => bars.high[i])));
            expect(merged.low[b]).toBe(Math.min(...own.map((i) => bars.low[i])));
          }
        },
      ),
      { seed: 4, numRuns: 300 },
    );
  });

  test.each([
    [1000, 1],
    [500, 2],
    [250, 4],
    [90, 12],
    [45, 24],
    [12, 96],
  ])('of a thousand hours in %i points are of %i hours', (points, hours) => {
    const whole = randomMarket({ seed: 7, hours: 1000 }).bars;
    const range = { from: whole.openTime[0], to: whole.openTime[999] + HOUR, points };
    expect(mergedBars(whole, range).intervalMilliseconds).toBe(hours * HOUR);
  });
});

/** Looked for bar by bar. */
function happenedAfter(asOf: number, horizonHours: number): Excursion | null {
  const entry = bars.openTime.indexOf(asOf - HOUR);
  const path = Array.from({ length: horizonHours }, (_, h) => bars.openTime.indexOf(asOf + h * HOUR));
  if (entry < 0 || path.includes(-1)) return null;
  const price = bars.close[entry];
  const lowest = Math.min(price, ...path.map((i) => bars.low[i]));
  const highest = Math.max(price, ...path.map((i) => bars.high[i]));
  return { long: 1 - lowest / price, short: highest / price - 1 };
}

test('what happened after each decision is the excursion over its horizon, null where that is not over or has a gap', () => {
  const origins = Float64Array.from({ length: 1010 }, (_, i) => first + i * HOUR);
  const horizonsHours = origins.map((_, i) => [1, 4, 24][i % 3]);
  const request = { symbol: 'AUSDT', from: first, to: last, points: 9, origins, horizonsHours };
  const { realised } = readTrack([market], request) ?? { realised: [] };
  expect(realised).toEqual(Array.from(origins, (asOf, i) => happenedAfter(asOf, horizonsHours[i])));
  expect(realised.filter((one) => one === null).length).toBeGreaterThan(50);
  expect(realised.filter((one) => one !== null).length).toBeGreaterThan(500);
});

test('a market without bars has none, and before any were read nothing is told', () => {
  const nothing = {
    ...{ symbol: 'BUSDT', from: first, to: last, points: 9 },
    ...{ origins: Float64Array.of(first), horizonsHours: Float64Array.of(4) },
  };
  const reading = readTrack([market], nothing);
  expect([reading?.bars.openTime.length, reading?.realised]).toEqual([0, [null]]);
  const empty = { ...market, bars: sliceBars(bars, 0, 0) };
  expect(readTrack([empty], { ...nothing, symbol: 'AUSDT' })?.bars.openTime.length).toBe(0);
  expect(readTrack([], nothing)).toBeNull();
});
