import { HOUR_MILLISECONDS } from '../../units.ts';
import {
  bookImpact,
  closeoutCost,
  closeoutNotional,
  type Liquidity,
  MAINTENANCE_TO_INITIAL_RATIO,
  type MarketDepth,
} from '../curve.ts';
import type { DepthInput, LiquidityInput } from '../market-input.ts';
import type { Policy } from '../policy.ts';
import type { Bound, EvidenceValue } from '../types.ts';
import { type BoundContext, capBound } from './bound.ts';

/** Without any closeout cost there is no limit from it; the number stays finite. */
const LARGEST_LEVERAGE = 1e6;
const LARGEST_DEPTH = 1e15;
/** Less than one unit of the quote asset is no depth. */
const SMALLEST_DEPTH = 1;

/** Liquidity as it counts in a decision. */
export interface CountedLiquidity {
  /** With the order book only where it counts. */
  readonly liquidity: Liquidity;
  /** What was given of the order book; null where nothing was. */
  readonly given: DepthInput | null;
  /** Why the order book does not count; empty where it does, and where none was ever known. */
  readonly fault: string;
  /** The order book counted before and does not now: leverage must not be bought by losing it. */
  readonly isMissing: boolean;
  /** When the book that counted last was seen, epoch milliseconds; undefined while none has counted. */
  readonly observedAt: number | undefined;
}

/** @param previousObservedAt when the order book that counted last was seen; undefined where none has counted. */
export function countedLiquidity(
  { depth, ...volume }: LiquidityInput,
  { policy, decidedAt }: BoundContext,
  previousObservedAt: number | undefined,
): CountedLiquidity {
  const given = depth ?? null;
  if (policy.bounds.depth.refillHours === 0) {
    const fault = given === null ? '' : 'the policy does not count the order book';
    return { liquidity: volume, given, fault, isMissing: false, observedAt: undefined };
  }
  const fault =
    given === null
      ? previousObservedAt === undefined
        ? ''
        : 'the order book is not known any more'
      : depthFault(given, decidedAt, policy);
  if (given === null || fault !== '') {
    const isMissing = fault !== '';
    return { liquidity: volume, given, fault, isMissing, observedAt: previousObservedAt };
  }
  const { quoteNotional, bandRate, observedAt } = given;
  return {
    liquidity: { ...volume, depth: { quoteNotional, bandRate } },
    given,
    fault,
    isMissing: false,
    observedAt,
  };
}

/** Whether an order book can be so; an empty one can, and none of NaN. */
export function isPossibleDepth({ quoteNotional, bandRate }: MarketDepth): boolean {
  return quoteNotional >= 0 && quoteNotional <= LARGEST_DEPTH && bandRate > 0 && bandRate < 1;
}

/** Liquidity for whoever reckons with it outside of a decision: without an order book that did not count in it. */
export function liquidityThatCounts(
  liquidity: LiquidityInput | null,
  policy: Policy,
  decidedAt: number,
): LiquidityInput | null {
  if (liquidity?.depth === undefined) return liquidity;
  const { depth, ...volume } = liquidity;
  const counts = policy.bounds.depth.refillHours > 0 && depthFault(depth, decidedAt, policy) === '';
  return counts ? liquidity : volume;
}

function depthFault(depth: DepthInput, decidedAt: number, policy: Policy): string {
  const { quoteNotional, observedAt } = depth;
  if (!isPossibleDepth(depth) || !Number.isSafeInteger(observedAt))
    return 'the order book holds an impossible number';
  if (quoteNotional < SMALLEST_DEPTH) return 'the order book is empty';
  if (observedAt > decidedAt) return 'the order book is from the future';
  const { staleAfterHours } = policy.bounds.depth;
  if (decidedAt - observedAt > staleAfterHours * HOUR_MILLISECONDS)
    return `the order book is older than ${staleAfterHours} h`;
  return '';
}

/** The leverage at which the maintenance margin still covers the cost of closing out as often as the policy asks for. */
export function liquidityBound(counted: CountedLiquidity, policy: Policy): Bound {
  const { liquidity } = counted;
  const cost = closeoutCost(policy.referenceNotional, liquidity, policy);
  const coveringLeverage = MAINTENANCE_TO_INITIAL_RATIO / (policy.closeoutCostCover * cost);
  return capBound('liquidity', Math.min(Math.max(coveringLeverage, 1), LARGEST_LEVERAGE), {
    closeoutCostCover: policy.closeoutCostCover,
    closeoutCostRate: cost,
    dailyVolatility: liquidity.dailyVolatility,
    ...depthEvidence(counted, policy),
    hourlyQuoteVolume: liquidity.hourlyVolume,
    largestNotional: closeoutNotional(policy.maximumCloseoutHorizonHours, liquidity, policy),
    referenceNotional: policy.referenceNotional,
  });
}

/** Nothing where the order book was never known. Impacts are those of what is closed out in the least time. */
function depthEvidence(
  { liquidity, given, fault }: CountedLiquidity,
  policy: Policy,
): Readonly<Record<string, EvidenceValue>> {
  if (given === null && fault === '') return {};
  if (given === null || fault !== '') return { depthIgnored: fault };
  const notional = closeoutNotional(policy.minimumCloseoutHorizonHours, liquidity, policy);
  return {
    depthBandRate: given.bandRate,
    depthIgnored: '',
    depthImpactRate: bookImpact(notional, liquidity, policy),
    depthNotional: given.quoteNotional,
    depthObservedAt: given.observedAt,
    depthReferenceNotional: notional,
  };
}
