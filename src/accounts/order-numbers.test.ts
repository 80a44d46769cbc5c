import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DEFAULT_POLICY } from '../limits/policy.ts';
import { orderEffect } from './account-check.ts';
import type { Side } from './account-view.ts';
import { maintenanceMargin } from './margin/table.ts';
import { orderNumbers } from './order-numbers.ts';
import { held, order, type Setting, viewOf } from './test-cap-accounts.ts';

function numbers(setting: Setting, side: Side, notional: number, price: number | null = null, leverage = 5) {
  const view = viewOf(setting);
  const effect = orderEffect(view, 'BTCUSDT', order(side, notional));
  return orderNumbers(view, { symbol: 'BTCUSDT', side, leverage, price, effect }, DEFAULT_POLICY);
}

const table = viewOf({}).markets.get('BTCUSDT')?.maintenance ?? [];
const rate = table[0].maintenanceRate;

describe('the numbers of an order', () => {
  it('of a first position are those of the position alone', () => {
    const {
      initialMargin,
      availableBalance,
      maintenanceMargin: maintenance,
      liquidationPrice,
    } = numbers({}, 'long', 5000);
    expect([initialMargin, availableBalance]).toEqual([1000, 1000]);
    expect(maintenance).toBeCloseTo(5000 * rate, 9);
    // Equity 1000 + 5000 (p − 1) meets 5000 p · rate.
    expect(liquidationPrice).toBeCloseTo(4000 / (5000 * (1 - rate)), 9);
  });

  it('count the price of the order: what is bought below the mark is liquidated later', () => {
    const cheap = numbers({}, 'long', 5000, 0.9);
    expect(cheap.liquidationPrice).toBeCloseTo(3500 / (5000 * (1 - rate)), 9);
  });

  it('of what reduces ask for nothing, and move the liquidation price away', () => {
    const setting = { positions: [held('BTCUSDT', 5000)] };
    const before = numbers(setting, 'long', 0).liquidationPrice ?? 0;
    const after = numbers(setting, 'short', 2000);
    expect(after.initialMargin).toBe(0);
    expect(after.liquidationPrice).toBeLessThan(before);
    expect(numbers(setting, 'short', 5000)).toMatchObject({ maintenanceMargin: 0, liquidationPrice: null });
  });

  it('of an isolated account count the margin that the order brings', () => {
    const { liquidationPrice } = numbers({ marginMode: 'isolated' }, 'long', 5000);
    expect(liquidationPrice).toBeCloseTo(4000 / (5000 * (1 - rate)), 9);
    const more = numbers({ marginMode: 'isolated', equity: 1e6 }, 'long', 5000);
    expect(more.liquidationPrice).toBeCloseTo(liquidationPrice ?? 0, 9);
  });

  it('that need a mark are unknown without one', () => {
    const unknown = numbers({ positions: [held('BTCUSDT', 5000)], marks: { BTCUSDT: null } }, 'long', 100);
    expect(unknown).toEqual({
      initialMargin: 20,
      availableBalance: null,
      maintenanceMargin: null,
      liquidationPrice: null,
    });
  });

  it('at the mark of a cross account change its maintenance margin by that of the resulting position', () => {
    const size = fc.integer({ min: -90_000, max: 90_000 }).filter((one) => one !== 0);
    fc.assert(
      fc.property(
        size,
        fc.constantFrom('long' as const, 'short' as const),
        fc.integer({ min: 1, max: 99_000 }),
        (position, side, notional) => {
          const setting = { equity: 1e6, positions: [held('BTCUSDT', position)] };
          const signed = position + (side === 'long' ? notional : -notional);
          const { maintenanceMargin: maintenance } = numbers(setting, side, notional);
          expect(maintenance).toBeCloseTo(signed === 0 ? 0 : maintenanceMargin(table, Math.abs(signed)), 6);
        },
      ),
      { seed: 1, numRuns: 200 },
    );
  });
});
