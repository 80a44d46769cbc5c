import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { grantsMore, largestNotionalOf, maintenanceMarginMicros, scheduleFaults } from './brackets.ts';
import { bracketsFromCurve } from './cut.ts';
import { DEFAULT_POLICY } from './policy.ts';
import { scaledBrackets } from './scale.ts';
import { anyLiquidity, anyPolicy, anyProfile, targetOf } from './test-targets.ts';
import type { Bracket } from './types.ts';

/** Binance's documented answer for a coefficient of 1.5 scales caps, floors and cum: the rates are those of everyone. */
const ETH = [
  [10_000, 75, 6500],
  [1_000_000, 50, 10_000],
  [2_000_000, 25, 20_000],
  [10_000_000, 1, 125_000],
].reduce<Bracket[]>((brackets, [cap, leverage, rate]) => {
  const before = brackets.at(-1);
  const floor = before?.notionalCap ?? 0;
  const rise = rate - (before?.maintenanceMarginRatePpm ?? 0);
  brackets.push({
    bracket: brackets.length + 1,
    notionalFloor: floor,
    notionalCap: cap,
    maxLeverage: leverage,
    initialMarginRatePpm: Math.ceil(1e6 / leverage),
    maintenanceMarginRatePpm: rate,
    maintenanceAmountMicros: (before?.maintenanceAmountMicros ?? 0) + floor * rise,
  });
  return brackets;
}, []);

const UP_TO_4 = { maximumNotionalCoef: 4, notionalCoefRaisesLastCap: false };
const RAISING = { maximumNotionalCoef: 100, notionalCoefRaisesLastCap: true };
const anySchedule = fc
  .record({ profile: anyProfile, liquidity: anyLiquidity, policy: anyPolicy })
  .map(({ profile, liquidity, policy }) => bracketsFromCurve(targetOf(profile, liquidity, policy), policy));
const anyCoef = (most: number): fc.Arbitrary<number> =>
  fc.oneof(
    fc.integer({ min: 1, max: most }),
    fc.double({ min: 0, max: Math.log(most), noNaN: true }).map((exponent) => Math.floor(Math.exp(exponent))),
  );
const SEEDED = { seed: 81, numRuns: 1000 };

describe('a schedule that is scaled for a user', () => {
  it('has caps, floors and amounts times the coefficient, and rates and leverages as they were', () => {
    const scaled = scaledBrackets(ETH, 1_500_000, RAISING);
    expect(scaled.map(({ notionalCap }) => notionalCap)).toEqual([15_000, 1_500_000, 3_000_000, 15_000_000]);
    for (const [i, bracket] of scaled.entries()) {
      const { notionalFloor, notionalCap, maintenanceAmountMicros, ...same } = ETH[i];
      expect(bracket).toMatchObject(same);
      expect(bracket.notionalFloor).toBe(notionalFloor * 1.5);
      expect(bracket.maintenanceAmountMicros).toBe(maintenanceAmountMicros * 1.5);
    }
  });

  it('keeps the largest position and where its last bracket begins, unless the policy says so', () => {
    const scaled = scaledBrackets(ETH, 4_000_000, UP_TO_4);
    expect(scaled.map(({ notionalCap, maxLeverage }) => [notionalCap, maxLeverage])).toEqual([
      [40_000, 75],
      [2_000_000, 50],
      [10_000_000, 1],
    ]);
  });

  it('is never scaled beyond the maximum of the policy, and at 1 stays the same array', () => {
    expect(scaledBrackets(ETH, 4_000_000, DEFAULT_POLICY)).toBe(ETH);
    expect(scaledBrackets(ETH, 1_000_000, UP_TO_4)).toBe(ETH);
    expect(scaledBrackets(ETH, 9_000_000, UP_TO_4)).toEqual(scaledBrackets(ETH, 4_000_000, UP_TO_4));
  });

  it('keeps every invariant of a schedule, whatever the coefficient and whatever rounding leaves', () => {
    fc.assert(
      fc.property(anySchedule, anyCoef(100_000_000), fc.boolean(), (brackets, coef, raises) => {
        const scaled = scaledBrackets(brackets, coef, { ...RAISING, notionalCoefRaisesLastCap: raises });
        expect(scheduleFaults(scaled)).toEqual([]);
        if (!raises) expect(largestNotionalOf(scaled)).toBeLessThanOrEqual(largestNotionalOf(brackets));
      }),
      SEEDED,
    );
  });

  it('grants at no notional more than the market does at a coefficient of at most 1, and less than at a larger one', () => {
    fc.assert(
      fc.property(anySchedule, anyCoef(1_000_000), anyCoef(1_000_000), (brackets, a, b) => {
        // One unit is the least position there is; only there may rounding have left more than the market's share.
        fc.pre(Math.min(a, b) * largestNotionalOf(brackets) >= 2e6);
        const [smaller, larger] = [Math.min(a, b), Math.max(a, b)].map((coef) =>
          scaledBrackets(brackets, coef, UP_TO_4),
        );
        expect(grantsMore(larger, brackets)).toBe(false);
        expect(grantsMore(smaller, larger)).toBe(false);
      }),
      SEEDED,
    );
  });

  it('asks for the margin of the market at the notional over the coefficient, and for no less', () => {
    fc.assert(
      fc.property(
        anySchedule,
        anyCoef(100_000_000),
        fc.integer({ min: 1, max: 100 }),
        (brackets, coef, hundredths) => {
          const scaled = scaledBrackets(brackets, coef, RAISING);
          const factor = Math.min(coef / 1e6, 100, 8e9 / largestNotionalOf(brackets));
          const notional = (largestNotionalOf(scaled) * hundredths) / 100;
          const bracketAt = (of: readonly Bracket[], n: number) =>
            of.find(({ notionalCap }) => n <= notionalCap);
          const own = bracketAt(scaled, notional) as Bracket;
          const market = bracketAt(brackets, notional / factor);
          if (market === undefined) return;
          const asked = factor * maintenanceMarginMicros(market, notional / factor);
          expect(maintenanceMarginMicros(own, notional)).toBeGreaterThanOrEqual(asked * (1 - 1e-9) - 1);
        },
      ),
      SEEDED,
    );
  });
});
