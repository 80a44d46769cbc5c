import { describe, expect, test } from 'vitest';
import { randomMarket, selectBars } from '../../test/random-market.ts';
import { type BarSeries, barsClosedBy, continueLineage, entriesBy, lineageOf, sliceBars } from './bars.ts';

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
    const same = copyOf(bars);
    continueLineage(after, same);
    expect(lineageOf(same)).toBe(lineageOf(before));
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

describe('what is known by a time', () => {
  const HOUR = 3_600_000;
  const times = Float64Array.of(10, 20, 20, 35, 70);

  test('are the entries at or before it, one by one', () => {
    for (let at = 5; at <= 80; at++)
      for (let length = 0; length <= 5; length++)
        expect(entriesBy({ time: times, length }, at)).toBe(
          times.slice(0, length).filter((time) => time <= at).length,
        );
  });

  test('are the bars whose hour is over', () => {
    const first = bars.openTime[0];
    for (const length of [0, 1, 2, 50]) {
      const some = sliceBars(bars, 0, length);
      for (let hour = -1; hour <= 52; hour++)
        for (const offset of [-1, 0, 1]) {
          const at = first + hour * HOUR + offset;
          const closed = some.openTime.filter((time) => time + HOUR <= at).length;
          expect(barsClosedBy(some, at)).toBe(closed);
        }
    }
  });
});
