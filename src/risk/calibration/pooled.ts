import { refusal, requireConfidence, requireWithin } from '../numeric/inputs.ts';
import type { TailRisk } from '../tail/value-at-risk.ts';
import {
  type AdjustedRisk,
  learntError,
  type MultiplierRange,
  requireLoss,
  requireRange,
  requireScalable,
  scaledWithin,
  WIDE_RANGE,
} from './adjustment.ts';
import { trackingRate } from './quantile-tracking.ts';

export interface PooledOptions {
  readonly confidence: number;
  /** η of the markets' trackers. Default `trackingRate`. */
  readonly rate?: number;
  /** η of the pool's tracker, which moves by the share of markets that exceed; at most `rate`. Default: `rate`. */
  readonly poolRate?: number;
  /** k: the number of expected exceedances at which a market counts as much as its pool. Default 5. */
  readonly prior?: number;
  readonly range?: MultiplierRange;
}

export interface PooledMember {
  readonly logMultiplier: number;
  readonly steps: number;
  readonly exceedances: number;
}

export interface PooledState {
  /** ln of the pool's own multiplier, θ of the pool. */
  readonly logMultiplier: number;
  /** Observations of all markets, and how many of them exceeded what was published. */
  readonly observations: number;
  readonly exceedances: number;
  /** By market: a market that is not here yet is published at the pool's multiplier. */
  readonly members: Readonly<Record<string, PooledMember>>;
}

export interface PooledObservation {
  readonly market: string;
  readonly loss: number;
  /** The predictor's own, as it was given to `adjusted`. */
  readonly forecast: TailRisk;
}

export interface PooledCalibrator {
  initial(): PooledState;
  adjusted(state: PooledState, market: string, forecast: TailRisk): AdjustedRisk;
  /** How much of the market's multiplier is its own, in [0, 1). */
  weight(state: PooledState, market: string): number;
  /**
   * The state after a step: all that was observed at one time. Their order does not matter, to the bit.
   *
   * @throws PlimsollError INPUT_INVALID for a market that is named twice, and what `adjusted` refuses.
   */
  observe(state: PooledState, observations: readonly PooledObservation[]): PooledState;
}

/**
 * Quantile tracking of many markets that lend each other what they have learnt. The pool is one tracker that sees the share
 * of markets whose loss exceeds the pool's VaR; each market has its own; published is
 *
 *   VaR = predictor · exp(w θ_market + (1 − w) θ_pool),   w = n α / (n α + k),
 *
 * with n the market's steps, so n α its expected exceedances: at α = 1 % a market that is a month of hours old has 7 of
 * them, and a daily chain of it none. A market starts at the pool's multiplier. The weight is that of the credibility
 * estimator (Bühlmann 1967), of normal means shrunk toward a common one; k is the ratio of a market's noise to how far
 * markets differ.
 *
 * The pool's own VaR keeps the bound of `quantile-tracking.ts` on the share of all markets that exceed it. A market's tracker
 * learns from the exceedances of what was published, so it corrects for the pool: for any losses whose log scores lie
 * within [L, U] around 0, and W = U − L + 2 η,
 *
 *   |mean hit − α| of a market ≤ (W + √(W k η / α)) / (η T),
 *
 * because θ_market can be driven no further than where w θ_market outweighs the pool, and w grows meanwhile. (From one step
 * of η to the next the pool may move by as much, hence the 2 η.) A clipped step whose loss is beyond the range teaches
 * nothing (`learntError`).
 *
 * @throws PlimsollError INPUT_INVALID for options out of range.
 */
export function pooledTracking(options: PooledOptions): PooledCalibrator {
  const {
    confidence,
    rate = trackingRate(confidence),
    poolRate = rate,
    prior = 5,
    range = WIDE_RANGE,
  } = options;
  requireConfidence(confidence);
  requireWithin('the rate', rate, Number.MIN_VALUE, 10);
  requireWithin('the rate of the pool', poolRate, Number.MIN_VALUE, rate);
  requireWithin('the prior', prior, 0, Number.MAX_VALUE);
  requireRange(range);
  const target = 1 - confidence;

  const weightOf = (member: PooledMember | undefined): number => {
    if (member === undefined || member.steps === 0) return 0;
    const expected = member.steps * target;
    return expected / (expected + prior);
  };

  const memberOf = (state: PooledState, market: string): PooledMember | undefined =>
    Object.hasOwn(state.members, market) ? state.members[market] : undefined;

  const adjusted = (
    state: PooledState,
    market: string,
    { valueAtRisk, expectedShortfall }: TailRisk,
  ): AdjustedRisk => {
    requireScalable(valueAtRisk, expectedShortfall);
    const member = memberOf(state, market);
    const weight = weightOf(member);
    const own = member === undefined ? 0 : member.logMultiplier;
    const logMultiplier = weight * own + (1 - weight) * state.logMultiplier;
    return scaledWithin(valueAtRisk, expectedShortfall, Math.exp(logMultiplier), range);
  };

  return {
    initial: () => ({ logMultiplier: 0, observations: 0, exceedances: 0, members: {} }),
    adjusted,
    weight: (state, market) => weightOf(memberOf(state, market)),
    observe: (state, observations) => {
      if (observations.length === 0) return state;
      const members = new Map(Object.entries(state.members));
      const seen = new Set<string>();
      let poolError = 0;
      let exceedances = 0;
      // Sums of floats depend on their order: by name, so that the order of arrival leaves no trace.
      const ordered = observations.toSorted((a, b) => (a.market < b.market ? -1 : 1));
      for (const { market, loss, forecast } of ordered) {
        if (seen.has(market))
          throw refusal(`the market ${market} is there twice`, 'Give each market once in a step.');
        seen.add(market);
        requireLoss(loss);
        const published = adjusted(state, market, forecast);
        const isHit = loss > published.valueAtRisk;
        const hit = isHit ? 1 : 0;
        exceedances += hit;
        const { valueAtRisk, expectedShortfall } = forecast;
        const ofPool = scaledWithin(valueAtRisk, expectedShortfall, Math.exp(state.logMultiplier), range);
        poolError += learntError(ofPool.status, loss > ofPool.valueAtRisk, target);
        const before = memberOf(state, market) ?? {
          logMultiplier: state.logMultiplier,
          steps: 0,
          exceedances: 0,
        };
        members.set(market, {
          logMultiplier: before.logMultiplier + rate * learntError(published.status, isHit, target),
          steps: before.steps + 1,
          exceedances: before.exceedances + hit,
        });
      }
      return {
        logMultiplier: state.logMultiplier + (poolRate * poolError) / observations.length,
        observations: state.observations + observations.length,
        exceedances: state.exceedances + exceedances,
        members: Object.fromEntries(members),
      };
    },
  };
}
