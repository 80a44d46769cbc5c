import type { AssetClass } from '../bound-policy.ts';
import type { UsableInput } from '../market-input.ts';
import type { Bound } from '../types.ts';
import { capBound } from './bound.ts';

/** A young market is not left to automation: it may tighten, but only people may loosen it. */
export function isYoung({ historyDays }: UsableInput, assetClass: AssetClass): boolean {
  return historyDays < assetClass.youngListingDays;
}

export function listingAgeBound(input: UsableInput, assetClass: AssetClass): Bound {
  const young = isYoung(input, assetClass);
  return capBound('listingAge', young ? assetClass.youngListingMaximumLeverage : null, {
    assetClass: assetClass.name,
    historyDays: input.historyDays,
    mayLoosen: !young,
    youngListingDays: assetClass.youngListingDays,
  });
}
