import { describe, expect, test } from 'vitest';
import { DEFAULT_GUARD_POLICY } from '../../limits/guard-policy.ts';
import { PriceWindow } from './price-window.ts';

const CLOSE = Date.UTC(2024, 5, 1, 12);
const SECOND = 1000;
const HOUR = 3_600_000;

function take(window: PriceWindow, at: number, price: number): void {
  window.take({ price, at }, at, DEFAULT_GUARD_POLICY);
}

describe('the mark of a market', () => {
  test('is the newest price that was believed since the bar closed, otherwise the close of the bar', () => {
    const window = new PriceWindow();
    expect(window.mark()).toBeNull();
    window.follow({ asOf: CLOSE, price: 100 }, DEFAULT_GUARD_POLICY);
    expect(window.mark()).toEqual({ price: 100, at: CLOSE });
    take(window, CLOSE + 10 * SECOND, 101);
    take(window, CLOSE + 20 * SECOND, 99);
    expect(window.mark()).toEqual({ price: 99, at: CLOSE + 20 * SECOND });
    // Out of order, out of bounds, or held until another confirms it.
    take(window, CLOSE + 15 * SECOND, 98);
    take(window, CLOSE + 30 * SECOND, 500);
    take(window, CLOSE + 40 * SECOND, 75);
    expect(window.mark()).toEqual({ price: 99, at: CLOSE + 20 * SECOND });
  });

  test('is the close of a newer bar until a price comes after it, and of one that contradicts the last price', () => {
    const window = new PriceWindow();
    window.follow({ asOf: CLOSE, price: 100 }, DEFAULT_GUARD_POLICY);
    take(window, CLOSE + 10 * SECOND, 101);
    window.follow({ asOf: CLOSE + HOUR, price: 102 }, DEFAULT_GUARD_POLICY);
    expect(window.mark()).toEqual({ price: 102, at: CLOSE + HOUR });
    take(window, CLOSE + HOUR + 10 * SECOND, 103);
    window.follow({ asOf: CLOSE + HOUR, price: 50 }, DEFAULT_GUARD_POLICY);
    expect(window.mark()).toEqual({ price: 50, at: CLOSE + HOUR });
  });
});
