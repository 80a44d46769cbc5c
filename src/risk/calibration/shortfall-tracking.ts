import { requireConfidence, requireWithin } from '../numeric/inputs.ts';
import type { TailRisk } from '../tail/value-at-risk.ts';
import {
  type AdjustedRisk,
  type Calibrator,
  type MultiplierRange,
  requireForecast,
  requireLoss,
  requireRange,
  shifted,
  unadjusted,
  WIDE_RANGE,
} from './adjustment.ts';
import { trackingRate } from './quantile-tracking.ts';

export interface ShortfallTrackingOptions {
  readonly confidence: number;
  /** ρ above 0: about what an excess as large as forecast adds to the log stretch. Default `trackingRate`. */
  readonly rate?: number;
  /** c at least 1: an excess of more forecast excesses than this counts as this many. Default 10. */
  readonly largestExcess?: number;
  /** Of the factor by which ES − VaR is multiplied. */
  readonly range?: MultiplierRange;
}

export interface ShortfallTrackingState {
  /** φₜ: ES is VaR + (the predictor's ES − VaR) exp(φₜ). */
  readonly logStretch: number;
}

/**
 * Tracks how far ES lies beyond VaR, which a VaR that is right says nothing of: an adjuster of VaR keeps ES / VaR as the
 * predictor has it, and so its error. VaR is left alone; put this behind an adjuster of VaR with `inSequence`.
 *
 *   ESₜ = VaRₜ + (predictor's ES − VaR)ₜ exp(φₜ),   φₜ₊₁ = φₜ + ρ (xₜ − α),   xₜ = min((lossₜ − VaRₜ)⁺ / (ESₜ − VaRₜ), c):
 *
 * stochastic approximation (Robbins and Monro 1951) of the φ at which the mean of x is α. That is what ES means where α is
 * the exceedance rate, E(loss − VaR)⁺ = α (ES − VaR) (Rockafellar and Uryasev 2000), and x / α is the e-value of
 * `expected-shortfall`. For any losses whose excess is at most X of the predictor's own (X at least α), from φ₁ = 0,
 *
 *   mean x − α ≤ (ln(X / α) + ρ c) / (ρ T):
 *
 * ES is not exceeded by more than it says in the long run, but for what c cuts off. On the other side there is no bound,
 * since losses may never exceed VaR at all: φ then stops at the least of its range. Where ES equals VaR there is nothing to
 * multiply, and nothing is learnt.
 *
 * @throws PlimsollError INPUT_INVALID for options out of range.
 */
export function shortfallTracking(options: ShortfallTrackingOptions): Calibrator<ShortfallTrackingState> {
  const { confidence, largestExcess = 10, range = WIDE_RANGE } = options;
  requireConfidence(confidence);
  const rate = options.rate ?? trackingRate(confidence);
  requireWithin('the rate', rate, Number.MIN_VALUE, 10);
  requireWithin('the largest excess', largestExcess, 1, 1e6);
  requireRange(range);
  const target = 1 - confidence;

  const adjusted = (
    { logStretch }: ShortfallTrackingState,
    valueAtRisk: number,
    expectedShortfall: number,
  ): AdjustedRisk => {
    requireForecast(valueAtRisk, expectedShortfall);
    const excess = expectedShortfall - valueAtRisk;
    if (excess === 0) return unadjusted(valueAtRisk, expectedShortfall);
    const stretch = Math.exp(logStretch);
    const kept = Math.min(Math.max(stretch, range.least), range.greatest);
    const status = stretch > kept ? 'clipped-high' : stretch < kept ? 'clipped-low' : 'adjusted';
    const { expectedShortfall: shortfall } = shifted(valueAtRisk, valueAtRisk, excess * kept, status);
    return { valueAtRisk, expectedShortfall: shortfall, status };
  };

  return {
    initial: () => ({ logStretch: 0 }),
    adjusted,
    observe: (state, loss, forecast: TailRisk) => {
      requireLoss(loss);
      const { valueAtRisk, expectedShortfall, status } = adjusted(
        state,
        forecast.valueAtRisk,
        forecast.expectedShortfall,
      );
      if (status === 'unadjusted') return state;
      // Halves, because a difference of two finite numbers may overflow.
      const excess = Math.max(loss / 2 - valueAtRisk / 2, 0) / (expectedShortfall / 2 - valueAtRisk / 2);
      const share = Number.isNaN(excess) ? 0 : Math.min(excess, largestExcess);
      // As `learntError` has it: no further beyond the end that it is clipped at.
      const isHeld = share > target ? status === 'clipped-high' : status === 'clipped-low';
      return isHeld ? state : { logStretch: state.logStretch + rate * (share - target) };
    },
  };
}
