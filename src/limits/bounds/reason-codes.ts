import type { BoundName, ReasonCode } from '../types.ts';

/** What readers are told when a bound binds. */
export const BINDING_REASON: Readonly<Record<BoundName, ReasonCode>> = {
  shockModel: 'SHOCK_MODEL_BINDS',
  historical: 'HISTORICAL_BINDS',
  filtered: 'FILTERED_BINDS',
  tail: 'TAIL_BINDS',
  stress: 'STRESS_FLOOR_HOLDS',
  antiProcyclical: 'ANTI_PROCYCLICAL_BINDS',
  crowding: 'CROWDING_BINDS',
  marketWide: 'MARKET_WIDE_BINDS',
  intrabar: 'INTRABAR_BINDS',
  liquidity: 'LIQUIDITY_BINDS',
  dataQuality: 'DATA_QUALITY_BINDS',
  policyCeiling: 'POLICY_CEILING_BINDS',
  listingAge: 'LISTING_AGE_BINDS',
  override: 'OVERRIDE_BINDS',
  governor: 'GOVERNOR_HOLDS',
};
