import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { randomMarket } from '../../../test/random-market.ts';
import type { BarSeries } from '../bars.ts';
import { emptyBars } from '../bars.ts';
import { adverseExcursions } from './excursions.ts';

/** The definition, written down: look at every bar of every horizon. */
function slowExcursion(
  bars: BarSeries,
  i: number,
  h: number,
): { long: number; short: number; valid: number } {
  for (let j = 1; j <= h; j++) {
    if (bars.openTime[i + j] !== bars.openTime[i] + j * bars.intervalMilliseconds) {
      return { long: 0, short: 0, valid: 0 };
    }
  }
  const lows = Array.from(bars.low.subarray(i + 1, i + h + 1));
  const highs = Array.from(bars.high.subarray(i + 1, i + h + 1));
  return {
    long: Math.max(1 - Math.min(...lows) / bars.close[i], 0),
    short: Math.max(Math.max(...highs) / bars.close[i] - 1, 0),
    valid: 1,
  };
}

describe('adverseExcursions', () => {
  test('agrees with the definition for any horizon and any gaps', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 1e6 }),
        fc.integer({ min: 0, max: 120 }),
        fc.integer({ min: 1, max: 40 }),
        (seed, hours, h) => {
          const { bars } = randomMarket({ seed, hours, gapProbability: 0.03, longestGapHours: 5 });
          const fast = adverseExcursions(bars, h);
          expect(fast.length).toBe(Math.max(bars.length - h, 0));
          for (let i = 0; i < fast.length; i++) {
            const slow = slowExcursion(bars, i, h);
            expect([fast.long[i], fast.short[i], fast.valid[i]]).toEqual([slow.long, slow.short, slow.valid]);
          }
        },
      ),
      { seed: 11, numRuns: 150 },
    );
  });

  test('the origin bar itself does not count, and a side that only gains loses nothing', () => {
    const bars = emptyBars(3, 3_600_000);
    // The origin's own wick to 50 lies before the entry at its close.
    bars.openTime.set([0, 3_600_000, 7_200_000]);
    bars.low.set([50, 101, 102]);
    bars.high.set([100, 103, 110]);
    bars.close.set([100, 102, 108]);
    const { long, short } = adverseExcursions(bars, 2);
    expect(Array.from(long)).toEqual([0]);
    expect(short[0]).toBeCloseTo(0.1, 15);
  });
});
