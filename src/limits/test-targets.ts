import fc from 'fast-check';
import {
  closeoutNotional,
  type Liquidity,
  type MarketDepth,
  marginCurve,
  type TailProfile,
} from './curve.ts';
import type { ScheduleTarget } from './cut.ts';
import type { Policy } from './policy.ts';
import { AXES, EXAMPLE_POLICY } from './test-inputs.ts';

/** Numbers spread evenly over orders of magnitude. */
function logUniform(least: number, most: number): fc.Arbitrary<number> {
  return fc
    .double({ min: Math.log(least), max: Math.log(most), noNaN: true })
    .map((exponent) => Math.exp(exponent));
}

/** Tails of any size and of any growth with the horizon, also such that grow fast first and then not at all. */
export const anyProfile: fc.Arbitrary<TailProfile> = fc
  .record({
    hourly: fc.oneof(fc.constant(0), logUniform(1e-4, 3)),
    growth: fc.array(fc.oneof(fc.constant(1), logUniform(1, 4)), { minLength: 3, maxLength: 3 }),
    shortfallRatio: logUniform(0.2, 4),
  })
  .map(({ hourly, growth, shortfallRatio }) => {
    const byHorizon = Float64Array.of(hourly, 0, 0, 0);
    for (let h = 1; h < byHorizon.length; h++) byHorizon[h] = byHorizon[h - 1] * growth[h - 1];
    return {
      valueAtRiskByHorizon: byHorizon,
      marginCallShortfall: byHorizon[1] * shortfallRatio,
      shortfallSide: 0,
    };
  });

/** Order books from empty to bottomless. */
export const anyDepth: fc.Arbitrary<MarketDepth> = fc.record({
  quoteNotional: logUniform(1, 1e13),
  bandRate: logUniform(1e-4, 0.5),
});

export const anyLiquidity: fc.Arbitrary<Liquidity> = fc.record(
  {
    hourlyVolume: logUniform(1, 1e13),
    dailyVolatility: fc.oneof(fc.constant(0), logUniform(1e-3, 5)),
    depth: anyDepth,
  },
  { requiredKeys: ['hourlyVolume', 'dailyVolatility'] },
);

export const anyPolicy: fc.Arbitrary<Policy> = fc
  .record({
    maximumBrackets: fc.integer({ min: 2, max: 12 }),
    maximumLeverage: fc.constantFrom(1, 3, 10, 33, 100, 125),
    minimumCloseoutHorizonHours: fc.constantFrom(0.25, 1, 2),
    maximumCloseoutHorizonHours: fc.constantFrom(4, 24, 72),
    leverageLadder: fc.constantFrom(EXAMPLE_POLICY.leverageLadder, [100, 10, 1], [7, 5, 3, 2, 1], [1]),
  })
  .map((changes) => ({ ...EXAMPLE_POLICY, ...changes }));

export function targetOf(profile: TailProfile, liquidity: Liquidity, policy: Policy): ScheduleTarget {
  return {
    curve: marginCurve(profile, liquidity, AXES, policy),
    maximumLeverage: policy.maximumLeverage,
    largestNotional: closeoutNotional(policy.maximumCloseoutHorizonHours, liquidity, policy),
  };
}

/** Targets of one market over time: like one another, tighter and looser, at some notionals or at all. */
export const anyTarget: fc.Arbitrary<ScheduleTarget> = fc
  .record({ profile: anyProfile, liquidity: anyLiquidity })
  .map(({ profile, liquidity }) => targetOf(profile, liquidity, EXAMPLE_POLICY));
