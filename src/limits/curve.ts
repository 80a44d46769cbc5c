import type { Policy } from './policy.ts';

/**
 * Margin as a function of notional, before it is cut into brackets. Both rates are shares of the notional (in quote
 * units, above 0) and rise with it.
 */
export interface MarginCurve {
  maintenance(notional: number): number;
  initial(notional: number): number;
  /** Rising. Between two of them the maintenance margin n · maintenance(n) is convex. */
  readonly kinks: readonly number[];
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
  /** What the order book holds; left out where it is not known. It can only raise the closeout cost. */
  readonly depth?: MarketDepth;
}

/** Orders that rest near the price. */
export interface MarketDepth {
  /** Quote notional within the band, of the thinner side. */
  readonly quoteNotional: number;
  /** How far from the middle the band reaches, as a share of the price. */
  readonly bandRate: number;
}

/** What a margin curve needs of a forecaster: its worse side at the confidences of the policy. */
export interface TailProfile {
  /** VaR of the excursion at the maintenance confidence, by horizon; never falls with it. */
  readonly valueAtRiskByHorizon: Float64Array;
  /** ES of the excursion at the initial confidence over the margin-call horizon. */
  readonly marginCallShortfall: number;
  /** Index of the side behind `marginCallShortfall`. */
  readonly shortfallSide: number;
}

const SIDES = 2;

/** MMR × leverage never exceeds this: the observed maximum of published tables, and room between call and closeout. */
export const MAINTENANCE_TO_INITIAL_RATIO = 0.75;

/** Hours that closing a position out takes at the policy's participation in the traded volume. */
export function closeoutHours(notional: number, liquidity: Liquidity, policy: Policy): number {
  const hours = notional / (policy.participationRatio * liquidity.hourlyVolume);
  return Math.max(hours, policy.minimumCloseoutHorizonHours);
}

/** The notional that is closed out in some hours: the inverse of `closeoutHours`. */
export function closeoutNotional(hours: number, liquidity: Liquidity, policy: Policy): number {
  return hours * policy.participationRatio * liquidity.hourlyVolume;
}

/**
 * Cost of the closeout as a share of the notional n: half spread + fee + ⅔ · Y · σ_day · √(n / daily volume), the
 * square-root law averaged over the fills (Almgren et al. 2005; Donier and Bonart 2015 for bitcoin). The daily volume
 * is 24 robust hours. Where the order book is known, the impact is at least what walking it costs.
 */
export function closeoutCost(notional: number, liquidity: Liquidity, policy: Policy): number {
  const share = notional / (24 * liquidity.hourlyVolume);
  const impact = (2 / 3) * policy.impactCoefficient * liquidity.dailyVolatility * Math.sqrt(share);
  return (
    policy.halfSpreadRate + policy.takerFeeRate + Math.max(impact, bookImpact(notional, liquidity, policy))
  );
}

/**
 * Cost of walking the order book, as a share of the notional: the closeout takes from it what it sells while the book
 * fills again, n · refill time / closeout time. Orders that are spread evenly over the band b and hold D cost
 * b · slice / (2 · D) on average; a slice beyond the band costs as if the book went on like that.
 *
 * Times n it is convex up to the notional that is closed out in the least time, and linear beyond.
 */
export function bookImpact(notional: number, liquidity: Liquidity, policy: Policy): number {
  const { depth } = liquidity;
  if (depth === undefined) return 0;
  const slice = (notional * policy.bounds.depth.refillHours) / closeoutHours(notional, liquidity, policy);
  return (depth.bandRate * slice) / (2 * depth.quoteNotional);
}

/**
 * Reduces a forecast (or the stress excursions) to the worse side at the policy's confidences, times its margin multiplier.
 *
 * @param valueAtRisk, expectedShortfall sides × horizons × confidences; or sides × horizons, the same at every confidence.
 * @param factor what they are multiplied with first.
 */
