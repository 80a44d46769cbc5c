import { expect, test } from 'vitest';
import type { Impact } from '../../answers.ts';
import { changedRanges, impactText, laterText } from './words.ts';

const range = (
  from: number,
  before: number,
  after: number,
  ratesPpm: [number, number] = [20_000, 20_000],
) => ({
  notionalFloor: String(from),
  notionalCap: String(from + 1000),
  leverageBefore: before,
  leverageAfter: after,
  maintenanceRatePpmBefore: ratesPpm[0],
  maintenanceRatePpmAfter: ratesPpm[1],
});
const market: Extract<Impact['market'], { available: true }> = {
  available: true,
  maxLeverageBefore: 20,
  maxLeverageAfter: 10,
  losing: [{ notionalFloor: '0', notionalCap: '2000' }],
  ranges: [range(0, 20, 10), range(1000, 12, 10), range(2000, 5, 5), range(3000, 5, 5, [20_000, 25_000])],
};
const accounts: Impact['accounts'] = {
  available: true,
  accounts: 14,
  breaching: 2,
  notionalToReduce: '1234567.5',
  liquidations: 1,
  liquidatedNotional: '500',
  unusable: 0,
  hit: [],
};
const unknown = { available: false as const, why: 'no accounts are known to this service' };

test('only ranges that change are shown, by leverage or by maintenance', () => {
  expect(changedRanges(market).map(({ notionalFloor }) => notionalFloor)).toEqual(['0', '1000', '3000']);
});

test('an impact in a line says the worst of it, and what nobody knows', () => {
  expect(impactText({ market, accounts })).toBe(
    '20x → 10x at most, 3 ranges change · 2 of 14 accounts in breach, 1,234,567.5 to reduce, liquidations: 1',
  );
  expect(impactText({ market, accounts: unknown })).toContain('accounts: no accounts are known');
  expect(impactText({ market: { ...market, ranges: [range(0, 20, 20)] }, accounts: unknown })).toContain(
    'no bracket changes',
  );
  expect(impactText(null)).toBe('not known');
});

test('what the next decision leaves for later ones is said in both directions', () => {
  const change = { maxLeverage: 5, mayLoosen: false } as Parameters<typeof laterText>[0];
  expect(laterText(change, { market, accounts })).toContain('the rest of the way to 5x');
  expect(laterText({ ...change, maxLeverage: 50, mayLoosen: true }, { market, accounts })).toContain(
    'loosens towards 50x',
  );
  expect(laterText({ ...change, maxLeverage: 10 }, { market, accounts })).toBeNull();
  expect(laterText({ ...change, maxLeverage: null }, { market, accounts })).toBeNull();
});
