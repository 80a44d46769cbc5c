import { refusal, requireConfidence, requireWhole, requireWithin } from '../numeric/inputs.ts';
import type { TailRisk } from '../tail/value-at-risk.ts';
import {
  type AdjustedRisk,
  type Calibrator,
  conformityScore,
  learntError,
  type MultiplierRange,
  requireLoss,
  requireRange,
  requireScalable,
  scaled,
  scaledWithin,
  unadjusted,
  WIDE_RANGE,
} from './adjustment.ts';
import {
  conformalRank,
  EMPTY_WINDOW,
  leastConformalSample,
  type ScoreWindow,
  withScore,
} from './score-window.ts';

/**
 * Adaptive conformal inference (Gibbs and Candès 2021), α the exceedance rate sought, hit = 1 where the loss exceeded the
 * adjusted VaR of its step:
 *
 *   αₜ₊₁ = αₜ + γ (α − hitₜ), and VaR is what is exceeded with probability αₜ.
 *
 * The mapping from αₜ to VaR may be any, as long as nothing exceeds it at αₜ ≤ 0 and everything does at αₜ ≥ 1. Then for
 * any losses, even an adversary's, αₜ stays within [−γ (1 − α), 1 + γ α] and after T steps
 *
 *   |mean hit − α| ≤ (max(α₁, 1 − α₁) + γ) / (γ T),   and on the side of too many   mean hit − α ≤ (α₁ + γ) / (γ T).
 *
 * In finite numbers "nothing exceeds it" is the greatest multiplier of the range, and reaching it is a clipped step. The
 * guarantee holds as long as no loss is beyond the greatest multiple of the predictor's VaR (too many), nor below the least
 * (too few); a step of that kind teaches αₜ nothing (`learntError`), so it cannot run away.
 */
export interface AdaptiveOptions {
  readonly confidence: number;
  /** γ in (0, 1]: how far one exceedance moves αₜ. Default 0.005, the paper's. */
  readonly rate?: number;
  readonly range?: MultiplierRange;
}

export interface AdaptiveLevelState {
  /** αₜ; may be somewhat below 0 or above 1. */
  readonly level: number;
}

export interface AdaptiveLevelOptions extends AdaptiveOptions {
  /**
   * The predictor's own VaR at an exceedance probability in (0, 1): finite, and never rising with it. Default `paretoVar`,
   * for predictors that give no more than VaR and ES.
   */
  readonly valueAtRiskAt?: (level: number, forecast: TailRisk, target: number) => number;
}

/**
 * VaR at another exceedance probability a, for a tail that falls by a power: VaR (α / a)^ξ with ξ = 1 − VaR / ES, the only
 * exponent at which such a tail has the stated ES (McNeil, Frey and Embrechts 2015, section 5.2).
 */
export function paretoVar(level: number, forecast: TailRisk, target: number): number {
  const tailIndex = 1 - forecast.valueAtRisk / forecast.expectedShortfall;
  return forecast.valueAtRisk * (target / level) ** tailIndex;
}

/**
 * Adaptive conformal inference through the predictor's own quantile function. State: one number.
 *
 * @throws PlimsollError INPUT_INVALID for options out of range, and in use where the predictor's quantile is no number.
 */
export function adaptiveLevel(options: AdaptiveLevelOptions): Calibrator<AdaptiveLevelState> {
  const { confidence, rate = 0.005, range = WIDE_RANGE, valueAtRiskAt = paretoVar } = options;
  requireAdaptive(confidence, rate, range);
  const target = 1 - confidence;
  const adjusted = (
    { level }: AdaptiveLevelState,
    valueAtRisk: number,
    expectedShortfall: number,
  ): AdjustedRisk => {
    requireScalable(valueAtRisk, expectedShortfall);
    if (level <= 0) return scaled(valueAtRisk, expectedShortfall, range.greatest, 'clipped-high');
    if (level >= 1) return scaled(valueAtRisk, expectedShortfall, range.least, 'clipped-low');
    const wanted = valueAtRiskAt(level, { valueAtRisk, expectedShortfall }, target);
    if (Number.isNaN(wanted))
      throw refusal(
        `the predictor has no VaR at the exceedance probability ${level}`,
        'Give a quantile function that is defined on all of (0, 1).',
      );
    return scaledWithin(valueAtRisk, expectedShortfall, wanted / valueAtRisk, range);
  };
  return {
    initial: () => ({ level: target }),
    adjusted,
    observe: (state, loss, { valueAtRisk, expectedShortfall }) => {
      requireLoss(loss);
      const { valueAtRisk: own, status } = adjusted(state, valueAtRisk, expectedShortfall);
      return { level: state.level - rate * learntError(status, loss > own, target) };
    },
  };
}

export interface AdaptiveScoresOptions extends AdaptiveOptions {
  /** Scores kept; at least those that the level needs. Default 500, or ten times those where that is more. */
  readonly window?: number;
}

export interface AdaptiveScoresState {
  readonly level: number;
  readonly window: ScoreWindow;
}

/**
 * The multiplier, before any clipping, that a window of scores gives for an exceedance probability: the conformal quantile;
 * the largest score where 0 < αₜ < 1 / (n + 1) asks for more than the window has seen; +∞ and 0 beyond.
 *
 * @param window at least one score.
 */
export function multiplierAt({ scores }: ScoreWindow, level: number): number {
  if (level <= 0) return Number.POSITIVE_INFINITY;
  if (level >= 1) return 0;
  return scores[Math.min(conformalRank(scores.length, level), scores.length) - 1];
}

/**
 * Adaptive conformal inference through the scores loss / VaR of a trailing window, so that the predictor need not know its
 * quantiles. Until the window holds as many as the level needs (99 at 99 %) the forecast stays as it is and αₜ rests; the
 * bound counts the steps after that.
 *
 * @throws PlimsollError INPUT_INVALID for options out of range.
 */
export function adaptiveScores(options: AdaptiveScoresOptions): Calibrator<AdaptiveScoresState> {
  const { confidence, rate = 0.005, range = WIDE_RANGE } = options;
  requireAdaptive(confidence, rate, range);
  const target = 1 - confidence;
  const least = leastConformalSample(target);
  const capacity = options.window ?? Math.max(500, 10 * least);
  requireWhole('the window', capacity, least);
  const adjusted = (
    { level, window }: AdaptiveScoresState,
    valueAtRisk: number,
    expectedShortfall: number,
  ): AdjustedRisk => {
    requireScalable(valueAtRisk, expectedShortfall);
    if (window.scores.length < least) return unadjusted(valueAtRisk, expectedShortfall);
    return scaledWithin(valueAtRisk, expectedShortfall, multiplierAt(window, level), range);
  };
  return {
    initial: () => ({ level: target, window: EMPTY_WINDOW }),
    adjusted,
    observe: (state, loss, { valueAtRisk, expectedShortfall }) => {
      requireLoss(loss);
      const { valueAtRisk: own, status } = adjusted(state, valueAtRisk, expectedShortfall);
      return {
        level:
          status === 'unadjusted'
            ? state.level
            : state.level - rate * learntError(status, loss > own, target),
        window: withScore(state.window, conformityScore(loss, valueAtRisk), capacity),
      };
    },
  };
}

function requireAdaptive(confidence: number, rate: number, range: MultiplierRange): void {
  requireConfidence(confidence);
  requireWithin('the rate', rate, Number.MIN_VALUE, 1);
  requireRange(range);
}
