import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  bookImpact,
  closeoutCost,
  closeoutHours,
  corridor,
  excursionAt,
  highestProfile,
  type Liquidity,
  MAINTENANCE_TO_INITIAL_RATIO,
  marginCurve,
  type TailProfile,
  tailProfile,
} from './curve.ts';
import { AXES, EXAMPLE_POLICY, forecast } from './test-inputs.ts';
import { anyDepth, anyLiquidity, anyProfile } from './test-targets.ts';

const POLICY = EXAMPLE_POLICY;
const SEEDED = { seed: 1, numRuns: 1000 };
const anyNotional = fc.double({ min: 1, max: 1e10, noNaN: true });

function curveOf(profile: TailProfile, liquidity: Liquidity) {
  return marginCurve(profile, liquidity, AXES, POLICY);
}

describe('closeout', () => {
  const liquidity = { hourlyVolume: 10e6, dailyVolatility: 0.04 };

  it('takes as long as the participation in the volume allows, and no less than the minimum', () => {
    // 5 % of 10 million is 500,000 an hour.
    expect(closeoutHours(2e6, liquidity, POLICY)).toBeCloseTo(4, 12);
    expect(closeoutHours(1e5, liquidity, POLICY)).toBe(1);
  });

  it('costs half spread, fee and two thirds of the square-root impact', () => {
    // 0.0002 + 0.0005 + 2/3 · 0.8 · 0.04 · √(2.4e6 / 2.4e8) = 0.0007 + 0.002133…
    expect(closeoutCost(2.4e6, liquidity, POLICY)).toBeCloseTo(0.0007 + 0.0064 / 3, 12);
  });

  it('costs at least what walking the order book does, a slice of a quarter of an hour at a time', () => {
    const thin = { ...liquidity, depth: { quoteNotional: 20_000, bandRate: 0.01 } };
    // 400,000 in one hour is 100,000 a slice: 0.01 · 100,000 / (2 · 20,000) = 0.025.
    expect(bookImpact(400_000, thin, POLICY)).toBeCloseTo(0.025, 12);
    expect(closeoutCost(400_000, thin, POLICY)).toBeCloseTo(0.0007 + 0.025, 12);
    // What takes longer than an hour is sold at the pace of 500,000 an hour.
    expect(bookImpact(5e6, thin, POLICY)).toBeCloseTo((0.01 * 125_000) / 40_000, 12);
  });

  it('is raised by an order book or left as it is, and more by a thinner one', () => {
    fc.assert(
      fc.property(
        anyLiquidity,
        anyDepth,
        fc.double({ min: 1, max: 10, noNaN: true }),
        anyNotional,
        (drawn, depth, times, n) => {
          const { depth: _, ...volume } = drawn;
          const cost = closeoutCost(n, { ...volume, depth }, POLICY);
          expect(cost).toBeGreaterThanOrEqual(closeoutCost(n, volume, POLICY));
          const thinner = { ...depth, quoteNotional: depth.quoteNotional / times };
          expect(closeoutCost(n, { ...volume, depth: thinner }, POLICY)).toBeGreaterThanOrEqual(cost);
        },
      ),
      SEEDED,
    );
  });
});

describe('the margin curve', () => {
  it('rises with the notional, keeps MMR at or below 0.75 IMR, and has a convex margin between its kinks', () => {
    fc.assert(
      fc.property(anyProfile, anyLiquidity, anyNotional, anyNotional, (profile, liquidity, a, b) => {
        const curve = curveOf(profile, liquidity);
        const [small, large] = [Math.min(a, b), Math.max(a, b)];
        expect(curve.maintenance(small)).toBeLessThanOrEqual(curve.maintenance(large) * (1 + 1e-12));
        expect(curve.initial(small)).toBeLessThanOrEqual(curve.initial(large) * (1 + 1e-12));
        const limit = MAINTENANCE_TO_INITIAL_RATIO * curve.initial(a) * (1 + 1e-12);
        expect(curve.maintenance(a)).toBeLessThanOrEqual(limit);
        if (curve.kinks.some((kink) => kink > small && kink < large)) return;
        const margin = (n: number): number => n * curve.maintenance(n);
        const chord = (margin(small) + margin(large)) / 2;
        expect(margin((small + large) / 2)).toBeLessThanOrEqual(chord * (1 + 1e-12));
      }),
      SEEDED,
    );
  });

  it('takes excursions linearly in √h between horizons and with √h beyond the last', () => {
    const byHorizon = Float64Array.of(0.01, 0.03, 0.04, 0.06);
    expect(excursionAt(0.5, byHorizon, AXES.horizonsHours)).toBe(0.01);
    expect(excursionAt(2.25, byHorizon, AXES.horizonsHours)).toBeCloseTo(0.02, 12);
    expect(excursionAt(24, byHorizon, AXES.horizonsHours)).toBe(0.06);
    expect(excursionAt(96, byHorizon, AXES.horizonsHours)).toBeCloseTo(0.12, 12);
  });
});

