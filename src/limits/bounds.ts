import { ladderDown } from '../units.ts';
import {
  closeoutCost,
  closeoutHours,
  closeoutNotional,
  corridor,
  type ForecastAxes,
  highestProfile,
  type Liquidity,
  MAINTENANCE_TO_INITIAL_RATIO,
  type MarginCurve,
  marginCurve,
  type TailProfile,
  tailProfile,
} from './curve.ts';
import type { ScheduleTarget } from './cut.ts';
import type { SourceForecast, UsableInput } from './market-input.ts';
import type { Policy } from './policy.ts';
import type { Bound, BoundName, EvidenceValue } from './types.ts';

/** All bounds of a market and what they leave together. */
export interface BoundedMarket {
  readonly bounds: readonly Bound[];
  readonly target: ScheduleTarget;
  readonly binding: BoundName;
}

const RULE_VERSION = '1';

/**
 * Every bound of the market, stated at the policy's reference notional, and the target they leave: the corridor of
 * classical bounds, stress and shock model, under the caps of liquidity, data quality, listing age and policy.
 *
 * @returns null where nothing can be said: no liquidity, or neither a classical forecast nor a stress excursion.
 */
export function boundMarket(input: UsableInput, axes: ForecastAxes, policy: Policy): BoundedMarket | null {
  const { liquidity } = input;
  if (liquidity === null) return null;
  const sources: Sources = {
    historical: profileOf(input.historical, axes, policy),
    filtered: profileOf(input.filtered, axes, policy),
    shockModel: profileOf(input.shockModel, axes, policy),
    stress: stressProfile(input, axes, policy),
  };
  const profile = allowedProfile(sources);
  if (profile === null) return null;
  const curve = marginCurve(profile, liquidity, axes, policy);
  const stated: Stated = { axes, policy, liquidity, notional: policy.referenceNotional };
  const caps = leverageCaps(input, liquidity, policy);
  const tightestCap = caps.reduce((a, b) => (leverageOf(b) < leverageOf(a) ? b : a));
  return {
    bounds: [
      forecastBound('shockModel', input.shockModel, sources.shockModel, stated),
      forecastBound('historical', input.historical, sources.historical, stated),
      forecastBound('filtered', input.filtered, sources.filtered, stated),
      stressBound(input, sources.stress, stated),
      ...caps,
    ],
    target: {
      curve,
      maximumLeverage: leverageOf(tightestCap),
      largestNotional: closeoutNotional(policy.maximumCloseoutHorizonHours, liquidity, policy),
    },
    binding:
      leverageOf(tightestCap) < leverageAt(curve, stated.notional)
        ? tightestCap.name
        : bindingSource(profile, curve, sources, stated),
  };
}

type SourceName = 'historical' | 'filtered' | 'shockModel' | 'stress';
type Sources = Readonly<Record<SourceName, TailProfile | null>>;

/** What a bound is stated with: at one notional of one market under one policy. */
interface Stated {
  readonly axes: ForecastAxes;
  readonly policy: Policy;
  readonly liquidity: Liquidity;
  readonly notional: number;
}

function allowedProfile({ historical, filtered, shockModel, stress }: Sources): TailProfile | null {
  const classical = [historical, filtered].filter((profile) => profile !== null);
  // Without a classical bound nothing says how far the model may go: the stress margin, the most careful, stands in.
  if (classical.length === 0) return stress;
  return corridor(highestProfile(classical), stress, shockModel);
}

function profileOf(source: SourceForecast, axes: ForecastAxes, policy: Policy): TailProfile | null {
  if (source.unavailable !== '') return null;
  return tailProfile(source.valueAtRisk, source.expectedShortfall, axes, policy);
}

function stressProfile({ stress }: UsableInput, axes: ForecastAxes, policy: Policy): TailProfile | null {
  if (stress === null) return null;
  const confidences = axes.confidences.length;
  const cells = new Float64Array(stress.excursion.length * confidences);
  for (let i = 0; i < cells.length; i++) {
    cells[i] = policy.stressMultiplier * stress.excursion[Math.floor(i / confidences)];
  }
  return tailProfile(cells, cells, axes, policy);
}

function leverageAt(curve: MarginCurve, notional: number): number {
  return 1 / curve.initial(notional);
}

function forecastBound(
  name: BoundName,
  source: SourceForecast,
  profile: TailProfile | null,
  stated: Stated,
): Bound {
  if (profile === null) return unavailableBound(name, source.unavailable, source.predictor);
  return availableBound(name, profile, stated, {}, source.predictor);
}

