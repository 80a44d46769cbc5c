import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DEFAULT_POLICY } from '../../limits/policy.ts';
import { marginUnits } from './account.ts';
import { quantityOf } from './contract.ts';
import { type MeasuredUnit, measureUnit } from './measure.ts';
import { type ReductionPlan, reductionPlan } from './reduction.ts';
import { maintenanceMargin } from './table.ts';
import { account, anyHolding, flat, heldOf, market, markets, position, table } from './test-accounts.ts';

const FREE = { ...DEFAULT_POLICY, halfSpreadRate: 0, takerFeeRate: 0 };
const TARGET = DEFAULT_POLICY.accounts.reductionTargetRatio;

function measured(list: ReturnType<typeof heldOf>['list'], held: ReturnType<typeof account>): MeasuredUnit {
  const [unit] = marginUnits(held, markets(...list));
  return measureUnit(unit, DEFAULT_POLICY.accounts) as MeasuredUnit;
}

/** Maintenance margin over equity once parts are closed at a cost. */
function ratioAfter(unit: MeasuredUnit, parts: readonly number[], cost: number): number {
  const maintenance = unit.legs.reduce((sum, leg, i) => {
    return sum + maintenanceMargin(leg.market.maintenance, leg.notional - parts[i]) * leg.perQuote;
  }, 0);
  return maintenance / (unit.equity - cost);
}

function partsOf(unit: MeasuredUnit, { items }: ReductionPlan): number[] {
  return unit.legs.map(
    ({ market: { symbol }, position: { quantity } }) =>
      items.find((item) => item.symbol === symbol && (item.side === 'long') === quantity > 0)
        ?.reduceNotional ?? 0,
  );
}

const anyUnit = fc
  .record({
    holdings: fc.array(anyHolding, { minLength: 1, maxLength: 3 }),
    ratio: fc.double({ min: 0.5, max: 3, noNaN: true }),
    kind: fc.constantFrom('linear' as const, 'inverse' as const),
  })
  .map(({ holdings, ratio, kind }) => {
    const { list, positions } = heldOf(holdings, kind);
    const empty = measured(list, account(0, positions));
    return measured(list, account(empty.maintenance / ratio - empty.equity, positions));
  });

