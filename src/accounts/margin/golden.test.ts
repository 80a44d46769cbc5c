import { describe, expect, test } from 'vitest';
import { DEFAULT_POLICY } from '../../limits/policy.ts';
import { accountMargin } from './account-margin.ts';
import { settlementAssetOf } from './contract.ts';
import { maintenanceMargin } from './table.ts';
import { account, continuousTable, flat, market, markets, position, table } from './test-accounts.ts';

/** Binance's tables of 2021, as its example and its users recorded them: cap, maintenance rate, `cum`. */
const BINANCE_BTC = table(
  [50_000, 0.004, 0],
  [250_000, 0.005, 50],
  [1_000_000, 0.01, 1_300],
  [10_000_000, 0.025, 16_300],
  [20_000_000, 0.05, 266_300],
  [50_000_000, 0.1, 1_266_300],
);
const BINANCE_ETH = table(
  [10_000, 0.005, 0],
  [100_000, 0.0065, 15],
  [500_000, 0.01, 365],
  [1_000_000, 0.02, 5_365],
  [2_000_000, 0.05, 35_365],
  [5_000_000, 0.1, 135_365],
  [10_000_000, 0.125, 260_365],
);

function priceOf(result: ReturnType<typeof accountMargin>, symbol: string, side?: 'long' | 'short') {
  const positions = result.units.flatMap((unit) => unit.positions);
  const found = positions.find((one) => {
    return one.market.symbol === symbol && (side === undefined || one.side === side);
  });
  return found?.prices?.liquidationPrice ?? Number.NaN;
}

describe("Binance's example of a cross account (How to Calculate Liquidation Price of USD-M Futures Contracts)", () => {
  const result = accountMargin(
    account(1_535_443.01, [position('ETHUSDT', 3683.979, 1456.84), position('BTCUSDT', 109.488, 32_481.98)]),
    markets(market('ETHUSDT', 1335.18, BINANCE_ETH), market('BTCUSDT', 31_967.27, BINANCE_BTC)),
    DEFAULT_POLICY,
  );
  const [eth, btc] = result.units[0].positions;

  test('has its margins and profits', () => {
    expect(eth.measured?.maintenance).toBeCloseTo(356_512.508, 3);
    expect(btc.measured?.maintenance).toBeCloseTo(71_200.811, 3);
    expect(eth.measured?.profit).toBeCloseTo(-448_192.89, 2);
    expect(btc.measured?.profit).toBeCloseTo(-56_354.57, 2);
    // 1,535,443.01 − 3,683.979 · 121.66 − 109.488 · 514.71.
    expect(result.totals?.equity).toBeCloseTo(1_030_895.55638, 5);
    expect(result.totals?.ratio).toBeCloseTo((356_512.508 + 71_200.811) / 1_030_895.55, 8);
    expect(result.status).toBe('healthy');
  });

  test('has its liquidation prices to the cent', () => {
    expect(eth.prices?.liquidationPrice).toBeCloseTo(1153.26, 2);
    expect(btc.prices?.liquidationPrice).toBeCloseTo(26_316.89, 2);
  });
});

