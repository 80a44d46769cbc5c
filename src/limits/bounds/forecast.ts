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

export function forecastBound(
  name: ForecastBoundName,
  source: SourceForecast,
  profile: TailProfile | null,
  stated: Stated,
): Bound {
  if (profile === null) return unavailableBound(name, source.unavailable, source.predictor);
  const use = stated.policy.bounds.tailUse;
  const evidence = name === 'tail' && use !== 'both' ? { countsIn: use } : {};
  return marginBound(name, profile, stated, evidence, source.predictor);
}