describe('a reduction plan', () => {
  test('brings the ratio to the target once its cost is paid, and says what it will be', () => {
    let some = 0;
    fc.assert(
      fc.property(anyUnit, (unit) => {
        const plan = reductionPlan(unit, DEFAULT_POLICY);
        if (unit.ratio <= TARGET) {
          expect(plan).toMatchObject({ items: [], isEnough: true });
          return;
        }
        if (!plan.isEnough) {
          expect(partsOf(unit, plan)).toEqual(unit.legs.map(({ notional }) => notional));
          expect(plan.cost).toBeGreaterThanOrEqual(unit.equity * (1 - 1e-9));
          return;
        }
        some++;
        const after = ratioAfter(unit, partsOf(unit, plan), plan.cost);
        expect(after).toBeLessThanOrEqual(TARGET * (1 + 1e-9));
        expect(plan.ratioAfter).toBeCloseTo(after, 9);
      }),
      { seed: 1, numRuns: 1000 },
    );
    expect(some).toBeGreaterThan(500);
  });

  test('closes no more than the least of a search over everything that could be closed', () => {
    const steps = 12;
    fc.assert(
      fc.property(anyUnit, (unit) => {
        const plan = reductionPlan(unit, FREE);
        if (!plan.isEnough || unit.legs.length > 4) return;
        const search = (parts: readonly number[]): void => {
          if (parts.length < unit.legs.length) {
            const { notional } = unit.legs[parts.length];
            for (let i = 0; i <= steps; i++) search([...parts, (notional * i) / steps]);
            return;
          }
          const total = parts.reduce((sum, part) => sum + part, 0);
          if (total < plan.notional * (1 - 1e-9) - 1e-6)
            expect(ratioAfter(unit, parts, 0)).toBeGreaterThan(TARGET * (1 - 1e-9));
        };
        search([]);
      }),
      { seed: 2, numRuns: 60 },
    );
  });

  test('never makes the net position of a market larger, nor turns it round', () => {
    fc.assert(
      fc.property(anyUnit, (unit) => {
        const plan = reductionPlan(unit, DEFAULT_POLICY);
        const parts = partsOf(unit, plan);
        for (const symbol of new Set(unit.legs.map((leg) => leg.market.symbol))) {
          const net = (left: (leg: number) => number): number =>
            unit.legs.reduce((sum, leg, i) => {
              return leg.market.symbol === symbol ? sum + Math.sign(leg.position.quantity) * left(i) : sum;
            }, 0);
          const [before, after] = [
            net((i) => unit.legs[i].notional),
            net((i) => unit.legs[i].notional - parts[i]),
          ];
          const slack = 1e-9 * unit.legs.reduce((sum, leg) => sum + leg.notional, 0);
          expect(Math.abs(after)).toBeLessThanOrEqual(Math.abs(before) + slack);
          expect(after * Math.sign(before)).toBeGreaterThanOrEqual(-slack);
        }
      }),
      { seed: 3, numRuns: 500 },
    );
  });

  test('by hand: the part in the dear bracket first, and both sides of a hedge together', () => {
    const rows = table([1000, 0.1, 0], [1e9, 0.2, 100]);
    const list = [market('AUSD', 1, rows), market('BUSD', 1, flat(0.15))];
    const positions = [position('AUSD', 1500, 1), position('AUSD', -500, 1), position('BUSD', 1000, 1)];
    // Margins 200 + 50 + 150 = 400; a target of 0.7 of an equity of 300 leaves 210, so 190 have to go: 500 of A at 20 %
    // make 100, and 600 of B at 15 % the other 90.
    expect(reductionPlan(measured(list, account(300, positions)), FREE)).toMatchObject({
      items: [
        { symbol: 'AUSD', side: 'long', reduceNotional: 500, reason: 'FREES_MOST_MARGIN' },
        { symbol: 'BUSD', side: 'long', reduceNotional: 600, reduceQuantity: 600 },
      ],
      isEnough: true,
    });
    // With 70 of equity 49 may stay: B closes, and what A holds beyond its hedge, and of 500 and 500 at 10 % half and more.
    const plan = reductionPlan(measured(list, account(70, positions)), FREE);
    expect(plan.items.map(({ symbol, side, reason }) => [symbol, side, reason])).toEqual([
      ['AUSD', 'long', 'FREES_MOST_MARGIN_WITH_HEDGE'],
      ['AUSD', 'short', 'FREES_MOST_MARGIN_WITH_HEDGE'],
      ['BUSD', 'long', 'FREES_MOST_MARGIN'],
    ]);
    expect(plan.items.map(({ reduceNotional }) => Math.round(reduceNotional * 1e6) / 1e6)).toEqual([
      1255, 255, 1000,
    ]);
  });

  test('closes first what is cheaper to close where margins are alike, and what most of the unit is exposed to', () => {
    const liquidity = (hourlyVolume: number) => ({ hourlyVolume, dailyVolatility: 0.05 });
    const both = (a: number | null, b: number | null, sizes = [1000, 1000], beta: number | null = null) => {
      const list = [
        market('AUSD', 1, flat(0.1), { liquidity: a === null ? null : liquidity(a), beta }),
        market('BUSD', 1, flat(0.1), { liquidity: b === null ? null : liquidity(b) }),
      ];
      const held = account(230, [position('AUSD', sizes[0], 1), position('BUSD', sizes[1], 1)]);
      return reductionPlan(measured(list, held), DEFAULT_POLICY).items.map(({ symbol }) => symbol);
    };
    expect(both(1e5, 1e8)).toEqual(['BUSD']);
    expect(both(1e8, 1e5)).toEqual(['AUSD']);
    expect(both(null, 1e5)).toEqual(['AUSD']);
    expect(both(null, null)).toEqual(['AUSD']);
    expect(both(null, null, [-1000, 1200])).toEqual(['BUSD']);
    expect(both(null, null, [-1000, 1200], 2)).toEqual(['AUSD']);
  });

  test('of a large position comes in slices with time between them, which add up', () => {
    const list = [market('AUSD', 2, flat(0.1))];
    const unit = measured(list, account(30_000, [position('AUSD', 250_000, 2)]));
    // Margin 50,000; 21,000 may stay, so 290,000 of 500,000 go, a fifth of the position at a time.
    const [item] = reductionPlan(unit, FREE).items;
    expect(item.reduceNotional).toBeCloseTo(290_000, 6);
    expect(item.reduceQuantity).toBeCloseTo(145_000, 6);
    expect(item.slices.map(({ notional, afterSeconds }) => [Math.round(notional), afterSeconds])).toEqual([
      [100_000, 0],
      [100_000, 30],
      [90_000, 60],
    ]);
    const small = measured(list, account(300, [position('AUSD', 2500, 2)]));
    expect(reductionPlan(small, FREE).items[0].slices).toHaveLength(1);
  });

  test('says so where even closing everything is not enough', () => {
    const list = [market('AUSD', 1, flat(0.1)), market('BUSD', 1, flat(0.1))];
    const unit = measured(list, account(-5, [position('AUSD', 100, 1), position('BUSD', -50, 1)]));
    const plan = reductionPlan(unit, DEFAULT_POLICY);
    expect(plan).toMatchObject({ isEnough: false, notional: 150 });
    expect(plan.items.map(({ reason, reduceQuantity }) => [reason, reduceQuantity])).toEqual([
      ['CLOSE_ALL', 100],
      ['CLOSE_ALL', 50],
    ]);
  });
});

test('quantities of a plan are what its notionals are in contracts', () => {
  fc.assert(
    fc.property(anyUnit, (unit) => {
      for (const { symbol, reduceNotional, reduceQuantity } of reductionPlan(unit, DEFAULT_POLICY).items) {
        const leg = unit.legs.find(({ market: of }) => of.symbol === symbol);
        if (leg === undefined) throw new Error('no such leg');
        const expected = quantityOf(leg.market.contract, reduceNotional, leg.mark);
        expect(Math.abs(reduceQuantity - expected)).toBeLessThanOrEqual(1e-9 * expected);
      }
    }),
    { seed: 4, numRuns: 300 },
  );
});
