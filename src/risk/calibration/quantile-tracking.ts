import { requireConfidence, requireWithin } from '../numeric/inputs.ts';
import {
  type Calibrator,
  learntError,
  type MultiplierRange,
  requireLoss,
  requireRange,
  requireScalable,
  scaledWithin,
  WIDE_RANGE,
} from './adjustment.ts';

export interface QuantileTrackingOptions {
  readonly confidence: number;
  /** η above 0: about what an exceedance adds to the log multiplier. Default `trackingRate`. */
  readonly rate?: number;
  readonly range?: MultiplierRange;
}

/**
 * The η at which a calibrated multiplier moves by 1 % a step (standard deviation), whatever the level: 0.01 / √α. On the
 * 24-hour excursions of recorded markets the pinball loss is lowest about there: 0.1 at 99 %, 0.045 at 95 %.
 */
export function trackingRate(confidence: number): number {
  return 0.01 / Math.sqrt(1 - confidence);
}

export interface QuantileTrackingState {
  /** θₜ: VaR is the predictor's times exp(θₜ). */
  readonly logMultiplier: number;
}

/**
 * Quantile tracking of the log scores, ln(loss / VaR): the multiplicative form of the proportional part of conformal PID
 * control (Angelopoulos, Candès and Tibshirani 2023), gradient descent on the pinball loss,
 *
 *   VaRₜ = predictorₜ · exp(θₜ),   θₜ₊₁ = θₜ + η (hitₜ − α).
 *
 * For any losses, even an adversary's, whose log scores lie within [L, U] around 0, θ stays within [L − η α, U + η (1 − α)] and,
 * from θ₁ = 0, after T steps
 *
 *   −(η α − L) / (η T) ≤ mean hit − α ≤ (U + η (1 − α)) / (η T).
 *
 * The multiplier is held within its range; beyond an end the step is clipped, and where the loss lies there too it teaches
 * θ nothing (`learntError`). Not learning from losses below the range only makes exceedances rarer, so the upper bound
 * stays. It matters: a market that stands still has losses of 0, and no lower L.
 *
 * @throws PlimsollError INPUT_INVALID for options out of range.
 */
export function quantileTracking(options: QuantileTrackingOptions): Calibrator<QuantileTrackingState> {
  const { confidence, rate = trackingRate(confidence), range = WIDE_RANGE } = options;
  requireConfidence(confidence);
  requireWithin('the rate', rate, Number.MIN_VALUE, 10);
  requireRange(range);
  const target = 1 - confidence;
  return {
    initial: () => ({ logMultiplier: 0 }),
    adjusted: ({ logMultiplier }, valueAtRisk, expectedShortfall) => {
      requireScalable(valueAtRisk, expectedShortfall);
      return scaledWithin(valueAtRisk, expectedShortfall, Math.exp(logMultiplier), range);
    },
    observe: ({ logMultiplier }, loss, { valueAtRisk, expectedShortfall }) => {
      requireScalable(valueAtRisk, expectedShortfall);
      requireLoss(loss);
      const own = scaledWithin(valueAtRisk, expectedShortfall, Math.exp(logMultiplier), range);
      const error = learntError(own.status, loss > own.valueAtRisk, target);
      return { logMultiplier: logMultiplier + rate * error };
    },
  };
}
