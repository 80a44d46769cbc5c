import type { AssetClass } from '../bound-policy.ts';
import type { Policy } from '../policy.ts';
import type { Bound } from '../types.ts';
import { capBound } from './bound.ts';

/** The highest leverage of the market's class. */
export function policyCeilingBound(assetClass: AssetClass, policy: Policy): Bound {
  return capBound('policyCeiling', Math.min(assetClass.maximumLeverage, policy.maximumLeverage), {
    assetClass: assetClass.name,
    policy: policy.name,
  });
}
