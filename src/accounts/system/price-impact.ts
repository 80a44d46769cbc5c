/** What forced sales meet in each market: a row a market. */
export interface ImpactColumns {
  /** Traded quote volume per hour that is counted on. Where it is not above 0, any forced sale moves the price all the way. */
  readonly hourlyVolume: Float64Array;
  /** Standard deviation of a day's log return. */
  readonly dailyVolatility: Float64Array;
  /** Quote notional that rests within the band on the thinner side; NaN where no order book is known. */
  readonly depthNotional: Float64Array;
  /** How far the band reaches, as a share of the price. */
  readonly depthBandRate: Float64Array;
}

/** How forced sales are worked off. */
export interface ImpactRules {
  /** Y of the square-root law. */
  readonly impactCoefficient: number;
  /** Share of the traded volume that closeouts may be. */
  readonly participationRatio: number;
  /** A closeout never counts as quicker than this. */
  readonly minimumCloseoutHours: number;
  /** The order book counts as filled again after this long; 0 where it is not to count. */
  readonly refillHours: number;
}

/** A price never moves by more than this, in logs: to a twentieth, or twenty-fold. */
export const LARGEST_LOG_IMPACT = Math.log(20);

/**
 * How far a forced sale moves the price by its end, in logs: Y · σ_day · √(n / daily volume), the square-root law (Tóth et al.
 * 2011; Donier and Bonart 2015 for bitcoin), but at least what walking the order book comes to, of which the sale takes
 * n · refill time / closeout time while it fills again. It depends on all that was sold so far and not on how it was
 * divided into rounds.
 *
 * @param notional at least 0.
 * @returns from 0 to `LARGEST_LOG_IMPACT`.
 */
export function logImpact(
  notional: number,
  market: number,
  { hourlyVolume, dailyVolatility, depthNotional, depthBandRate }: ImpactColumns,
  rules: ImpactRules,
): number {
  if (notional === 0) return 0;
  const volume = hourlyVolume[market];
  if (!(volume > 0)) return LARGEST_LOG_IMPACT;
  const law = rules.impactCoefficient * dailyVolatility[market] * Math.sqrt(notional / (24 * volume));
  const depth = depthNotional[market];
  let impact = law;
  if (depth > 0) {
    const slice = (notional * rules.refillHours) / closeoutHours(notional, volume, rules);
    impact = Math.max(law, (depthBandRate[market] * slice) / depth);
  }
  return impact < LARGEST_LOG_IMPACT ? impact : LARGEST_LOG_IMPACT;
}

/** Hours that a forced sale takes at the participation limit. @param hourlyVolume above 0. */
export function closeoutHours(
  notional: number,
  hourlyVolume: number,
  { participationRatio, minimumCloseoutHours }: ImpactRules,
): number {
  return Math.max(notional / (participationRatio * hourlyVolume), minimumCloseoutHours);
}
