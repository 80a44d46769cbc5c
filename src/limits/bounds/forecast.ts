import type { BoundPolicy, BoundUse } from '../bound-policy.ts';
import { type ForecastAxes, type TailProfile, tailProfile } from '../curve.ts';
import type { SourceForecast } from '../market-input.ts';
import type { Policy } from '../policy.ts';
import type { Bound } from '../types.ts';
import { marginBound, type Stated, unavailableBound } from './bound.ts';

/** The bounds that are a forecaster's margins. The shock model comes first: it decides inside the corridor. */
export const FORECAST_BOUNDS = ['shockModel', 'historical', 'filtered', 'tail'] as const;
export type ForecastBoundName = (typeof FORECAST_BOUNDS)[number];

export function forecastProfile(
  source: SourceForecast,
  axes: ForecastAxes,
  policy: Policy,
): TailProfile | null {
  if (source.unavailable !== '') return null;
  return tailProfile(source.valueAtRisk, source.expectedShortfall, axes, policy);
}

/** In which margins a forecaster counts; historical simulation and the shock model count in both. */
export function boundUse(name: ForecastBoundName, { filteredUse, tailUse }: BoundPolicy): BoundUse {
  if (name === 'filtered') return filteredUse;
  return name === 'tail' ? tailUse : 'both';
}

export function forecastBound(
  name: ForecastBoundName,
  source: SourceForecast,
  profile: TailProfile | null,
  stated: Stated,
): Bound {
  if (profile === null) return unavailableBound(name, source.unavailable, source.predictor);
  const use = boundUse(name, stated.policy.bounds);
  const evidence = use === 'both' ? null : { countsIn: use };
  return marginBound(name, profile, stated, evidence, source.predictor);
}
