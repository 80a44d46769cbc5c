import {
  cappedAt,
  closeoutCost,
  corridor,
  type ForecastAxes,
  forecastCurve,
  highest,
  type Liquidity,
  MAINTENANCE_TO_INITIAL_RATIO,
  type MarginCurve,
  type TailProfile,
  tailProfile,
} from './curve.ts';
import type { LiquidityInput, MarketInput, SourceForecast } from './market-input.ts';
import type { Policy } from './policy.ts';
import type { Bound, BoundName, EvidenceValue } from './types.ts';

/** All bounds of a market and the margin curve that they leave together. */
export interface BoundedCurve {
  readonly bounds: readonly Bound[];
  readonly curve: MarginCurve;
  readonly binding: BoundName;
  /** Positions that would take longer to close out than the policy allows are refused. */
  readonly largestNotional: number;
  /** Neither classical forecaster was there, so the stress margin stands in. */
  readonly isClassicalMissing: boolean;
}

const RULE_VERSION = '1';

/**
 * Every bound of the market at the policy's reference notional, and the curve they leave: the corridor of classical
 * bounds, stress and shock model, under the caps of liquidity, data quality, listing age and policy.
 */
export function boundMarket(input: MarketInput, axes: ForecastAxes, policy: Policy): BoundedCurve | null {
  const liquidity = usableLiquidity(input.liquidity);
  if (liquidity === null) return null;
  const sources = {
    historical: sourceCurve(input.historical, liquidity, axes, policy),
    filtered: sourceCurve(input.filtered, liquidity, axes, policy),
    shockModel: sourceCurve(input.shockModel, liquidity, axes, policy),
    stress: stressCurve(input, liquidity, axes, policy),
  };
  const classical = [sources.historical, sources.filtered].filter((source) => source !== null);
  const isClassicalMissing = classical.length === 0;
  // Without a classical bound nothing says how far the model may go: the stress margin, the most careful, stands in.
  const risk = isClassicalMissing
    ? sources.stress.curve
    : corridor(
        highest(classical.map((source) => source.curve)),
        sources.stress.curve,
        sources.shockModel?.curve ?? null,
      );
  const caps = leverageCaps(input, liquidity, policy);
  const curve = caps.reduce(
    (left, cap) => (cap.maxLeverage === null ? left : cappedAt(cap.maxLeverage, left)),
    risk,
  );
  const at = policy.referenceNotional;
  const bounds: Bound[] = [
    forecastBound('shockModel', input.shockModel, sources.shockModel, at, policy),
    forecastBound('historical', input.historical, sources.historical, at, policy),
    forecastBound('filtered', input.filtered, sources.filtered, at, policy),
    stressBound(input, sources.stress, at),
    ...caps,
  ];
  return {
    bounds,
    curve,
    binding: bindingBound(risk, caps, sources, at),
    largestNotional: policy.maximumCloseoutHorizonHours * policy.participationRatio * liquidity.hourlyVolume,
    isClassicalMissing,
  };
}

interface SourceCurve {
  readonly curve: MarginCurve;
  readonly profile: TailProfile;
}

interface RiskSources {
  readonly historical: SourceCurve | null;
  readonly filtered: SourceCurve | null;
  readonly shockModel: SourceCurve | null;
  readonly stress: SourceCurve;
}

function usableLiquidity(input: LiquidityInput | null): Liquidity | null {
  if (input === null || !(input.hourlyVolume > 0) || !Number.isFinite(input.hourlyVolume)) return null;
  if (!(input.dailyVolatility >= 0) || !Number.isFinite(input.dailyVolatility)) return null;
  return input;
}

function sourceCurve(
  source: SourceForecast,
  liquidity: Liquidity,
  axes: ForecastAxes,
  policy: Policy,
): SourceCurve | null {
  if (whyUnusable(source) !== '') return null;
  const profile = tailProfile(source.valueAtRisk, source.expectedShortfall, axes, policy);
  return { profile, curve: forecastCurve(profile, liquidity, axes, policy) };
}

/** A forecast with a number that cannot be is treated as absent: it may neither grant nor take away leverage. */
function whyUnusable(source: SourceForecast): string {
  if (source.unavailable !== '') return source.unavailable;
  for (const values of [source.valueAtRisk, source.expectedShortfall]) {
    for (const value of values)
      if (!(value >= 0 && value < 1e6)) return 'the forecast holds an impossible number';
  }
  return '';
}

