import { refusal, requireConfidence, requireWhole, requireWithin } from '../numeric/inputs.ts';
import {
  type AdjustedRisk,
  type Calibrator,
  conformityScore,
  learntError,
  type MultiplierRange,
  requireLoss,
  requireRange,
  requireScalable,
  scaledWithin,
  WIDE_RANGE,
} from './adjustment.ts';

/** The derivative part: forecasts how the next score departs from what the tracker knows. State and result plain data. */
export interface Scorecaster<Cast> {
  initial(): Cast;
  /** Finite; added to the multiplier. */
  forecast(cast: Cast): number;
  observe(cast: Cast, score: number): Cast;
}

export interface PidOptions<Cast> {
  readonly confidence: number;
  /** Share of the trailing maximum of the scores that is the tracker's rate. Default 0.1, the paper's. */
  readonly rate?: number;
  /** Steps of that maximum. Default 500. */
  readonly window?: number;
  /** K_I at least 0, in multiples of the predictor's VaR; 0 leaves the integrator out. Default 1. */
  readonly gain?: number;
  /** C_sat above 0. Default `saturationFor(8760, α)`: in a year of hours within α of α. */
  readonly saturation?: number;
  /** Steps added to the clock of the saturation, at least 2: without them one early exceedance saturates it. Default 8 / α. */
  readonly headStart?: number;
  /** Multiplier that the tracker starts from. Default 1. */
  readonly start?: number;
  readonly scorecaster?: Scorecaster<Cast>;
  readonly range?: MultiplierRange;
}

export interface PidState<Cast> {
  readonly steps: number;
  /** The quantile tracker, a multiple of the predictor's VaR. */
  readonly tracker: number;
  /** Σ (hit − α), without the steps that teach nothing. */
  readonly errorSum: number;
  /** Scores of the window that no later one exceeds, falling, and the steps at which they came: the first is the maximum. */
  readonly peaks: readonly number[];
  readonly peakSteps: readonly number[];
  readonly cast: Cast | null;
}

/**
 * The C_sat at which the integrator alone keeps |mean hit − α| within a tolerance after so many steps, from the bound of
 * `pid` without a head start: (2 / π) ln(T) (δ − 1 / T). (The paper's appendix has ⌈ln(T) δ⌉ in it, which at δ below
 * 1 / ln(T) is coarser than a tolerance of 1 % can use.)
 *
 * @throws PlimsollError INPUT_INVALID unless δ > 1 / T.
 */
export function saturationFor(steps: number, tolerance: number): number {
  requireWhole('the steps', steps, 3);
  if (!(tolerance > 1 / steps && tolerance < 1))
    throw refusal(`the tolerance is ${tolerance}`, `Give a number from 1 / ${steps} to 1.`);
  return (2 / Math.PI) * Math.log(steps) * (tolerance - 1 / steps);
}

/**
 * Conformal PID control (Angelopoulos, Candès and Tibshirani 2023) of the scores loss / VaR:
 *
 *   multiplierₜ₊₁ = qₜ₊₁ + rₜ(Σ (hit − α)) + scorecastₜ₊₁,
 *   qₜ₊₁ = qₜ + ηₜ (hitₜ − α),   ηₜ = 0.1 max of the trailing scores,
 *   rₜ(x) = K_I tan(x ln(t) / (t C_sat)),   ±∞ where the angle is beyond ±π / 2.
 *
 * For any losses with scores within the range of multipliers, with t counted from the head start t₀,
 *
 *   |mean hit − α| ≤ (π / 2 · C_sat (T + t₀) / ln(T + t₀) + 1) / T.
 *
 * +∞ is the greatest multiplier of the range here, and a clipped step. One whose loss is beyond the range teaches neither the
 * sum nor q anything (`learntError`), so neither runs away.
 *
 * @throws PlimsollError INPUT_INVALID for options out of range, and in use for a scorecast that is not finite.
 */
export function pid<Cast = null>(options: PidOptions<Cast>): Calibrator<PidState<Cast>> {
  const {
    confidence,
    rate = 0.1,
    window = 500,
    gain = 1,
    start = 1,
    range = WIDE_RANGE,
    scorecaster,
  } = options;
  requireConfidence(confidence);
  const target = 1 - confidence;
  const saturation = options.saturation ?? saturationFor(8760, target);
  const headStart = options.headStart ?? Math.ceil(8 / target);
  requireWithin('the rate', rate, 0, 10);
  requireWhole('the window', window, 1);
  requireWithin('the gain', gain, 0, 1e6);
  requireWithin('the saturation', saturation, Number.MIN_VALUE, 1e6);
  requireWhole('the head start', headStart, 2);
  requireRange(range);
  requireWithin('the start', start, 0, range.greatest);

  /** The largest |x| at which rₜ is finite. */
  const greatestSum = (steps: number): number =>
    ((Math.PI / 2) * saturation * (steps + headStart)) / Math.log(steps + headStart);

  const integral = (errorSum: number, steps: number): number => {
    if (gain === 0) return 0;
    const share = errorSum / greatestSum(steps);
    if (share >= 1) return Number.POSITIVE_INFINITY;
    if (share <= -1) return Number.NEGATIVE_INFINITY;
    return gain * Math.tan((Math.PI / 2) * share);
  };

  const adjusted = (
    { tracker, errorSum, steps, cast }: PidState<Cast>,
    valueAtRisk: number,
    expectedShortfall: number,
  ): AdjustedRisk => {
    requireScalable(valueAtRisk, expectedShortfall);
    const scorecast = scorecaster === undefined || cast === null ? 0 : scorecaster.forecast(cast);
    if (!Number.isFinite(scorecast))
      throw refusal(`the scorecast is ${scorecast}`, 'Let the scorecaster forecast finite scores only.');
    return scaledWithin(
      valueAtRisk,
      expectedShortfall,
      tracker + scorecast + integral(errorSum, steps),
      range,
    );
  };

  return {
    initial: () => ({
      steps: 0,
      tracker: start,
      errorSum: 0,
      peaks: [],
      peakSteps: [],
      cast: scorecaster === undefined ? null : scorecaster.initial(),
    }),
    adjusted,
    observe: (state, loss, { valueAtRisk, expectedShortfall }) => {
      requireLoss(loss);
      const steps = state.steps + 1;
      const score = conformityScore(loss, valueAtRisk);
      const { valueAtRisk: own, status } = adjusted(state, valueAtRisk, expectedShortfall);
      const error = learntError(status, loss > own, target);
      const { peaks, peakSteps } = withPeak(state, score, steps, window);
      const tracker = state.tracker + rate * Math.max(peaks[0], 0) * error;
      return {
        steps,
        tracker: Math.min(Math.max(tracker, 0), range.greatest) + 0,
        errorSum: state.errorSum + error,
        peaks,
        peakSteps,
        cast:
          scorecaster === undefined || state.cast === null ? null : scorecaster.observe(state.cast, score),
      };
    },
  };
}

/** The falling queue whose first entry is the maximum of the trailing window. */
function withPeak<Cast>(
  { peaks, peakSteps }: PidState<Cast>,
  score: number,
  step: number,
  window: number,
): { peaks: number[]; peakSteps: number[] } {
  let first = 0;
  while (first < peaks.length && peakSteps[first] <= step - window) first++;
  let end = peaks.length;
  while (end > first && peaks[end - 1] <= score) end--;
  const nextPeaks = peaks.slice(first, end);
  const nextSteps = peakSteps.slice(first, end);
  nextPeaks.push(score);
  nextSteps.push(step);
  return { peaks: nextPeaks, peakSteps: nextSteps };
}