describe('formulas of venues', () => {
  test('Binance, isolated: LP = (WB + cum − side · size · entry) / (size · MMR − side · size), either side', () => {
    const isolated = (quantity: number) =>
      accountMargin(
        account(0, [position('BTCUSDT', quantity, 20_000, 2000)], { marginMode: 'isolated' }),
        markets(market('BTCUSDT', 20_100, BINANCE_BTC)),
        DEFAULT_POLICY,
      );
    // (2,000 − 20,000) / (0.004 − 1) and (2,000 + 20,000) / (0.004 + 1).
    expect(priceOf(isolated(1), 'BTCUSDT')).toBeCloseTo(18_072.29, 2);
    expect(priceOf(isolated(-1), 'BTCUSDT')).toBeCloseTo(21_912.35, 2);
  });

  test('Binance, hedge mode: both legs have one price, each with the bracket of its own notional there', () => {
    const result = accountMargin(
      account(60_000, [position('BTCUSDT', 40, 30_500), position('BTCUSDT', -8, 29_500)]),
      markets(market('BTCUSDT', 30_000, BINANCE_BTC)),
      DEFAULT_POLICY,
    );
    // At the price the long leg is between 1 and 10 million (2.5 %, 16,300), the short one up to 250,000 (0.5 %, 50).
    const numerator = 60_000 + 16_300 + 50 - 40 * 30_500 + 8 * 29_500;
    const expected = numerator / (40 * 0.025 + 8 * 0.005 - 40 + 8);
    expect(40 * expected).toBeGreaterThan(1_000_000);
    expect(8 * expected).toBeLessThan(250_000);
    expect(priceOf(result, 'BTCUSDT', 'long')).toBeCloseTo(expected, 6);
    expect(priceOf(result, 'BTCUSDT', 'short')).toBeCloseTo(expected, 6);
  });

  test('dYdX: 1,000 put up, 3 ETH short at 3,000, 5 % (Isolated Liquidation Price, trading documentation)', () => {
    const result = accountMargin(
      account(1000, [position('ETHUSD', -3, 3000)]),
      markets(market('ETHUSD', 3000, flat(0.05))),
      DEFAULT_POLICY,
    );
    // (1,000 + 3 · 3,000) / (3 · 0.05 + 3)
    expect(priceOf(result, 'ETHUSD')).toBeCloseTo(3174.6, 2);
    expect(result.totals?.maintenance).toBeCloseTo(450, 9);
  });

  test('dYdX: margin of other markets is taken from the equity first', () => {
    const result = accountMargin(
      account(1000, [position('ETHUSD', -1.5, 3000), position('STRKUSD', 100, 1.75)]),
      markets(market('ETHUSD', 3000, flat(0.05)), market('STRKUSD', 1.75, flat(0.1))),
      DEFAULT_POLICY,
    );
    // (1,000 − 17.5 + 1.5 · 3,000) / (1.5 · 0.05 + 1.5)
    expect(priceOf(result, 'ETHUSD')).toBeCloseTo(3480.95, 2);
  });

  test('Hyperliquid: price − side · margin available / size / (1 − l · side), by tier with its deduction', () => {
    // Tiers up to 150 million at 40x and beyond at 20x: maintenance is half the initial margin.
    const tiers = continuousTable([
      [150e6, 0.0125],
      [1e15, 0.025],
    ]);
    expect(maintenanceMargin(tiers, 200e6)).toBeCloseTo(200e6 * 0.025 - 150e6 * 0.0125, 4);
    for (const [side, size, margin] of [
      [1, 1, 5000],
      [-1, 1, 5000],
      [1, 3000, 12e6],
      [-1, 3000, 12e6],
    ]) {
      const result = accountMargin(
        account(margin, [position('BTC', side * size, 100_000)]),
        markets(market('BTC', 100_000, tiers)),
        DEFAULT_POLICY,
      );
      const available = margin - maintenanceMargin(tiers, size * 100_000);
      const l = size === 1 ? 0.0125 : 0.025;
      const expected = 100_000 - (side * available) / size / (1 - l * side);
      expect(priceOf(result, 'BTC')).toBeCloseTo(expected, 6);
    }
  });

  test('Binance, coin-margined: 100 contracts of 100 USD at 25,000 are 0.4 BTC, at 0.4 % a margin of 0.0016 BTC', () => {
    const contract = { kind: 'inverse', contractSize: 100 } as const;
    const held = markets(market('BTCUSD_PERP', 25_000, flat(0.004), { contract }));
    const result = accountMargin(account(0.05, [position('BTCUSD_PERP', 100, 25_000)]), held, DEFAULT_POLICY);
    expect(result.settlementAsset).toBe('BTC');
    expect(result.totals?.maintenance).toBeCloseTo(0.0016, 12);
    expect(result.totals?.leverage.gross).toBeCloseTo(8, 9);
    // Equity 0.05 + 10,000 (1 / 25,000 − 1 / p) meets 40 / p at 10,040 / 0.45, and 0 at 10,000 / 0.45.
    expect(priceOf(result, 'BTCUSD_PERP')).toBeCloseTo(22_311.11, 2);
    expect(result.units[0].positions[0].prices?.bankruptcyPrice).toBeCloseTo(22_222.22, 2);
    expect(settlementAssetOf('USDCUSD_PERP', contract)).toBe('USDC');
    // A short of as much as the collateral is worth is never liquidated: it owes dollars that the coins are worth.
    const hedged = accountMargin(account(0.5, [position('BTCUSD_PERP', -100, 25_000)]), held, DEFAULT_POLICY);
    expect(priceOf(hedged, 'BTCUSD_PERP')).toBeNaN();
  });
});
