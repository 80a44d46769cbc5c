import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DEFAULT_ACCOUNT_POLICY } from '../../limits/account-policy.ts';
import { marginUnits } from './account.ts';
import { criticalPrices } from './liquidation.ts';
import { type MeasuredUnit, measureUnit } from './measure.ts';
import {
  account,
  anyHolding,
  continuousTable,
  flat,
  heldOf,
  market,
  markets,
  position,
  table,
} from './test-accounts.ts';

type Held = ReturnType<typeof heldOf>;

function measured({ list, positions }: Held, collateral: number): MeasuredUnit {
  const [unit] = marginUnits(account(collateral, positions), markets(...list));
  return measureUnit(unit, DEFAULT_ACCOUNT_POLICY) as MeasuredUnit;
}

/** The same account once the first market is at another price: f anew, by the slow way. */
function at(held: Held, collateral: number, mark: number): MeasuredUnit {
  const [first, ...others] = held.list;
  return measured({ ...held, list: [{ ...first, mark }, ...others] }, collateral);
}

const SYMBOL = 'BTCUSD0';
const anyAccount = fc.record({
  holdings: fc.array(anyHolding, { minLength: 1, maxLength: 3 }),
  /** Equity at the marks as a share of the gross notional. */
  cover: fc.double({ min: -0.05, max: 1.2, noNaN: true }),
  kind: fc.constantFrom('linear' as const, 'inverse' as const),
});
type AnyAccount = typeof anyAccount extends fc.Arbitrary<infer T> ? T : never;

function madeOf({ holdings, cover, kind }: AnyAccount) {
  const held = heldOf(holdings, kind);
  const collateral = cover * held.gross - measured(held, 0).equity;
  const unit = measured(held, collateral);
  return { held, collateral, unit, prices: criticalPrices(unit, SYMBOL), mark: unit.legs[0].mark };
}

/** Everything that is added up to an equity, for a relative difference. */
function scaleOf({ held, collateral }: ReturnType<typeof madeOf>, price: number): number {
  const legs = at(held, collateral, price).legs;
  return legs.reduce((sum, leg) => {
    const own = leg.notional * leg.perQuote;
    return sum + own + Math.abs(leg.profit);
  }, Math.abs(collateral));
}

