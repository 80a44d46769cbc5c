import { describe, expect, test } from 'vitest';
import type { Bracket, Track } from '../../answers.ts';
import { compared } from './compared.ts';
import { rangeOf, trackPath } from './range.ts';
import { excursions, priceAndLeverage } from './series.ts';

const HOUR = 3_600_000;
const decision = (hour: number, changes: object = {}): Track['decisions'][number] => ({
  version: hour,
  asOf: new Date(hour * HOUR).toISOString(),
  maxLeverage: 10,
  bindingBound: 'historical',
  horizonHours: 24,
  confidence: 0.99,
  valueAtRisk: { long: 0.05, short: 0.06 },
  realised: null,
  exceeded: null,
  ...changes,
});
const track = (decisions: Track['decisions']): Track => ({
  symbol: 'BTCUSDT',
  version: 9,
  simulated: false,
  horizonHours: 24,
  confidence: 0.99,
  from: new Date(0).toISOString(),
  to: new Date(4 * HOUR).toISOString(),
  intervalMilliseconds: HOUR,
  bars: { openTime: [0, HOUR, 2 * HOUR], open: [1, 2, 3], high: [2, 3, 4], low: [1, 1, 2], close: [2, 3, 4] },
  decisions,
  exceedances: { observations: 0, long: 0, short: 0 },
});

describe('leverage with price', () => {
  test('has prices when their bar had closed, and the leverage of the newest decision by then', () => {
    const found = priceAndLeverage(track([decision(2), decision(3, { maxLeverage: 8 })]));
    expect(found.times).toEqual([HOUR, 2 * HOUR, 3 * HOUR]);
    expect(found.price).toEqual([2, 3, 4]);
    expect(found.leverage).toEqual([null, 10, 8]);
  });
});

describe('excursions', () => {
  test('put longs below and shorts above, and mark only what was lost beyond its bound', () => {
    const found = excursions(
      track([
        decision(1, { realised: { long: 0.07, short: 0.01 }, exceeded: { long: true, short: false } }),
        decision(2),
      ]),
    );
    expect(found.longBound).toEqual([-0.05, -0.05]);
    expect(found.shortBound).toEqual([0.06, 0.06]);
    expect(found.longLoss).toEqual([-0.07, null]);
    expect(found.exceedances).toEqual([-0.07, null]);
    expect(found.shortExceedances).toEqual([null, null]);
  });
});

describe('brackets beside an earlier table', () => {
  const row = (bracket: number, notionalCap: string, maxLeverage: number): Bracket => ({
    bracket,
    notionalFloor: '0',
    notionalCap,
    maxLeverage,
    initialMarginRatePpm: 1_000_000 / maxLeverage,
    maintenanceMarginRatePpm: 5000,
    maintenanceAmount: '0',
  });

  test('are compared by the notional, not by their number', () => {
    const found = compared(
      [row(1, '1000', 20), row(2, '5000', 10)],
      [row(1, '500', 25), row(2, '2000', 20), row(3, '4000', 5)],
    );
    expect(found.map(({ before }) => before?.maxLeverage ?? before)).toEqual([20, null]);
  });

  test('have none where there is no earlier table', () => {
    expect(compared([row(1, '1000', 20)], null)[0].before).toBeUndefined();
  });
});

describe('the span', () => {
  test('is what the address says, and a week where it makes no sense', () => {
    const of = (text: string) => rangeOf(new URLSearchParams(text));
    expect(of('days=30').days).toBe(30);
    for (const text of ['', 'days=x', 'days=-1', 'days=9999', 'from=2024-01-02&to=2024-01-01', 'from=x&to=y'])
      expect([text, of(text).days]).toEqual([text, 7]);
    expect(of('from=2024-01-01T00:00:00Z&to=2024-01-02T00:00:00Z').days).toBeNull();
  });

  test('is asked for in whole hours, so that the same is asked within one', () => {
    const range = { days: 1, from: null, to: null };
    const now = Date.UTC(2024, 0, 2, 3, 10);
    expect(trackPath('BTCUSDT', range, now)).toBe(trackPath('BTCUSDT', range, now + 60_000));
    expect(decodeURIComponent(trackPath('BTCUSDT', range, now))).toContain(
      'from=2024-01-01T04:00:00.000Z&to=2024-01-02T04:00:00.000Z',
    );
  });
});
