import { describe, expect, test } from 'vitest';
import { randomMarket, selectBars } from '../../test/random-market.ts';
import { type BarSeries, continueLineage, lineageOf, sliceBars } from './bars.ts';

const { bars } = randomMarket({ seed: 3, hours: 50 });
const copyOf = (series: BarSeries): BarSeries => selectBars(series, () => true);

describe('the lineage of a series', () => {
  test('is shared by what the series begins with, and by nothing else', () => {
    expect(lineageOf(sliceBars(bars, 0, 20))).toBe(lineageOf(bars));
    expect(lineageOf(sliceBars(sliceBars(bars, 0, 20), 0, 10))).toBe(lineageOf(bars));
    expect(lineageOf(sliceBars(bars, 1, 20))).not.toBe(lineageOf(bars));
    const middle = sliceBars(bars, 3, 20);
    expect(middle.length).toBe(17);
    expect(middle.openTime).toEqual(bars.openTime.slice(3, 20));
    expect(lineageOf({ ...bars })).not.toBe(lineageOf(bars));
    expect(lineageOf(copyOf(bars))).not.toBe(lineageOf(bars));
  });

  test('goes on in a longer series that was read anew', () => {
    const before = copyOf(sliceBars(bars, 0, 30));
    const after = copyOf(bars);
    continueLineage(before, after);
    expect(lineageOf(after)).toBe(lineageOf(before));
  });

  test('ends where any bar is another, is missing, or was not there before', () => {
    const before = copyOf(bars);
    const columns = ['openTime', 'open', 'high', 'low', 'close', 'volume', 'quoteVolume'] as const;
    const others = columns.map((column) => {
      const changed = copyOf(bars);
      changed[column][17] += 1e-9 * Math.max(changed[column][17], 1);
      return changed;
    });
    others.push(
      selectBars(bars, (i) => i !== 5),
      selectBars(bars, (i) => i < 49),
    );
    others.push({ ...copyOf(bars), intervalMilliseconds: 60_000 });
    for (const other of others) {
      continueLineage(before, other);
      expect(lineageOf(other)).not.toBe(lineageOf(before));
    }
  });
});
