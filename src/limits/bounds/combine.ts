import type { BoundPolicy, BoundUse } from '../bound-policy.ts';
import {
  closeoutCost,
  closeoutHours,
  closeoutNotional,
  corridor,
  highestProfile,
  type MarginCurve,
  marginCurve,
  type TailProfile,
} from '../curve.ts';
import type { ScheduleTarget } from '../cut.ts';
import type { UsableInput } from '../market-input.ts';
import type { Bound, BoundName, BoundState, ReasonCode } from '../types.ts';
import { antiProcyclicalBound, antiProcyclicalFloor } from './anti-procyclical.ts';
import { assetClassOf } from './asset-class.ts';
import { type BoundContext, leverageOf, type Raise, type Stated } from './bound.ts';
import { crowdingBound } from './crowding.ts';
import { dataQualityBound } from './data-quality.ts';
import {
  boundUse,
  FORECAST_BOUNDS,
  type ForecastBoundName,
  forecastBound,
  forecastProfile,
} from './forecast.ts';
import { intrabarBound } from './intrabar.ts';
import { countedLiquidity, liquidityBound } from './liquidity.ts';
import { isYoung, listingAgeBound } from './listing-age.ts';
import { marketWideBound } from './market-wide.ts';
import { type OverrideBound, overrideBound } from './override.ts';
import { policyCeilingBound } from './policy-ceiling.ts';
import { stressBound, stressProfile } from './stress.ts';

/** All bounds of a market and what they leave together. */
export interface BoundedMarket {
  readonly bounds: readonly Bound[];
  readonly target: ScheduleTarget;
  readonly binding: BoundName;
  /** What the next decision has to know of this one. */
  readonly state: BoundState;
  /** Why the market must not loosen now; empty where it may. */
  readonly doubts: readonly ReasonCode[];
}

/** What a market's bounds remember before its first decision. */
export const NO_BOUND_STATE: BoundState = { buffer: null, crowding: null, marketWide: null };

/**
 * Every bound of the market, stated at the policy's reference notional, and the target they leave. First the margins:
 * the corridor of classical bounds, stress and shock model, over the floor of the anti-procyclical measure. Then what
 * raises the initial margin alone, each on its own: buffer, crowding, market-wide stress. Then the caps. The least
 * leverage of all binds.
 *
 * @returns null where nothing can be said: no liquidity, or neither a classical forecast nor a stress excursion.
 */
export function boundMarket(
  input: UsableInput,
  context: BoundContext,
  previous: BoundState = NO_BOUND_STATE,
): BoundedMarket | null {
  const { policy, axes } = context;
  if (input.liquidity === null) return null;
  const counted = countedLiquidity(input.liquidity, context, previous.depthObservedAt);
  const { liquidity } = counted;
  const sources = sourcesOf(input, context);
  const profile = allowedProfile(sources, policy.bounds);
  if (profile === null) return null;

  const stated: Stated = { axes, policy, liquidity, notional: policy.referenceNotional };
  const assetClass = assetClassOf(input.symbol, policy);
  const margins = marginCurve(profile, liquidity, axes, policy);
  const initial = margins.initial(stated.notional);
  const { antiProcyclical: source, openInterest } = input;
  const floor = sources.antiProcyclical;
  const calm = antiProcyclicalBound(source, floor, initial, stated, context, previous.buffer);
  const crowding = crowdingBound(openInterest, initial, assetClass, context, previous.crowding);
  const marketWide = marketWideBound(initial, context, previous);
  const intrabar = intrabarBound(input, initial, context, previous.intrabar);
  const initialOnly = [calm, crowding, marketWide, intrabar];
  const raising = initialOnly.filter(({ raise }) => raise !== null);

  const people = overrideBound(input.symbol, context);
  const kept = [dataQualityBound(input, policy), policyCeilingBound(assetClass, policy)];
  const caps = [liquidityBound(counted, policy), listingAgeBound(input, assetClass), ...kept];
  const settled = settle(
    raisedCurve(margins, raising),
    [...raising.map(({ bound }) => bound), ...caps],
    kept,
    people,
    stated.notional,
    1 / initial,
    bindingSource(profile, margins, sources, stated),
  );
  const isUnsure = [
    crowding.isMissing,
    marketWide.isHeld,
    calm.isMissing,
    counted.isMissing,
    people.isBroken,
  ].some(Boolean);
  const isLeftAlone = isYoung(input, assetClass) && people.override?.mayLoosen !== true;
  return {
    bounds: [
      ...FORECAST_BOUNDS.map((name) => forecastBound(name, input[name], sources[name], stated)),
      stressBound(input, sources.stress, stated),
      ...initialOnly.map(({ bound }) => bound),
      ...caps,
      people.bound,
    ],
    target: {
      ...settled.target,
      largestNotional: closeoutNotional(policy.maximumCloseoutHorizonHours, liquidity, policy),
    },
    binding: settled.binding,
    state: {
      buffer: calm.state,
      crowding: crowding.state,
      ...(counted.observedAt === undefined ? {} : { depthObservedAt: counted.observedAt }),
      ...(intrabar.state === null ? {} : { intrabar: intrabar.state }),
      marketWide: marketWide.state,
      ...(marketWide.systemState === undefined ? {} : { systemStress: marketWide.systemState }),
    },
    doubts: [
      ...(isUnsure ? (['BOUND_INPUT_MISSING'] as const) : []),
      ...(intrabar.state === null ? [] : (['INTRABAR_GUARD'] as const)),
      ...(isLeftAlone ? (['YOUNG_LISTING'] as const) : []),
    ],
  };
}

interface Settled {
  readonly target: Omit<ScheduleTarget, 'largestNotional'>;
  readonly binding: BoundName;
}