export function tailProfile(
  valueAtRisk: Float64Array,
  expectedShortfall: Float64Array,
  axes: ForecastAxes,
  policy: Policy,
  factor = 1,
): TailProfile {
  const horizons = axes.horizonsHours.length;
  const isSame = valueAtRisk.length === SIDES * horizons;
  const confidences = isSame ? 1 : axes.confidences.length;
  const maintenance = isSame ? 0 : axes.confidences.indexOf(policy.maintenanceConfidence);
  const initial = isSame ? 0 : axes.confidences.indexOf(policy.initialConfidence);
  const call = axes.horizonsHours.indexOf(policy.marginCallHorizonHours);
  const byHorizon = new Float64Array(horizons);
  let shortfall = 0;
  let shortfallSide = 0;
  for (let side = 0; side < SIDES; side++) {
    for (let h = 0; h < horizons; h++) {
      const cell = (side * horizons + h) * confidences;
      byHorizon[h] = Math.max(
        byHorizon[h],
        policy.marginMultiplier * (factor * valueAtRisk[cell + maintenance]),
      );
      const callShortfall = policy.marginMultiplier * (factor * expectedShortfall[cell + initial]);
      if (h === call && callShortfall > shortfall) {
        shortfall = callShortfall;
        shortfallSide = side;
      }
    }
  }
  // A longer horizon contains the shorter one, so its excursion cannot be smaller, whatever a forecaster says.
  for (let h = 1; h < horizons; h++) byHorizon[h] = Math.max(byHorizon[h], byHorizon[h - 1]);
  return { valueAtRiskByHorizon: byHorizon, marginCallShortfall: shortfall, shortfallSide };
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
 * The margin that a profile asks for:
 * MMR(n) = VaR of the excursion over the closeout horizon of n, plus the closeout cost;
 * IMR(n) = max(ES of the excursion over the margin-call horizon plus the closeout cost, MMR(n) / 0.75).
 *
 * The VaR is linear in √n between two forecast horizons, so n · MMR(n) is a sum of n and n^1.5 with a positive factor on
 * the latter: convex there. So is the larger of two impacts that are convex times n.
 */
export function marginCurve(
  profile: TailProfile,
  liquidity: Liquidity,
  axes: ForecastAxes,
  policy: Policy,
): MarginCurve {
  const maintenance = (notional: number): number =>
    maintenanceRate(notional, profile, liquidity, axes, policy);
  return {
    maintenance,
    initial: (notional) =>
      Math.max(
        profile.marginCallShortfall + closeoutCost(notional, liquidity, policy),
        maintenance(notional) / MAINTENANCE_TO_INITIAL_RATIO,
      ),
    kinks: [policy.minimumCloseoutHorizonHours, ...axes.horizonsHours]
      .filter((hours) => hours >= policy.minimumCloseoutHorizonHours)
      .map((hours) => closeoutNotional(hours, liquidity, policy)),
  };
}

/** MMR(n) of `marginCurve`. */
function maintenanceRate(
  notional: number,
  profile: TailProfile,
  liquidity: Liquidity,
  axes: ForecastAxes,
  policy: Policy,
): number {
  const hours = closeoutHours(notional, liquidity, policy);
  const excursion = excursionAt(hours, profile.valueAtRiskByHorizon, axes.horizonsHours);
  return excursion + closeoutCost(notional, liquidity, policy);
}

/** What `marginCurve` says of one notional. */
export function marginsAt(
  notional: number,
  profile: TailProfile,
  liquidity: Liquidity,
  axes: ForecastAxes,
  policy: Policy,
): { readonly maintenance: number; readonly initial: number; readonly closeoutCost: number } {
  const cost = closeoutCost(notional, liquidity, policy);
  const maintenance = maintenanceRate(notional, profile, liquidity, axes, policy);
  const initial = Math.max(profile.marginCallShortfall + cost, maintenance / MAINTENANCE_TO_INITIAL_RATIO);
  return { maintenance, initial, closeoutCost: cost };
}

/** The highest of several profiles: its curve is at every notional the highest of theirs. */
export function highestProfile(profiles: readonly TailProfile[]): TailProfile {
  return profiles.reduce((a, b) => combine(a, b, Math.max));
}

/**
 * The corridor: the classical profile is the least that the shock model may ask for, and the stress profile, or so many times the classical one,
 * the most; where the classical one is beyond the stress one already, the classical one stands. Both margins rise with each number of
 * a profile, so holding each number inside the corridor holds the margins inside it at every notional.
 */
export function corridor(
  classical: TailProfile,
  stress: TailProfile | null,
  model: TailProfile | null,
  modelMaximumRatio: number,
): TailProfile {
  if (model === null) return classical;
  const believed = combine(model, multiplied(classical, modelMaximumRatio), Math.min);
  const held = stress === null ? believed : combine(believed, stress, Math.min);
  return combine(held, classical, Math.max);
}

function multiplied(profile: TailProfile, factor: number): TailProfile {
  return {
    valueAtRiskByHorizon: byHorizon(profile, (value) => factor * value),
    marginCallShortfall: factor * profile.marginCallShortfall,
    shortfallSide: profile.shortfallSide,
  };
}

function combine(a: TailProfile, b: TailProfile, choose: (x: number, y: number) => number): TailProfile {
  const shortfall = choose(a.marginCallShortfall, b.marginCallShortfall);
  return {
    valueAtRiskByHorizon: byHorizon(a, (value, h) => choose(value, b.valueAtRiskByHorizon[h])),
    marginCallShortfall: shortfall,
    shortfallSide: shortfall === a.marginCallShortfall ? a.shortfallSide : b.shortfallSide,
  };
}

/** As `map` of the array does, in a third of its time: there are four. */
function byHorizon(
  { valueAtRiskByHorizon }: TailProfile,
  of: (value: number, h: number) => number,
): Float64Array {
  const values = new Float64Array(valueAtRiskByHorizon.length);
  for (let h = 0; h < values.length; h++) values[h] = of(valueAtRiskByHorizon[h], h);
  return values;
}