function stressBound({ stress }: UsableInput, profile: TailProfile | null, stated: Stated): Bound {
  if (stress === null || profile === null)
    return unavailableBound('stress', 'no stress excursions are known', RULE_VERSION);
  const evidence = {
    source: stress.source,
    role: 'floor of the corridor: the shock model cannot push leverage below it',
  };
  return availableBound('stress', profile, stated, evidence, RULE_VERSION);
}

function unavailableBound(name: BoundName, reason: string, version: string): Bound {
  return { name, maxLeverage: null, available: false, unavailableReason: reason, evidence: {}, version };
}

function availableBound(
  name: BoundName,
  profile: TailProfile,
  { axes, policy, liquidity, notional }: Stated,
  evidence: Readonly<Record<string, EvidenceValue>>,
  version: string,
): Bound {
  const curve = marginCurve(profile, liquidity, axes, policy);
  const maxLeverage = leverageAt(curve, notional);
  const maintenanceMarginRate = curve.maintenance(notional);
  const closeoutCostRate = closeoutCost(notional, liquidity, policy);
  return {
    name,
    maxLeverage,
    available: true,
    unavailableReason: '',
    evidence: {
      referenceNotional: notional,
      ladderLeverage: ladderDown(maxLeverage, policy.leverageLadder),
      initialMarginRate: curve.initial(notional),
      marginCallShortfall: profile.marginCallShortfall,
      marginCallHorizonHours: policy.marginCallHorizonHours,
      initialConfidence: policy.initialConfidence,
      worseSide: profile.shortfallSide === 0 ? 'long' : 'short',
      maintenanceMarginRate,
      closeoutValueAtRisk: maintenanceMarginRate - closeoutCostRate,
      closeoutHorizonHours: closeoutHours(notional, liquidity, policy),
      maintenanceConfidence: policy.maintenanceConfidence,
      closeoutCostRate,
      ...evidence,
    },
    version,
  };
}

/** The bounds that cap leverage as such; null where one does not limit. */
function leverageCaps(input: UsableInput, liquidity: Liquidity, policy: Policy): readonly Bound[] {
  const cap = (
    name: BoundName,
    maxLeverage: number | null,
    evidence: Record<string, EvidenceValue>,
  ): Bound => ({
    name,
    maxLeverage,
    available: true,
    unavailableReason: '',
    evidence,
    version: RULE_VERSION,
  });
  const cost = closeoutCost(policy.referenceNotional, liquidity, policy);
  const coveringLeverage = MAINTENANCE_TO_INITIAL_RATIO / (policy.closeoutCostCover * cost);
  const isYoung = input.historyDays < policy.youngListingDays;
  return [
    cap('liquidity', Math.min(Math.max(coveringLeverage, 1), LARGEST_LEVERAGE), {
      referenceNotional: policy.referenceNotional,
      closeoutCostRate: cost,
      closeoutCostCover: policy.closeoutCostCover,
      hourlyQuoteVolume: liquidity.hourlyVolume,
      dailyVolatility: liquidity.dailyVolatility,
      largestNotional: closeoutNotional(policy.maximumCloseoutHorizonHours, liquidity, policy),
    }),
    cap('dataQuality', input.quality === 'accept' ? null : policy.degradedMaximumLeverage, {
      grade: input.quality,
      findings: input.qualityFindings.join('; '),
    }),
    cap('listingAge', isYoung ? policy.youngListingMaximumLeverage : null, {
      historyDays: input.historyDays,
      youngListingDays: policy.youngListingDays,
    }),
    cap('policyCeiling', policy.maximumLeverage, { policy: policy.name }),
  ];
}

/** Without any closeout cost there is no limit from it; the number stays finite. */
const LARGEST_LEVERAGE = 1e6;

function leverageOf(bound: Bound): number {
  return bound.maxLeverage ?? Number.POSITIVE_INFINITY;
}

/**
 * Whose number decides the initial margin at the reference notional: a classical one where the model would go lower, the
 * stress one where it would go higher, the model's where it is inside the corridor.
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
  const names = ['historical', 'filtered', 'shockModel'] as const;
  return (
    names.find((name) => {
      const source = sources[name];
      return source !== null && decisive(source) === decisive(profile);
    }) ?? 'stress'
  );
}
