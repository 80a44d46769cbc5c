import fc from 'fast-check';
import type { MarginAccount, MarginMarket, MarginPosition } from './account.ts';
import type { Contract } from './contract.ts';
import type { MarginTable } from './table.ts';

/** Accounts, markets and tables for tests of margin. */
export const LINEAR: Contract = { kind: 'linear', contractSize: 1 };

/** Rows of [cap, maintenance rate, amount]; leverage is as high as three quarters of the initial margin allow. */
export function table(...rows: readonly (readonly [number, number, number])[]): MarginTable {
  return rows.map(([notionalCap, maintenanceRate, maintenanceAmount]) => ({
    notionalCap,
    initialRate: Math.min(maintenanceRate / 0.5, 1),
    maintenanceRate,
    maintenanceAmount,
  }));
}

/** Rows of [cap, maintenance rate], with the amounts that make maintenance margin continuous. */
export function continuousTable(rows: readonly (readonly [number, number])[]): MarginTable {
  let amount = 0;
  return table(
    ...rows.map(([cap, rate], i): [number, number, number] => {
      if (i > 0) amount += rows[i - 1][0] * (rate - rows[i - 1][1]);
      return [cap, rate, amount];
    }),
  );
}

export function flat(rate: number): MarginTable {
  return table([1e15, rate, 0]);
}

export function market(
  symbol: string,
  mark: number | null,
  rows: MarginTable,
  changes: Partial<MarginMarket> = {},
): MarginMarket {
  return {
    symbol,
    contract: LINEAR,
    mark,
    maintenance: rows,
    initial: rows,
    beta: null,
    excursions: null,
    liquidity: null,
    ...changes,
  };
}

export function markets(...list: readonly MarginMarket[]): Map<string, MarginMarket> {
  return new Map(list.map((one) => [one.symbol, one]));
}

export function position(
  symbol: string,
  quantity: number,
  entryPrice: number,
  isolatedMargin: number | null = null,
): MarginPosition {
  return { symbol, quantity, entryPrice, isolatedMargin };
}

export function account(
  collateral: number,
  positions: readonly MarginPosition[],
  changes: Partial<MarginAccount> = {},
): MarginAccount {
  return {
    accountId: 'a',
    userId: 'u',
    marginMode: 'cross',
    collateral,
    positions,
    ownInitialRate: 0,
    ...changes,
  };
}

/** Tables of one to five rows whose rates rise. */
export const anyTable: fc.Arbitrary<MarginTable> = fc
  .tuple(
    fc.uniqueArray(fc.integer({ min: 1, max: 400 }), { minLength: 1, maxLength: 5 }),
    fc.uniqueArray(fc.integer({ min: 4, max: 500 }), { minLength: 5, maxLength: 5 }),
  )
  .map(([caps, rates]) => {
    const [rising, higher] = [caps, rates].map((values) => [...values].sort((a, b) => a - b));
    return continuousTable(rising.map((cap, i) => [cap * 1000, higher[i] / 1000]));
  });

/** Marks and entry prices near each other, quantities whose notionals are around the caps of `anyTable`. */
export const anyHolding = fc.record({
  rows: anyTable,
  mark: fc.double({ min: 0.5, max: 2000, noNaN: true }),
  entryRatio: fc.double({ min: 0.7, max: 1.4, noNaN: true }),
  notional: fc.double({ min: 10, max: 300_000, noNaN: true }),
  isLong: fc.boolean(),
  /** Of the opposite leg; 0 for none. */
  hedge: fc.oneof(fc.constant(0), fc.double({ min: 0.01, max: 1.5, noNaN: true })),
});

type Holding = typeof anyHolding extends fc.Arbitrary<infer T> ? T : never;

/** Holdings as markets and positions of one cross account. */
export function heldOf(holdings: readonly Holding[], kind: Contract['kind'] = 'linear') {
  const list = holdings.map(({ mark, rows }, i) =>
    market(`BTCUSD${i}`, mark, rows, { contract: { kind, contractSize: kind === 'linear' ? 1 : 10 } }),
  );
  const positions = holdings.flatMap(({ mark, entryRatio, notional, isLong, hedge }, i) => {
    const contracts = kind === 'linear' ? notional / mark : notional / 10;
    const quantity = isLong ? contracts : -contracts;
    const own = position(`BTCUSD${i}`, quantity, mark * entryRatio);
    return hedge === 0 ? [own] : [own, position(`BTCUSD${i}`, -quantity * hedge, mark / entryRatio)];
  });
  const gross = holdings.reduce((sum, { notional, mark, hedge }) => {
    return sum + notional * (1 + hedge) * (kind === 'linear' ? 1 : 1 / mark);
  }, 0);
  return { list, positions, gross };
}
