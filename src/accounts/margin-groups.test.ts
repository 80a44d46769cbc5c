import { describe, expect, test } from 'vitest';
import { parseAttos, productMicrosDown, productMicrosUp } from '../units.ts';
import { type AccountState, marginGroups, type PositionState } from './margin-groups.ts';

const MARKS = new Map(
  Object.entries({ BTCUSDT: '30000', ETHUSDT: '2000.5', PEPEUSDT: '0.0000012345' }).map(
    ([symbol, price]): [string, bigint] => [symbol, parseAttos(price) ?? 0n],
  ),
);

function position(
  symbol: string,
  side: PositionState['side'],
  quantity: string,
  entryPrice: string,
): PositionState {
  return { symbol, side, quantity, entryPrice };
}

function account(changes: Partial<AccountState>): AccountState {
  return { accountId: 'a', userId: 'u', marginMode: 'cross', equity: '1000', positions: [], ...changes };
}

describe('what stands behind positions', () => {
  test('is collateral and unrealised profit together where margin is shared, by hand', () => {
    const positions = [
      position('BTCUSDT', 'long', '0.5', '29000'),
      position('ETHUSDT', 'net', '-2', '2100'),
      position('PEPEUSDT', 'short', '1000000', '0.0000012'),
    ];
    // 1,000 + 0.5 · 1,000 + 2 · 99.5 − 1,000,000 · 0.0000000345 = 1,698.9655; notionals 15,000, 4,001 and 1.2345.
    expect(marginGroups(account({ positions }), MARKS)).toEqual([
      {
        accountId: 'a',
        marginMicros: 1_698_965_500n,
        positions: [
          { symbol: 'BTCUSDT', notional: 15_000 },
          { symbol: 'ETHUSDT', notional: 4001 },
          { symbol: 'PEPEUSDT', notional: 2 },
        ],
      },
    ]);
  });

  test('is what each has to itself where it is isolated', () => {
    const positions = [
      { ...position('BTCUSDT', 'long', '0.5', '30500'), isolatedMargin: '300' },
      { ...position('ETHUSDT', 'short', '1', '2000'), isolatedMargin: '0.25' },
      { ...position('PEPEUSDT', 'net', '0', '1'), isolatedMargin: '5' },
    ];
    // 300 − 0.5 · 500 = 50; 0.25 − 0.5 = −0.25. A position of nothing is none.
    expect(marginGroups(account({ marginMode: 'isolated', positions }), MARKS)).toEqual([
      { accountId: 'a', marginMicros: 50_000_000n, positions: [{ symbol: 'BTCUSDT', notional: 15_000 }] },
      { accountId: 'a', marginMicros: -250_000n, positions: [{ symbol: 'ETHUSDT', notional: 2001 }] },
    ]);
  });

  test('is its own too where a position of a cross account has a margin to itself', () => {
    const positions = [
      { ...position('BTCUSDT', 'long', '0.5', '30000'), isolatedMargin: '300' },
      { ...position('ETHUSDT', 'short', '1', '2000.5'), isolatedMargin: null },
    ];
    expect(marginGroups(account({ positions }), MARKS)).toEqual([
      { accountId: 'a', marginMicros: 1_000_000_000n, positions: [{ symbol: 'ETHUSDT', notional: 2001 }] },
      { accountId: 'a', marginMicros: 300_000_000n, positions: [{ symbol: 'BTCUSDT', notional: 15_000 }] },
    ]);
  });

  test('is nothing that one could tell where a mark is missing or a number cannot be read', () => {
    const wrong: readonly Partial<AccountState>[] = [
      { equity: 'NaN' },
      { positions: [position('NOPEUSDT', 'long', '1', '1')] },
      { positions: [position('BTCUSDT', 'long', '1e3', '1')] },
      { positions: [position('BTCUSDT', 'long', '1', '-1')] },
      { marginMode: 'isolated', positions: [position('BTCUSDT', 'long', '1', '1')] },
    ];
    for (const changes of wrong)
      expect([changes, marginGroups(account(changes), MARKS)]).toEqual([changes, null]);
    expect(marginGroups(account({}), MARKS)).toEqual([]);
  });
});

test('products are exact, and rounded against the account', () => {
  const [third, price] = ['0.333333333333333333', '3.000000000000000003'].map(
    (text) => parseAttos(text) ?? 0n,
  );
  expect([productMicrosDown(third, price), productMicrosUp(third, price)]).toEqual([999_999n, 1_000_000n]);
  expect([productMicrosDown(-third, price), productMicrosUp(-third, price)]).toEqual([
    -1_000_000n,
    -999_999n,
  ]);
  expect(parseAttos('0.0000000000000000001')).toBeNull();
});
