import { closeoutCost, closeoutNotional, type Liquidity, MAINTENANCE_TO_INITIAL_RATIO } from '../curve.ts';
import type { Policy } from '../policy.ts';
import type { Bound } from '../types.ts';
import { capBound } from './bound.ts';

/** Without any closeout cost there is no limit from it; the number stays finite. */
const LARGEST_LEVERAGE = 1e6;

/** The leverage at which the maintenance margin still covers the cost of closing out as often as the policy asks for. */
export function liquidityBound(liquidity: Liquidity, policy: Policy): Bound {
  const cost = closeoutCost(policy.referenceNotional, liquidity, policy);
  const coveringLeverage = MAINTENANCE_TO_INITIAL_RATIO / (policy.closeoutCostCover * cost);
  return capBound('liquidity', Math.min(Math.max(coveringLeverage, 1), LARGEST_LEVERAGE), {
    referenceNotional: policy.referenceNotional,
    closeoutCostRate: cost,
    closeoutCostCover: policy.closeoutCostCover,
    hourlyQuoteVolume: liquidity.hourlyVolume,
    dailyVolatility: liquidity.dailyVolatility,
    largestNotional: closeoutNotional(policy.maximumCloseoutHorizonHours, liquidity, policy),
  });
}
