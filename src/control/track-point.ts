import type { Policy } from '../limits/policy.ts';
import type { MarketLimit } from '../limits/types.ts';
import type { BarClose } from './guard/price-window.ts';

/** What a policy says of the forecast that an initial margin rests on. */
export type TrackPolicy = Pick<Policy, 'marginCallHorizonHours' | 'initialConfidence'>;

/** One decision of one market, as a chart shows it: what was allowed, and the forecast that initial margin rests on. */
export interface TrackPoint {
  readonly symbol: string;
  readonly version: number;
  /** Close of the newest bar that was used, epoch milliseconds. */
  readonly asOf: number;
  /** What that bar closed at; null where no bars were read for the decision. */
  readonly close: number | null;
  /** Of the smallest bracket. */
  readonly maxLeverage: number;
  readonly bindingBound: string;
  /** How long a user has to answer a margin call, and the confidence of the initial margin: of the policy that decided. */
  readonly horizonHours: number;
  readonly confidence: number;
  /** VaR of the adverse excursion over that horizon at that confidence, share of the price; null without a forecast. */
  readonly longValueAtRisk: number | null;
  readonly shortValueAtRisk: number | null;
}

/**
 * The points of a book.
 *
 * @param decided its markets that were decided in it, not those that it carries on.
 * @param closes where their bars ended, where bars were read.
 * @param policy the one that the book was decided by.
 */
export function trackOf(
  version: number,
  decided: readonly MarketLimit[],
  closes: Readonly<Record<string, BarClose>> | undefined,
  policy: TrackPolicy,
): readonly TrackPoint[] {
  return decided.map((market) => {
    const close = closes?.[market.symbol];
    return {
      symbol: market.symbol,
      version,
      asOf: market.asOf,
      // Of another bar it would be put at the wrong time.
      close: close?.asOf === market.asOf ? close.price : null,
      maxLeverage: market.brackets[0].maxLeverage,
      bindingBound: market.bindingBound,
      horizonHours: policy.marginCallHorizonHours,
      confidence: policy.initialConfidence,
      longValueAtRisk: valueAtRiskOf(market, 'long', policy),
      shortValueAtRisk: valueAtRiskOf(market, 'short', policy),
    };
  });
}

function valueAtRiskOf(
  { forecasts }: MarketLimit,
  side: 'long' | 'short',
  { marginCallHorizonHours, initialConfidence }: TrackPolicy,
): number | null {
  for (const cell of forecasts)
    if (
      cell.side === side &&
      cell.horizonHours === marginCallHorizonHours &&
      cell.confidence === initialConfidence
    )
      return cell.valueAtRisk;
  return null;
}
