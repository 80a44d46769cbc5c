import { type ForecastAxes, type TailProfile, tailProfile } from '../curve.ts';
import type { UsableInput } from '../market-input.ts';
import type { Policy } from '../policy.ts';
import type { Bound } from '../types.ts';
import { marginBound, RULE_VERSION, type Stated, unavailableBound } from './bound.ts';

/** The worst excursions known as a profile: the same at every confidence. */
export function stressProfile(
  { stress }: UsableInput,
  axes: ForecastAxes,
  policy: Policy,
): TailProfile | null {
  if (stress === null) return null;
  return tailProfile(stress.excursion, stress.excursion, axes, policy, policy.stressMultiplier);
}

export function stressBound({ stress }: UsableInput, profile: TailProfile | null, stated: Stated): Bound {
  if (stress === null || profile === null)
    return unavailableBound('stress', 'no stress excursions are known');
  const evidence = {
    role: 'floor of the corridor: the shock model cannot push leverage below it',
    source: stress.source,
  };
  return marginBound('stress', profile, stated, evidence, RULE_VERSION);
}