function stressCurve(
  input: MarketInput,
  liquidity: Liquidity,
  axes: ForecastAxes,
  policy: Policy,
): SourceCurve {
  const confidences = axes.confidences.length;
  const spread = new Float64Array(input.stress.excursion.length * confidences);
  for (let path = 0; path < input.stress.excursion.length; path++) {
    spread.fill(
      policy.stressMultiplier * input.stress.excursion[path],
      path * confidences,
      (path + 1) * confidences,
    );
  }
  const profile = tailProfile(spread, spread, axes, policy);
  return { profile, curve: forecastCurve(profile, liquidity, axes, policy) };
}

function leverageAt(curve: MarginCurve, notional: number): number {
  return 1 / curve.initial(notional);
}

function forecastBound(
  name: BoundName,
  source: SourceForecast,
  curve: SourceCurve | null,
  notional: number,
  policy: Policy,
): Bound {
  if (curve === null) {
    return {
      name,
      maxLeverage: null,
      available: false,
      unavailableReason: whyUnusable(source),
      evidence: {},
      version: source.predictor,
    };
  }
  return {
    name,
    maxLeverage: leverageAt(curve.curve, notional),
    available: true,
    unavailableReason: '',
    evidence: { ...curveEvidence(curve, notional), ...confidenceEvidence(policy) },
    version: source.predictor,
  };
}

function stressBound(input: MarketInput, stress: SourceCurve, notional: number): Bound {
  return {
    name: 'stress',
    maxLeverage: leverageAt(stress.curve, notional),
    available: true,
    unavailableReason: '',
    evidence: {
      ...curveEvidence(stress, notional),
      source: input.stress.source,
      role: 'floor of the corridor: the shock model cannot push leverage below it',
    },
    version: RULE_VERSION,
  };
}

function curveEvidence({ curve, profile }: SourceCurve, notional: number): Record<string, EvidenceValue> {
  return {
    referenceNotional: notional,
    maintenanceMarginRate: curve.maintenance(notional),
    initialMarginRate: curve.initial(notional),
    marginCallShortfall: profile.marginCallShortfall,
    closeoutValueAtRisk: profile.valueAtRiskByHorizon[0],
  };
}

function confidenceEvidence(policy: Policy): Record<string, EvidenceValue> {
  return {
    initialConfidence: policy.initialConfidence,
    maintenanceConfidence: policy.maintenanceConfidence,
    marginCallHorizonHours: policy.marginCallHorizonHours,
  };
}

/** The bounds that cap leverage as such; null where one does not limit. */
function leverageCaps(input: MarketInput, liquidity: Liquidity, policy: Policy): readonly Bound[] {
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
  const isYoung = input.historyDays < policy.youngListingDays;
  return [
    cap('liquidity', Math.max(MAINTENANCE_TO_INITIAL_RATIO / (policy.closeoutCostCover * cost), 1), {
      referenceNotional: policy.referenceNotional,
      closeoutCostRate: cost,
      closeoutCostCover: policy.closeoutCostCover,
      hourlyQuoteVolume: liquidity.hourlyVolume,
      dailyVolatility: liquidity.dailyVolatility,
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

/** The lowest limit decides. Within the corridor: the model where it is inside, the edge that holds it otherwise. */
function bindingBound(
  risk: MarginCurve,
  caps: readonly Bound[],
  sources: RiskSources,
  notional: number,
): BoundName {
  let lowest = leverageAt(risk, notional);
  let binding = bindingInCorridor(lowest, sources, notional);
  for (const cap of caps) {
    if (cap.maxLeverage !== null && cap.maxLeverage < lowest) {
      lowest = cap.maxLeverage;
      binding = cap.name;
    }
  }
  return binding;
}

function bindingInCorridor(leverage: number, sources: RiskSources, notional: number): BoundName {
  for (const name of ['historical', 'filtered', 'shockModel'] as const) {
    const source = sources[name];
    if (source !== null && leverageAt(source.curve, notional) === leverage) return name;
  }
  return 'stress';
}
