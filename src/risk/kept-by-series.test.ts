import { expect, test } from 'vitest';
import { emptyBars, sliceBars } from './bars.ts';
import { KeptBySeries } from './kept-by-series.ts';

const bars = emptyBars(10, 1);

test('a window that follows keeps what there is, one that goes back at either end is made anew', () => {
  let made = 0;
  const kept = new KeptBySeries(() => ++made);
  const windows: readonly (readonly [number, number])[] = [
    [2, 5],
    [2, 5],
    [2, 6],
    [3, 6],
    [2, 7],
    [2, 6],
    [4, 9],
    [3, 8],
    [3, 9],
  ];
  expect(windows.map(([from, end]) => kept.of(bars, from, end))).toEqual([1, 1, 1, 1, 2, 3, 3, 4, 4]);
});

test('is by series: a beginning is of the same one, a copy and another are not', () => {
  let made = 0;
  const kept = new KeptBySeries(() => ++made);
  expect(kept.of(sliceBars(bars, 0, 6), 0, 6)).toBe(1);
  expect(kept.of(bars, 0, 10)).toBe(1);
  expect(kept.of({ ...bars }, 0, 10)).toBe(2);
  expect(kept.of(emptyBars(10, 1), 0, 10)).toBe(3);
  expect(kept.of(bars, 1, 10)).toBe(1);
});
