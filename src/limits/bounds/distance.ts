import type { Bound, MarketLimit } from '../types.ts';

/** How far a bound is from deciding: 1 is there, 2 would grant twice the leverage. */
export interface BoundDistance {
  /** Its leverage over that of the bound that binds; null where either does not limit. */
  readonly ratioToBinding: number | null;
  /** Its leverage over the top leverage that is published; null where it does not limit. */
  readonly ratioToPublished: number | null;
}

export function boundDistance(
  { maxLeverage }: Bound,
  { bounds, bindingBound, brackets }: Pick<MarketLimit, 'bounds' | 'bindingBound' | 'brackets'>,
): BoundDistance {
  if (maxLeverage === null) return { ratioToBinding: null, ratioToPublished: null };
  const binding = bounds.find(({ name }) => name === bindingBound)?.maxLeverage ?? null;
  return {
    ratioToBinding: binding === null ? null : maxLeverage / binding,
    ratioToPublished: maxLeverage / brackets[0].maxLeverage,
  };
}
