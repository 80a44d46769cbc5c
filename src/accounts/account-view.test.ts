import { describe, expect, it } from 'vitest';
import { DEFAULT_POLICY } from '../limits/policy.ts';
import { accountView, heldNotional, shortfallRates } from './account-view.ts';
import { flat, market, markets, position } from './margin/test-accounts.ts';
import { held, marketOf, viewOf } from './test-cap-accounts.ts';

describe('an account as its caps see it', () => {
  it('nets what shares margin in a market, and leaves alone what is isolated', () => {
    const positions = [
      held('BTCUSDT', 300),
      held('BTCUSDT', -100),
      held('ETHUSDT', 50, { isolatedMargin: 20 }),
    ];
    const view = viewOf({ positions });
    expect(view.exposures.map(({ symbol, notional, nets }) => [symbol, notional, nets])).toEqual([
      ['BTCUSDT', 200, true],
      ['ETHUSDT', 50, false],
    ]);
    expect([view.equity, view.paidIn, view.isHedged]).toEqual([1020, 1020, true]);
    expect([heldNotional(view, 'BTCUSDT', 'short'), heldNotional(view, 'ETHUSDT', 'short')]).toEqual([
      100, 0,
    ]);
  });

  it('counts profit to its equity, and not to what was paid in', () => {
    const view = viewOf({ positions: [held('BTCUSDT', 1000, { entryPrice: 0.9 })] });
    expect(view.equity).toBeCloseTo(1100, 9);
    expect(view.paidIn).toBe(1000);
  });

  it('has no equity where a mark is missing, and counts the position at its entry', () => {
    const view = viewOf({ positions: [held('BTCUSDT', 10, { entryPrice: 7 })], marks: { BTCUSDT: null } });
    expect(view.equity).toBeNull();
    expect(heldNotional(view, 'BTCUSDT', 'long')).toBe(70);
  });

  it('is in quote units where it settles in a coin', () => {
    const contract = { kind: 'inverse' as const, contractSize: 100 };
    const inverse = market('BTCUSD_PERP', 50_000, flat(0.01), { contract });
    const account = {
      ...{ accountId: 'a', userId: 'u', marginMode: 'cross' as const, collateral: 2, ownInitialRate: 0 },
      positions: [position('BTCUSD_PERP', 300, 50_000)],
    };
    const view = accountView(account, markets(inverse), 'healthy', new Map(), DEFAULT_POLICY);
    expect(view.equity).toBeCloseTo(100_000, 6);
    expect(view.exposures).toEqual([
      {
        symbol: 'BTCUSD_PERP',
        notional: 30_000,
        nets: true,
        shortfall: { long: 1, short: 1, isForecast: false },
      },
    ]);
  });

  it('takes ES of the margin-call horizon at the confidence of initial margin, or more where none tells', () => {
    const limit = marketOf('BTCUSDT');
    const cell = limit.forecasts.find(
      (one) => one.side === 'short' && one.horizonHours === 4 && one.confidence === 0.99,
    );
    const policy = { ...DEFAULT_POLICY, marginMultiplier: 2 };
    expect(shortfallRates(limit, policy).short).toBe(2 * (cell?.expectedShortfall ?? 0));
    const rates = shortfallRates(limit, DEFAULT_POLICY);
    const standIn = shortfallRates({ ...limit, forecasts: [] }, DEFAULT_POLICY);
    expect(standIn.isForecast).toBe(false);
    expect(standIn.long).toBeGreaterThanOrEqual(Math.max(rates.long, rates.short));
  });
});
