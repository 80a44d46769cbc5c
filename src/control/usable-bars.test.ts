import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { RANDOM_MARKET_START, randomMarket, selectBars } from '../../test/random-market.ts';
import { type BarSeries, type MarketHistory, sliceBars } from '../risk/bars.ts';
import { nextClose, usableHistory } from './usable-bars.ts';

const HOUR = 3_600_000;
const HOURS = 60;
const LATER = RANDOM_MARKET_START + 1000 * HOUR;
const history = randomMarket({ seed: 1, hours: HOURS });

function changed(change: (bars: BarSeries) => void): MarketHistory {
  const bars = selectBars(history.bars, () => true);
  change(bars);
  return { ...history, bars };
}

describe('usable bars', () => {
  test('are handed on as they are where all are usable: nothing is copied', () => {
    expect(usableHistory(history, LATER)).toBe(history);
    const gappy = randomMarket({ seed: 2, hours: 300, gapProbability: 0.1 });
    expect(usableHistory(gappy, LATER)).toBe(gappy);
  });

  test('end with the newest bar that has closed', () => {
    for (const hours of [0, 1, 30, HOURS]) {
      const now = RANDOM_MARKET_START + hours * HOUR;
      expect(usableHistory(history, now).bars.length).toBe(hours);
      expect(usableHistory(history, now - 1).bars.length).toBe(Math.max(hours - 1, 0));
    }
  });

  test('are what is left when any bars are damaged in any way: all others, in order, unchanged', () => {
    const columns = ['open', 'high', 'low', 'close', 'quoteVolume', 'openTime'] as const;
    const value = fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -1, 8e15);
    const damage = fc.tuple(fc.integer({ min: 0, max: HOURS - 1 }), fc.constantFrom(...columns), value);
    fc.assert(
      fc.property(fc.array(damage, { maxLength: 8 }), (damages) => {
        // A high or a volume can be that large; it is for others to judge.
        const real = damages.filter(
          ([, column, to]) => to !== 8e15 || column === 'low' || column === 'openTime',
        );
        const bad = new Set(real.map(([i]) => i));
        const broken = changed((bars) => {
          for (const [i, column, to] of real) bars[column][i] = to;
        });
        expect(usableHistory(broken, LATER).bars).toEqual(selectBars(history.bars, (i) => !bad.has(i)));
      }),
      { seed: 20240601, numRuns: 200 },
    );
  });

  test('are the same for a series that grows bar by bar, also where one of them is damaged', () => {
    for (const damaged of [null, 0, 33]) {
      const whole = changed((bars) => {
        if (damaged !== null) bars.low[damaged] = -1;
      });
      for (let length = 0; length <= HOURS; length++) {
        const grown = { ...whole, bars: sliceBars(whole.bars, 0, length) };
        const anew = { ...whole, bars: selectBars(grown.bars, () => true) };
        for (const now of [LATER, RANDOM_MARKET_START + 40 * HOUR])
          expect(usableHistory(grown, now)).toEqual(usableHistory(anew, now));
      }
    }
  });

  test('ascend strictly: a bar that comes again or too late is left out', () => {
    const again = changed((bars) => {
      bars.openTime[10] = bars.openTime[9];
      bars.openTime[20] = bars.openTime[5];
    });
    expect(usableHistory(again, LATER).bars).toEqual(selectBars(history.bars, (i) => i !== 10 && i !== 20));
  });

  test('are none of a series that is not hourly', () => {
    const quick = { ...history, bars: { ...history.bars, intervalMilliseconds: 60_000 } };
    expect(usableHistory(quick, LATER).bars.length).toBe(0);
  });
});

test('the next close is that of the first bar that is stored but not known yet', () => {
  const late = randomMarket({ seed: 3, hours: 40 });
  const at = (hours: number) =>
    nextClose([history, late], RANDOM_MARKET_START + hours * HOUR) - RANDOM_MARKET_START;
  expect([at(0) / HOUR, at(39) / HOUR, at(39.5) / HOUR, at(40) / HOUR]).toEqual([1, 40, 40, 41]);
  expect(nextClose([history, late], LATER)).toBe(Number.POSITIVE_INFINITY);
});