describe('the liquidation price', () => {
  test('is where equity equals maintenance margin, in the bracket that holds there', () => {
    let solved = 0;
    fc.assert(
      fc.property(anyAccount, (any) => {
        const made = madeOf(any);
        for (const price of [made.prices.liquidationPrice, made.prices.below, made.prices.above]) {
          if (price === null || (made.prices.isBelowMaintenance && price === made.mark)) continue;
          solved++;
          const { equity, maintenance } = at(made.held, made.collateral, price);
          expect(Math.abs(equity - maintenance)).toBeLessThanOrEqual(1e-9 * scaleOf(made, price));
        }
      }),
      { seed: 1, numRuns: 2000 },
    );
    expect(solved).toBeGreaterThan(1500);
  });

  test('is the nearest: no price between the mark and it, or on a side without one, liquidates', () => {
    fc.assert(
      fc.property(anyAccount, (any) => {
        const made = madeOf(any);
        const { mark, prices } = made;
        if (prices.isBelowMaintenance) return;
        const ends = [prices.below ?? mark / 1000, prices.above ?? mark * 1000];
        for (const end of ends) {
          for (let step = 1; step < 40; step++) {
            const price = mark * (end / mark) ** (step / 40);
            const { equity, maintenance } = at(made.held, made.collateral, price);
            expect(equity - maintenance).toBeGreaterThanOrEqual(-1e-9 * scaleOf(made, price));
          }
        }
      }),
      { seed: 2, numRuns: 500 },
    );
  });

  test('is, for a unit below maintenance, the price that it has crossed; none where no price helps', () => {
    const held = (mark: number) => ({
      list: [market(SYMBOL, mark, flat(0.05))],
      positions: [position(SYMBOL, 1, 100)],
      gross: mark,
    });
    // 10 + (p − 100) = 0.05 p at 94.74.
    for (const mark of [94, 50]) {
      const prices = criticalPrices(measured(held(mark), 10), SYMBOL);
      expect(prices).toMatchObject({ isBelowMaintenance: true, below: mark, above: mark });
      expect(prices.liquidationPrice).toBeCloseTo(90 / 0.95, 9);
    }
    const hopeless = {
      list: [market(SYMBOL, 100, flat(0.05))],
      positions: [position(SYMBOL, 1, 100), position(SYMBOL, -1, 100)],
      gross: 200,
    };
    expect(criticalPrices(measured(hopeless, -1), SYMBOL).liquidationPrice).toBeNull();
    expect(criticalPrices(measured(hopeless, 9), SYMBOL).liquidationPrice).toBeCloseTo(90, 9);
  });

  test('of a hedge lies where its margin grows faster than its profit, or on both sides', () => {
    const hedge = (long: number, short: number, collateral: number) =>
      criticalPrices(
        measured(
          {
            list: [market(SYMBOL, 100, flat(0.05))],
            positions: [position(SYMBOL, long, 100), position(SYMBOL, -short, 100)],
            gross: 0,
          },
          collateral,
        ),
        SYMBOL,
      );
    // An even hedge: 20 = 0.1 p.
    expect(hedge(1, 1, 20)).toMatchObject({ below: null, bankruptcyPrice: null });
    expect(hedge(1, 1, 20).liquidationPrice).toBeCloseTo(200, 9);
    // Long by 0.02 only: equity falls with the price, and yet the way up is the dangerous one.
    const nearly = hedge(1.02, 1, 20);
    expect(nearly.below).toBeNull();
    expect(nearly.liquidationPrice).toBe(nearly.above);
    // Long by 1, of a gross of 3.
    const long = hedge(2, 1, 20);
    expect(long.liquidationPrice).toBe(long.below);
    expect(long.liquidationPrice).toBeCloseTo(80 / 0.85, 9);
  });

  test('can have two roots where rates rise: the one on the side to which it falls is shown', () => {
    const rising = continuousTable([
      [250, 0.01],
      [1e9, 0.5],
    ]);
    const held = {
      list: [market(SYMBOL, 100, rising)],
      positions: [position(SYMBOL, 2, 100), position(SYMBOL, -1.5, 100)],
      gross: 350,
    };
    const { below, above, liquidationPrice } = criticalPrices(measured(held, 10), SYMBOL);
    expect(below).toBeLessThan(100);
    expect(above).toBeGreaterThan(100);
    expect(liquidationPrice).toBe(below);
  });

  test('moves away as collateral is added: down for a long position, up for a short one', () => {
    fc.assert(
      fc.property(
        anyHolding,
        fc.double({ min: 0.01, max: 1, noNaN: true }),
        fc.double({ min: 0.001, max: 0.5, noNaN: true }),
        fc.constantFrom('linear' as const, 'inverse' as const),
        (holding, cover, more, kind) => {
          const any = { holdings: [{ ...holding, hedge: 0 }], cover, kind };
          const [less, added] = [madeOf(any), madeOf({ ...any, cover: cover + more })];
          const [before, after] = [less.prices.liquidationPrice, added.prices.liquidationPrice];
          if (before === null || after === null) return;
          if (holding.isLong) expect(after).toBeLessThan(before);
          else expect(after).toBeGreaterThan(before);
        },
      ),
      { seed: 3, numRuns: 1000 },
    );
  });

  test('does not depend on the unit of money', () => {
    fc.assert(
      fc.property(anyAccount, fc.double({ min: 0.01, max: 100, noNaN: true }), (any, factor) => {
        const one = madeOf(any);
        const list = one.held.list.map((of) => ({
          ...of,
          maintenance: of.maintenance.map((row) => ({
            ...row,
            notionalCap: row.notionalCap * factor,
            maintenanceAmount: row.maintenanceAmount * factor,
          })),
        }));
        const positions = one.held.positions.map((of) => ({ ...of, quantity: of.quantity * factor }));
        const other = criticalPrices(
          measured({ list, positions, gross: 0 }, one.collateral * factor),
          SYMBOL,
        );
        for (const name of ['below', 'above', 'bankruptcyPrice'] as const) {
          const [a, b] = [one.prices[name], other[name]];
          if (a === null || b === null || a > one.mark * 1e6 || a < one.mark / 1e6) continue;
          expect(Math.abs(a - b)).toBeLessThanOrEqual(1e-6 * a);
        }
      }),
      { seed: 4, numRuns: 500 },
    );
  });

  test('is the cap where a rounded table jumps there', () => {
    const jumping = table([100, 0.05, 0], [1e9, 0.1, 5.01]);
    const held = { list: [market(SYMBOL, 110, jumping)], positions: [position(SYMBOL, 1, 110)], gross: 110 };
    // f is 0.005 just above 100 and −0.005 at it.
    expect(criticalPrices(measured(held, 14.995), SYMBOL)).toMatchObject({
      liquidationPrice: 100,
      below: 100,
    });
  });

  test('comes sooner where the policy liquidates below a ratio of 1', () => {
    const held = {
      list: [market(SYMBOL, 100, flat(0.05))],
      positions: [position(SYMBOL, 1, 100)],
      gross: 100,
    };
    // 10 + (p − 100) = 0.05 p / 0.8.
    expect(criticalPrices(measured(held, 10), SYMBOL, 0.8).liquidationPrice).toBeCloseTo(90 / 0.9375, 9);
    const two = {
      list: [...held.list, market('OTHER', 10, flat(0.08))],
      positions: [...held.positions, position('OTHER', 1, 10)],
      gross: 110,
    };
    // 11 + (p − 100) = (0.05 p + 0.8) / 0.8.
    expect(criticalPrices(measured(two, 11), SYMBOL, 0.8).liquidationPrice).toBeCloseTo(90 / 0.9375, 9);
  });
});

test('at the bankruptcy price nothing is left of the equity, and it is beyond the liquidation price', () => {
  fc.assert(
    fc.property(anyAccount, (any) => {
      const made = madeOf(any);
      const { bankruptcyPrice, below, isBelowMaintenance } = made.prices;
      if (bankruptcyPrice === null) return;
      const { equity } = at(made.held, made.collateral, bankruptcyPrice);
      expect(Math.abs(equity)).toBeLessThanOrEqual(1e-9 * scaleOf(made, bankruptcyPrice));
      if (any.holdings.length > 1 || any.holdings[0].hedge > 0 || isBelowMaintenance) return;
      if (any.holdings[0].isLong) expect(bankruptcyPrice).toBeLessThan(below ?? 0);
      else expect(bankruptcyPrice).toBeGreaterThan(made.prices.above ?? 0);
    }),
    { seed: 5, numRuns: 1000 },
  );
});