describe('a tail profile', () => {
  it('takes the worse side at the confidences of the policy', () => {
    const source = forecast('f', 0.02, 1.5);
    const profile = tailProfile(source.valueAtRisk, source.expectedShortfall, AXES, POLICY);
    // Shorts are 1.5 times as bad: 99.5 % over one hour 0.03; 99 % ES over four 0.02 · 0.8 · 2 · 1.22 · 1.5.
    expect(profile.valueAtRiskByHorizon[0]).toBeCloseTo(0.03, 12);
    expect(profile.marginCallShortfall).toBeCloseTo(0.02 * 0.8 * 2 * 1.22 * 1.5, 12);
    expect(profile.shortfallSide).toBe(1);
  });

  it('never falls with the horizon, whatever the forecaster says', () => {
    const source = forecast('f', 0.02);
    source.valueAtRisk.fill(0, AXES.confidences.length);
    const profile = tailProfile(source.valueAtRisk, source.expectedShortfall, AXES, POLICY);
    expect([...profile.valueAtRiskByHorizon]).toEqual([0.02, 0.02, 0.02, 0.02]);
  });
});

describe('the corridor', () => {
  it('holds both margins of the model inside classical and stress, at every notional', () => {
    fc.assert(
      fc.property(
        fc.tuple(anyProfile, anyProfile, anyProfile, anyProfile),
        fc.double({ min: 1, max: 10, noNaN: true }),
        anyLiquidity,
        anyNotional,
        ([historical, filtered, stress, model], ratio, liquidity, notional) => {
          const classical = highestProfile([historical, filtered]);
          const held = curveOf(corridor(classical, stress, model, ratio), liquidity);
          for (const rate of ['maintenance', 'initial'] as const) {
            const least = Math.max(
              curveOf(historical, liquidity)[rate](notional),
              curveOf(filtered, liquidity)[rate](notional),
            );
            expect(held[rate](notional)).toBeGreaterThanOrEqual(least * (1 - 1e-12));
            const most = curveOf(highestProfile([classical, stress]), liquidity)[rate](notional);
            expect(held[rate](notional)).toBeLessThanOrEqual(most * (1 + 1e-12));
            const wanted = curveOf(highestProfile([classical, model]), liquidity)[rate](notional);
            expect(held[rate](notional)).toBeLessThanOrEqual(wanted * (1 + 1e-12));
          }
        },
      ),
      SEEDED,
    );
  });

  it('is the model itself where it is inside, and the classical profile without a model', () => {
    const of = (hourly: number): TailProfile => {
      const source = forecast('f', hourly);
      return tailProfile(source.valueAtRisk, source.expectedShortfall, AXES, POLICY);
    };
    expect(corridor(of(0.02), of(0.1), of(0.03), 2)).toEqual(of(0.03));
    expect(corridor(of(0.02), of(0.1), null, 2)).toEqual(of(0.02));
    // Beyond the stress excursions already, the classical profile stands.
    expect(corridor(of(0.2), of(0.1), of(0.3), 2)).toEqual(of(0.2));
  });

  it('believes a model up to so many times the classical profile', () => {
    const of = (hourly: number): TailProfile => {
      const source = forecast('f', hourly);
      return tailProfile(source.valueAtRisk, source.expectedShortfall, AXES, POLICY);
    };
    // 30 % in an hour where the classical forecasters say 2 %: an extrapolation, held at twice theirs.
    expect(corridor(of(0.02), of(0.4), of(0.3), 2)).toEqual(of(0.04));
    expect(corridor(of(0.02), of(0.03), of(0.3), 2)).toEqual(of(0.03));
  });
});
