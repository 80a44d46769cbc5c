import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bracketFor, maintenanceMarginMicros, mostConservativeBrackets, scheduleFaults } from './brackets.ts';
import { bracketsFromCurve, EDGES } from './cut.ts';
import { EXAMPLE_POLICY } from './test-inputs.ts';
import { anyLiquidity, anyPolicy, anyProfile, targetOf } from './test-targets.ts';
import type { Bracket } from './types.ts';

const SEEDED = { seed: 1, numRuns: 2000 };
const anyCase = fc.record({ profile: anyProfile, liquidity: anyLiquidity, policy: anyPolicy });

function cutOf({ profile, liquidity, policy }: typeof anyCase extends fc.Arbitrary<infer T> ? T : never) {
  const target = targetOf(profile, liquidity, policy);
  return { target, policy, brackets: bracketsFromCurve(target, policy) };
}

/** Where nothing is allowed, the fallback stands in for the curve and does not follow it. */
function isFallback(brackets: readonly Bracket[]): boolean {
  return JSON.stringify(brackets) === JSON.stringify(mostConservativeBrackets());
}

describe('brackets from any margin curve', () => {
  it('keep every invariant of a schedule, whatever the curve', () => {
    fc.assert(
      fc.property(anyCase, (drawn) => {
        const { brackets, policy } = cutOf(drawn);
        expect(scheduleFaults(brackets)).toEqual([]);
        expect(brackets.length).toBeLessThanOrEqual(policy.maximumBrackets);
        for (const bracket of brackets) {
          expect(policy.leverageLadder).toContain(bracket.maxLeverage);
          expect(EDGES).toContain(bracket.notionalCap);
        }
      }),
      SEEDED,
    );
  });

  it('grant no leverage that the curve or the ceiling does not allow, at any notional', () => {
    fc.assert(
      fc.property(anyCase, fc.double({ min: 1e-9, max: 1, noNaN: true }), (drawn, share) => {
        const { target, brackets } = cutOf(drawn);
        if (isFallback(brackets)) return;
        const notional = share * brackets[brackets.length - 1].notionalCap;
        const leverage = bracketFor(brackets, notional)?.maxLeverage ?? 0;
        expect(leverage * target.curve.initial(notional)).toBeLessThanOrEqual(1);
        if (leverage > 1) expect(leverage).toBeLessThanOrEqual(target.maximumLeverage);
      }),
      SEEDED,
    );
  });

  it('ask for at least the maintenance margin of the curve: at random notionals, at edges and around kinks', () => {
    fc.assert(
      fc.property(anyCase, fc.array(fc.double({ min: 1e-9, max: 1, noNaN: true })), (drawn, shares) => {
        const { target, brackets } = cutOf(drawn);
        if (isFallback(brackets)) return;
        const cap = brackets[brackets.length - 1].notionalCap;
        const notionals = [
          ...shares.map((share) => share * cap),
          ...EDGES,
          ...target.curve.kinks.flatMap((kink) => [kink * (1 - 1e-6), kink, kink * (1 + 1e-6)]),
        ].filter((notional) => notional > 0 && notional <= cap);
        for (const notional of notionals) {
          const bracket = bracketFor(brackets, notional) as Bracket;
          const asked = maintenanceMarginMicros(bracket, notional) / 1e6;
          // The tolerance is that of the float64 arithmetic of this test, and of a millionth of a ppm in rounding up.
          expect(asked).toBeGreaterThanOrEqual(
            notional * (target.curve.maintenance(notional) * (1 - 1e-12) - 2e-12),
          );
        }
      }),
      SEEDED,
    );
  });

  it('refuse positions that would take longer to close out than the policy allows', () => {
    fc.assert(
      fc.property(anyCase, (drawn) => {
        const { target, brackets } = cutOf(drawn);
        const cap = brackets[brackets.length - 1].notionalCap;
        expect(cap).toBeLessThanOrEqual(Math.max(target.largestNotional, EDGES[0]));
        expect(bracketFor(brackets, cap + 1)).toBeNull();
      }),
      SEEDED,
    );
  });

  it('give up little where the ladder has more rungs than there may be brackets', () => {
    const profile = {
      valueAtRiskByHorizon: Float64Array.of(0.005, 0.01, 0.014, 0.025),
      marginCallShortfall: 0.012,
      shortfallSide: 0,
    };
    const liquidity = { hourlyVolume: 100e6, dailyVolatility: 0.02 };
    const policy = { ...EXAMPLE_POLICY, maximumBrackets: 5 };
    const few = bracketsFromCurve(targetOf(profile, liquidity, policy), policy);
    const many = bracketsFromCurve(targetOf(profile, liquidity, EXAMPLE_POLICY), EXAMPLE_POLICY);
    expect(few).toHaveLength(5);
    expect(many.length).toBeGreaterThan(5);
    // Both end at the same notional, and the few still start within one rung of the many.
    expect(few[4].notionalCap).toBe(many[many.length - 1].notionalCap);
    expect(few[0].maxLeverage).toBeGreaterThanOrEqual(many[1].maxLeverage);
  });

  it('fall back to one bracket of leverage 1 where margins are at or above the whole notional', () => {
    const profile = {
      valueAtRiskByHorizon: Float64Array.of(1, 1.5, 2, 3),
      marginCallShortfall: 2,
      shortfallSide: 1,
    };
    const target = targetOf(profile, { hourlyVolume: 1e6, dailyVolatility: 3 }, EXAMPLE_POLICY);
    expect(bracketsFromCurve(target, EXAMPLE_POLICY)).toEqual(mostConservativeBrackets());
  });
});
