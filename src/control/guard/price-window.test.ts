import { describe, expect, test } from 'vitest';
import { DEFAULT_GUARD_POLICY } from '../../limits/guard-policy.ts';
import { PriceWindow } from './price-window.ts';
import type { PriceCode } from './prices.ts';

const CLOSE = Date.UTC(2024, 5, 1, 12);
const SECOND = 1000;
const HOUR = 3_600_000;

/** A market that closed at 100. */
function windowAt(price = 100): PriceWindow {
  const window = new PriceWindow();
  window.follow({ asOf: CLOSE, price }, DEFAULT_GUARD_POLICY);
  return window;
}

/** Takes a price of so many seconds after the close; it arrives at once unless something else is said. */
function take(window: PriceWindow, seconds: number, price: number, arrival = seconds): PriceCode | null {
  const at = CLOSE + seconds * SECOND;
  return window.take({ price, at }, CLOSE + arrival * SECOND, DEFAULT_GUARD_POLICY);
}

describe('prices that count', () => {
  test('leave the lowest and the highest, and since when', () => {
    const window = windowAt();
    expect(window.input()).toBeNull();
    const seen = [
      [10, 101],
      [20, 99],
      [30, 100],
      [40, 99],
      [50, 103],
    ] as const;
    for (const [seconds, price] of seen) expect(take(window, seconds, price)).toBeNull();
    expect(window.input()).toEqual({
      since: CLOSE,
      referencePrice: 100,
      lowestPrice: 99,
      lowestAt: CLOSE + 20 * SECOND,
      highestPrice: 103,
      highestAt: CLOSE + 50 * SECOND,
    });
  });

  test('of the next hour are kept for the bar that is decided on seconds after its close', () => {
    const window = windowAt();
    take(window, 10, 95);
    const next = CLOSE + HOUR;
    for (const [seconds, price] of [
      [3601, 97],
      [3602, 94],
      [3603, 96],
    ])
      expect(take(window, seconds, price)).toBeNull();
    window.follow({ asOf: next, price: 96 }, DEFAULT_GUARD_POLICY);
    expect(window.input()).toMatchObject({
      ...{ since: next, referencePrice: 96, lowestPrice: 94, highestPrice: 97 },
      lowestAt: next + 2 * SECOND,
    });
    window.follow({ asOf: next + HOUR, price: 96 }, DEFAULT_GUARD_POLICY);
    expect(window.input()).toBeNull();
  });

  test('are kept when the same bar is decided on again', () => {
    const window = windowAt();
    take(window, 10, 95);
    const before = window.input();
    window.follow({ asOf: CLOSE, price: 100 }, DEFAULT_GUARD_POLICY);
    expect(window.input()).toEqual(before);
  });
});

describe('a price that was believed before a start', () => {
  const restored = (seconds: number, price: number): PriceWindow => {
    const window = windowAt();
    window.restore({ price, at: CLOSE + seconds * SECOND });
    return window;
  };

  test('is the mark again, and what the next price is judged by', () => {
    const window = restored(30, 115);
    expect(window.mark()).toEqual({ price: 115, at: CLOSE + 30 * SECOND });
    expect(window.input()).toMatchObject({ lowestPrice: 115, highestPrice: 115 });
    expect(take(window, 30, 115)).toBe('PRICE_REPEATED');
    expect(take(window, 40, 125)).toBeNull();
    expect(take(restored(30, 115), 40, 95)).toBe('PRICE_HELD');
  });

  test('changes nothing where the bar, or a price, is as new, or where no bar is known', () => {
    expect(restored(0, 115).mark()).toEqual({ price: 100, at: CLOSE });
    const window = windowAt();
    take(window, 30, 101);
    window.restore({ price: 115, at: CLOSE + 30 * SECOND });
    expect(window.mark()).toEqual({ price: 101, at: CLOSE + 30 * SECOND });
    const unknown = new PriceWindow();
    unknown.restore({ price: 115, at: CLOSE });
    expect(unknown.mark()).toBeNull();
  });
});

describe('prices without effect', () => {
  test('say why', () => {
    const empty = new PriceWindow();
    expect(take(empty, 10, 100)).toBe('PRICE_UNJUDGED');
    const window = windowAt();
    for (const price of [0, -1, Number.NaN, Number.POSITIVE_INFINITY])
      expect(take(window, 10, price)).toBe('PRICE_INVALID');
    expect(take(window, Number.NaN, 100, 10)).toBe('PRICE_INVALID');
    expect(take(window, 16, 100, 10)).toBe('PRICE_FUTURE');
    expect(take(window, 10, 100, 71)).toBe('PRICE_STALE');
    expect(take(window, -1, 100, 0)).toBe('PRICE_OUT_OF_ORDER');
    expect(take(window, 10, 301, 10)).toBe('PRICE_IMPLAUSIBLE');
    expect(take(window, 10, 33, 10)).toBe('PRICE_IMPLAUSIBLE');
    expect(window.input()).toBeNull();
  });

  test('come late or again', () => {
    const window = windowAt();
    expect(take(window, 10, 99)).toBeNull();
    expect(take(window, 10, 99)).toBe('PRICE_REPEATED');
    expect(take(window, 10, 99, 1000)).toBe('PRICE_REPEATED');
    expect(take(window, 10, 98)).toBe('PRICE_OUT_OF_ORDER');
    expect(take(window, 9, 90)).toBe('PRICE_OUT_OF_ORDER');
    expect(window.input()).toMatchObject({ lowestPrice: 99, highestPrice: 99 });
  });

  test('are held when they are far from the one before, until another says the same seconds later', () => {
    const window = windowAt();
    expect(take(window, 10, 121)).toBe('PRICE_HELD');
    // Sent again it confirms nothing, however late.
    expect(take(window, 10, 121, 30)).toBe('PRICE_HELD');
    expect(take(window, 14, 122)).toBe('PRICE_HELD');
    expect(window.input()).toBeNull();
    expect(take(window, 15, 123)).toBeNull();
    expect(window.input()).toMatchObject({ highestPrice: 123, highestAt: CLOSE + 15 * SECOND });
    // The next ones are judged by it.
    expect(take(window, 16, 100)).toBe('PRICE_HELD');
  });

  test('are forgotten where the next one is near again: a spike', () => {
    const window = windowAt();
    expect(take(window, 10, 70)).toBe('PRICE_HELD');
    expect(take(window, 11, 99.5)).toBeNull();
    expect(take(window, 16, 70)).toBe('PRICE_HELD');
    expect(window.input()).toMatchObject({ lowestPrice: 99.5 });
  });

  test('are taken back by a bar that contradicts them', () => {
    const window = windowAt();
    for (const [seconds, price] of [
      [3590, 115],
      [3601, 130],
    ])
      expect(take(window, seconds, price)).toBeNull();
    window.follow({ asOf: CLOSE + HOUR, price: 100 }, DEFAULT_GUARD_POLICY);
    expect(window.input()).toBeNull();
    expect(take(window, 3602, 131)).toBe('PRICE_HELD');
  });
});