/**
 * What is left once people have had their say. Their cap is one more, unless two of them have agreed that it takes the
 * place of the bounds: then the margins come down until the market has it, and only the caps that are kept stay.
 *
 * @param bounds all but those that are in the curve as they are. @param kept those that nobody overrides.
 * @param calculated the leverage of the margins before anything raised them. @param source the name behind it.
 */
function settle(
  curve: MarginCurve,
  bounds: readonly Bound[],
  kept: readonly Bound[],
  { bound, override }: OverrideBound,
  notional: number,
  calculated: number,
  source: BoundName,
): Settled {
  const byCurve = (): number => 1 / curve.initial(notional);
  if (override?.mayLoosen === true && override.maxLeverage > Math.min(byCurve(), leastLeverageOf(bounds))) {
    const inForce = [bound, ...kept];
    return {
      target: {
        curve: loweredCurve(curve, Math.max(override.maxLeverage / byCurve(), 1)),
        maximumLeverage: leastLeverageOf(inForce),
      },
      binding: lowestOf(inForce, override.maxLeverage, 'override'),
    };
  }
  const caps = [...bounds, bound];
  return {
    target: { curve, maximumLeverage: leastLeverageOf(caps) },
    binding: lowestOf(caps, calculated, source),
  };
}

function leastLeverageOf(bounds: readonly Bound[]): number {
  let least = Number.POSITIVE_INFINITY;
  for (const bound of bounds) least = Math.min(least, leverageOf(bound));
  return least;
}

/** The name of the lowest bound that is below a leverage which has a name already; that name where none is. */
function lowestOf(bounds: readonly Bound[], leverage: number, name: BoundName): BoundName {
  let lowest = { leverage, name };
  for (const bound of bounds) {
    if (leverageOf(bound) < lowest.leverage) lowest = { leverage: leverageOf(bound), name: bound.name };
  }
  return lowest.name;
}

function raisedCurve(curve: MarginCurve, raising: readonly { readonly raise: Raise | null }[]): MarginCurve {
  if (raising.length === 0) return curve;
  return {
    ...curve,
    initial: (notional) => {
      const initial = curve.initial(notional);
      return raising.reduce((most, { raise }) => Math.max(most, raise?.(initial) ?? 0), initial);
    },
  };
}

function loweredCurve({ maintenance, initial, kinks }: MarginCurve, divisor: number): MarginCurve {
  return {
    maintenance: (notional) => maintenance(notional) / divisor,
    initial: (notional) => initial(notional) / divisor,
    kinks,
  };
}

type SourceName = ForecastBoundName | 'stress' | 'antiProcyclical';
type Sources = Readonly<Record<SourceName, TailProfile | null>>;

function sourcesOf(input: UsableInput, context: BoundContext): Sources {
  const { axes, policy } = context;
  return {
    shockModel: forecastProfile(input.shockModel, axes, policy),
    historical: forecastProfile(input.historical, axes, policy),
    filtered: forecastProfile(input.filtered, axes, policy),
    tail: forecastProfile(input.tail, axes, policy),
    stress: stressProfile(input, axes, policy),
    antiProcyclical: antiProcyclicalFloor(input, context),
  };
}

function allowedProfile(sources: Sources, policy: BoundPolicy): TailProfile | null {
  const { shockModel, stress, antiProcyclical } = sources;
  const counting = (use: BoundUse): readonly TailProfile[] => {
    const profiles: TailProfile[] = [];
    for (const name of CLASSICAL_BOUNDS) {
      const profile = sources[name];
      if (profile !== null && boundUse(name, policy) === use) profiles.push(profile);
    }
    return profiles;
  };
  const classical = counting('both');
  // Without a classical bound nothing says how far the model may go: the stress margin, the most careful, stands in.
  const corridorOrStress =
    classical.length === 0
      ? stress
      : corridor(
          highestProfile([...classical, ...counting('maintenance').map(maintenanceOnly)]),
          stress,
          shockModel,
          policy.modelMaximumRatio,
        );
  if (corridorOrStress === null || antiProcyclical === null) return corridorOrStress;
  return highestProfile([corridorOrStress, antiProcyclical]);
}

const CLASSICAL_BOUNDS = ['historical', 'filtered', 'tail'] as const;

function maintenanceOnly(profile: TailProfile): TailProfile {
  return { ...profile, marginCallShortfall: 0 };
}

/**
 * Whose number decides the initial margin at the reference notional: a classical one where the model would go lower, the
 * stress one where it would go higher, the model's where it is inside the corridor or at the most that it is believed.
 */
function bindingSource(
  profile: TailProfile,
  curve: MarginCurve,
  sources: Sources,
  { axes, policy, liquidity, notional }: Stated,
): SourceName {
  const shortfallMargin = profile.marginCallShortfall + closeoutCost(notional, liquidity, policy);
  const hours = closeoutHours(notional, liquidity, policy);
  const upper = axes.horizonsHours.findIndex((horizon) => horizon >= hours);
  const h = upper < 0 ? axes.horizonsHours.length - 1 : upper;
  const decisive =
    shortfallMargin >= curve.initial(notional)
      ? (of: TailProfile): number => of.marginCallShortfall
      : (of: TailProfile): number => of.valueAtRiskByHorizon[h];
  const names = ['historical', 'filtered', 'tail', 'shockModel', 'antiProcyclical', 'stress'] as const;
  const isIt = (name: SourceName): boolean => {
    const source = sources[name];
    return source !== null && decisive(source) === decisive(profile);
  };
  // Nobody's number: the shock model asked for more than it is believed.
  return names.find(isIt) ?? 'shockModel';
}
