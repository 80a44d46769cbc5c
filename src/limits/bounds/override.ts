import { type Override, overrideOf } from '../governance.ts';
import type { Bound } from '../types.ts';
import { type BoundContext, capBound, unavailableBound } from './bound.ts';

export interface OverrideBound {
  readonly bound: Bound;
  /** The one in force, null where there is none. */
  readonly override: Override | null;
  /** An override is in force whose leverage cannot be: nothing loosens until people have mended it. */
  readonly isBroken: boolean;
}

/** What people have set for the market. */
export function overrideBound(symbol: string, { governance, decidedAt }: BoundContext): OverrideBound {
  const override = overrideOf(governance, symbol, decidedAt);
  if (override === null) return { bound: capBound('override', null, {}), override, isBroken: false };
  const { id, maxLeverage, mayLoosen, reason, requestedBy, approvedBy, expiresAt } = override;
  if (!(maxLeverage >= 1 && Number.isFinite(maxLeverage))) {
    const bound = unavailableBound('override', `override ${id} holds an impossible leverage`);
    return { bound, override: null, isBroken: true };
  }
  const evidence = { approvedBy, expiresAt, id, reason, requestedBy, takesThePlaceOfTheBounds: mayLoosen };
  return { bound: capBound('override', maxLeverage, evidence), override, isBroken: false };
}
