import type { LiquidityInput } from '../../limits/market-input.ts';
import type { Policy } from '../../limits/policy.ts';
import type { CascadeRules } from './cascade.ts';
import type { ImpactColumns } from './price-impact.ts';

/** A cascade that is not over after so many rounds goes on by crumbs. */
const MAXIMUM_ROUNDS = 100;

/** Closeouts as the policy reckons with them everywhere else. */
export function cascadeRulesOf(policy: Policy): CascadeRules {
  return {
    impactCoefficient: policy.impactCoefficient,
    participationRatio: policy.participationRatio,
    minimumCloseoutHours: policy.minimumCloseoutHorizonHours,
    refillHours: policy.bounds.depth.refillHours,
    liquidationRatio: policy.accounts.liquidationRatio,
    closeoutCostRate: policy.halfSpreadRate + policy.takerFeeRate,
    maximumRounds: MAXIMUM_ROUNDS,
  };
}

/** What forced sales meet, from the liquidity that a decision rests on. @param liquidity by row; null where none is known. */
export function impactColumnsOf(liquidity: readonly (LiquidityInput | null)[]): ImpactColumns {
  const column = (of: (one: LiquidityInput) => number, unknown: number): Float64Array =>
    Float64Array.from(liquidity, (one) => (one === null ? unknown : of(one)));
  return {
    hourlyVolume: column(({ hourlyVolume }) => hourlyVolume, 0),
    dailyVolatility: column(({ dailyVolatility }) => dailyVolatility, 0),
    depthNotional: column(({ depth }) => depth?.quoteNotional ?? Number.NaN, Number.NaN),
    depthBandRate: column(({ depth }) => depth?.bandRate ?? Number.NaN, Number.NaN),
  };
}
