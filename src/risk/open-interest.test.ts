import { expect, test } from 'vitest';
import { openInterestAt } from './open-interest.ts';

const series = { time: Float64Array.of(100, 200, 300), quoteNotional: Float64Array.of(7, 8, 9), length: 3 };

test.each([
  [99, null],
  [100, { quoteNotional: 7, observedAt: 100 }],
  [299, { quoteNotional: 8, observedAt: 200 }],
  [300, { quoteNotional: 9, observedAt: 300 }],
  [1e15, { quoteNotional: 9, observedAt: 300 }],
])('what was open at %d is the newest observation by then', (at, observed) => {
  expect(openInterestAt(series, at)).toEqual(observed);
});

test('nothing is known of a market without a series, or before its first observation', () => {
  expect(openInterestAt(null, 200)).toBeNull();
  expect(openInterestAt({ ...series, length: 0 }, 200)).toBeNull();
});
