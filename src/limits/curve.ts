import type { Policy } from './policy.ts';

/**
 * Margin as a function of notional, before it is cut into brackets. A curve is a pair of functions of the notional in
 * quote units; both rise with it. Rates are shares of the notional.
 */
export interface MarginCurve {
  maintenance(notional: number): number;
  initial(notional: number): number;
}

/** Axes of the arrays in a forecast: sides × horizons × confidences, the last one fastest. */
export interface ForecastAxes {
  readonly horizonsHours: readonly number[];
  readonly confidences: readonly number[];
}

/** Traded volume that is counted on, and what trading costs. */
export interface Liquidity {
  /** Quote volume per hour: a low quantile, because liquidity leaves when it is needed. */
  readonly hourlyVolume: number;
  /** Standard deviation of a day's log return. */
  readonly dailyVolatility: number;
}

/** Worst side of one forecaster at the confidences of the policy: what a margin curve needs of it. */
export interface TailProfile {
  /** VaR of the excursion at the maintenance confidence, by horizon; rises with it. */
  readonly valueAtRiskByHorizon: Float64Array;
  /** ES of the excursion at the initial confidence over the margin-call horizon. */
  readonly marginCallShortfall: number;
}

/** MMR × leverage never exceeds this: the observed maximum of published tables, and room between call and closeout. */
export const MAINTENANCE_TO_INITIAL_RATIO = 0.75;

/** Hours that closing a position out takes at the policy's participation in the traded volume. */
export function closeoutHours(notional: number, liquidity: Liquidity, policy: Policy): number {
  const hours = notional / (policy.participationRatio * liquidity.hourlyVolume);
  return Math.max(hours, policy.minimumCloseoutHorizonHours);
}

/**
 * Cost of the closeout as a share of the notional n: half spread + fee + ⅔ · Y · σ_day · √(n / daily volume), the
 * square-root law averaged over the fills (Almgren et al. 2005; Donier and Bonart 2015 for bitcoin).
 */
export function closeoutCost(notional: number, liquidity: Liquidity, policy: Policy): number {
  const share = notional / (24 * liquidity.hourlyVolume);
  const impact = (2 / 3) * policy.impactCoefficient * liquidity.dailyVolatility * Math.sqrt(share);
  return policy.halfSpreadRate + policy.takerFeeRate + impact;
}

/**
 * Reduces a forecast (or the stress excursions) to the worse side at the policy's confidences.
 *
 * @param valueAtRisk, expectedShortfall sides × horizons × confidences.
 */
export function tailProfile(
  valueAtRisk: Float64Array,
  expectedShortfall: Float64Array,
  axes: ForecastAxes,
  policy: Policy,
): TailProfile {
  const horizons = axes.horizonsHours.length;
  const confidences = axes.confidences.length;
  const sides = valueAtRisk.length / (horizons * confidences);
  const maintenance = axes.confidences.indexOf(policy.maintenanceConfidence);
  const initial = axes.confidences.indexOf(policy.initialConfidence);
  const call = axes.horizonsHours.indexOf(policy.marginCallHorizonHours);
  const byHorizon = new Float64Array(horizons);
  let shortfall = 0;
  for (let side = 0; side < sides; side++) {
    for (let h = 0; h < horizons; h++) {
      const cell = (side * horizons + h) * confidences;
      byHorizon[h] = Math.max(byHorizon[h], valueAtRisk[cell + maintenance]);
      if (h === call) shortfall = Math.max(shortfall, expectedShortfall[cell + initial]);
    }
  }
  // A longer horizon contains the shorter one, so its excursion cannot be smaller, whatever a forecaster says.
  for (let h = 1; h < horizons; h++) byHorizon[h] = Math.max(byHorizon[h], byHorizon[h - 1]);
  return { valueAtRiskByHorizon: byHorizon, marginCallShortfall: shortfall };
}

/** Excursion over any horizon: linear in √h between the forecast ones, growing with √h beyond the last. */
export function excursionAt(
  hours: number,
  byHorizon: Float64Array,
  horizonsHours: readonly number[],
): number {
  const last = horizonsHours.length - 1;
  if (hours <= horizonsHours[0]) return byHorizon[0];
  if (hours >= horizonsHours[last]) return byHorizon[last] * Math.sqrt(hours / horizonsHours[last]);
  let upper = 1;
  while (horizonsHours[upper] < hours) upper++;
  const from = Math.sqrt(horizonsHours[upper - 1]);
  const to = Math.sqrt(horizonsHours[upper]);
  const weight = (Math.sqrt(hours) - from) / (to - from);
  return byHorizon[upper - 1] + weight * (byHorizon[upper] - byHorizon[upper - 1]);
}

/**
 * The margin that one forecaster asks for:
 * MMR(n) = VaR of the excursion over the closeout horizon of n, plus the closeout cost;
 * IMR(n) = max(ES of the excursion over the margin-call horizon plus the closeout cost, MMR(n) / 0.75).
 */
export function forecastCurve(
  profile: TailProfile,
  liquidity: Liquidity,
  axes: ForecastAxes,
  policy: Policy,
): MarginCurve {
  const maintenance = (notional: number): number =>
    excursionAt(
      closeoutHours(notional, liquidity, policy),
      profile.valueAtRiskByHorizon,
      axes.horizonsHours,
    ) + closeoutCost(notional, liquidity, policy);
  return {
    maintenance,
    initial: (notional) =>
      Math.max(
        profile.marginCallShortfall + closeoutCost(notional, liquidity, policy),
        maintenance(notional) / MAINTENANCE_TO_INITIAL_RATIO,
      ),
  };
}

/** At every notional the higher margin of several curves. */
export function highest(curves: readonly MarginCurve[]): MarginCurve {
  return {
    maintenance: (notional) => Math.max(...curves.map((curve) => curve.maintenance(notional))),
    initial: (notional) => Math.max(...curves.map((curve) => curve.initial(notional))),
  };
}

/**
 * The corridor: the classical margin is the least, the stress margin the most that the shock model may ask for; where
 * the classical margin is beyond the stress margin already, the classical one stands.
 */
export function corridor(
  classical: MarginCurve,
  stress: MarginCurve | null,
  model: MarginCurve | null,
): MarginCurve {
  if (model === null) return classical;
  const inside = (least: number, most: number, wanted: number): number =>
    Math.min(Math.max(wanted, least), Math.max(most, least));
  const mostOf = (rate: 'maintenance' | 'initial', notional: number): number =>
    stress === null ? Number.POSITIVE_INFINITY : stress[rate](notional);
  return {
    maintenance: (n) => inside(classical.maintenance(n), mostOf('maintenance', n), model.maintenance(n)),
    initial: (n) => inside(classical.initial(n), mostOf('initial', n), model.initial(n)),
  };
}

/** The curve with its initial margin never below 1 / leverage. */
export function cappedAt(leverage: number, curve: MarginCurve): MarginCurve {
  return {
    maintenance: curve.maintenance,
    initial: (notional) => Math.max(curve.initial(notional), 1 / leverage),
  };
}
