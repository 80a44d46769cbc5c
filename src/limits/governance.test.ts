import { expect, test } from 'vitest';
import {
  type Freeze,
  freezeOf,
  isEmergency,
  NO_GOVERNANCE,
  type Override,
  overrideOf,
} from './governance.ts';

const freeze = (symbol: string | null, expiresAt: number | null): Freeze => ({
  id: `${symbol}`,
  symbol,
  reason: 'test',
  frozenBy: 'ann',
  frozenAt: 0,
  expiresAt,
});

const override = (maxLeverage: number, part: Partial<Override> = {}): Override => ({
  id: `${maxLeverage}`,
  symbol: 'BTCUSDT',
  maxLeverage,
  mayLoosen: false,
  reason: 'test',
  requestedBy: 'ann',
  requestedAt: 0,
  approvedBy: null,
  approvedAt: null,
  expiresAt: 100,
  ...part,
});

test('a freeze holds its own market, or all of them, until it expires', () => {
  const state = { ...NO_GOVERNANCE, freezes: [freeze('BTCUSDT', 10), freeze(null, 5)] };
  expect(freezeOf(state, 'BTCUSDT', 4)?.symbol).toBeNull();
  expect(freezeOf(state, 'BTCUSDT', 5)?.symbol).toBe('BTCUSDT');
  expect(freezeOf(state, 'BTCUSDT', 10)).toBeNull();
  expect(freezeOf(state, 'ETHUSDT', 5)).toBeNull();
  expect(freezeOf({ ...NO_GOVERNANCE, freezes: [freeze('BTCUSDT', null)] }, 'BTCUSDT', 1e15)).not.toBeNull();
});

test('an override that may loosen counts only once it is approved; of several the lowest counts', () => {
  const loose = override(5, { mayLoosen: true });
  const state = { ...NO_GOVERNANCE, overrides: [override(20), override(10), loose] };
  expect(overrideOf(state, 'BTCUSDT', 0)?.maxLeverage).toBe(10);
  const approved = { ...state, overrides: [override(20), { ...loose, approvedBy: 'bob', approvedAt: 1 }] };
  expect(overrideOf(approved, 'BTCUSDT', 1)?.maxLeverage).toBe(5);
  expect(overrideOf(approved, 'BTCUSDT', 100)).toBeNull();
  expect(overrideOf(approved, 'ETHUSDT', 1)).toBeNull();
});

test('an emergency ends by itself', () => {
  const state = {
    ...NO_GOVERNANCE,
    emergency: { reason: 'x', declaredBy: 'ann', declaredAt: 0, expiresAt: 9 },
  };
  expect([isEmergency(state, 8), isEmergency(state, 9), isEmergency(NO_GOVERNANCE, 0)]).toEqual([
    true,
    false,
    false,
  ]);
});
