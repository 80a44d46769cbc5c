/**
 * The adjusters of a predictor's VaR and ES, behind one interface: `Calibrator`. Whatever the predictor and the horizon,
 * `adjusted` is what to publish and `observe` is what to do with the loss. Which one:
 *
 * | adjuster | state | bound for any losses |
 * |---|---|---|
 * | `quantileTracking` | one number | yes, the tightest; the default |
 * | `adaptiveLevel` | one number | yes; for predictors whose own far quantiles can be believed |
 * | `adaptiveScores` | a window of scores | yes, after the window's start |
 * | `pid` | a few numbers | yes, wide; quick after lasting errors |
 * | `dtaci` | a window, and two numbers for each expert | for its experts only; no γ to choose |
 * | `splitConformal` | a window of scores | no: in finite samples, of exchangeable scores |
 * | `shortfallTracking` | one number | yes, on ES: it leaves VaR alone and stands behind one of the others |
 *
 * `inCorridor` clips and counts, `inSequence` puts one behind another, `delayedChains` is for horizons of several steps,
 * `pooledTracking` for markets too young to learn alone; `eProcess` raises the alarm.
 */

import { PlimsollError } from '../../errors.ts';
import { requireSameLength } from '../numeric/inputs.ts';
import type { TailRisk } from '../tail/value-at-risk.ts';
import { type AdjustmentStatus, type Calibrator, requireForecast, unadjusted } from './adjustment.ts';

export { adaptiveLevel, adaptiveScores } from './adaptive.ts';
export type { AdjustedRisk, AdjustmentStatus, Calibrator, MultiplierRange } from './adjustment.ts';
export { inCorridor } from './corridor.ts';
export { delayedChains } from './delayed-chains.ts';
export { dtaci } from './dtaci.ts';
export { pid } from './pid.ts';
export { pooledTracking } from './pooled.ts';
export { quantileTracking } from './quantile-tracking.ts';
export { shortfallTracking } from './shortfall-tracking.ts';
export { splitConformal } from './split-conformal.ts';

/** The predictor as it is: the baseline of every comparison. */
export function noCalibration(): Calibrator<null> {
  return {
    initial: () => null,
    adjusted: (_, valueAtRisk, expectedShortfall) => {
      requireForecast(valueAtRisk, expectedShortfall);
      return unadjusted(valueAtRisk, expectedShortfall);
    },
    observe: () => null,
  };
}

export interface SequenceState<First, Second> {
  readonly first: First;
  readonly second: Second;
}

/**
 * Two adjusters, the second one on what the first one says: a quick one without a bound, then one whose bound holds for any
 * predictor, hence for this one.
 */
export function inSequence<First, Second>(
  first: Calibrator<First>,
  second: Calibrator<Second>,
): Calibrator<SequenceState<First, Second>> {
  return {
    initial: () => ({ first: first.initial(), second: second.initial() }),
    adjusted: (state, valueAtRisk, expectedShortfall) => {
      const between = first.adjusted(state.first, valueAtRisk, expectedShortfall);
      const after = second.adjusted(state.second, between.valueAtRisk, between.expectedShortfall);
      return { ...after, status: graver(between.status, after.status) };
    },
    observe: (state, loss, forecast) => {
      const between = first.adjusted(state.first, forecast.valueAtRisk, forecast.expectedShortfall);
      return {
        first: first.observe(state.first, loss, forecast),
        second: second.observe(state.second, loss, between),
      };
    },
  };
}

/** Forecasts and losses by time: entry t of each belongs together, and loss t is known before forecast t + 1 is made. */
export interface ForecastSeries {
  readonly loss: Float64Array;
  readonly valueAtRisk: Float64Array;
  readonly expectedShortfall: Float64Array;
}

export interface CalibratedSeries<State> {
  readonly valueAtRisk: Float64Array;
  readonly expectedShortfall: Float64Array;
  /** 1 where the loss exceeded the adjusted VaR. */
  readonly hits: Uint8Array;
  /** 1 where the step was clipped: what is guaranteed of the others is not of these. */
  readonly clipped: Uint8Array;
  readonly state: State;
}

/**
 * A whole series through an adjuster, as the service would have seen it: the same states and the same numbers, to the bit.
 *
 * @param from the state to go on from. Default `initial()`.
 * @throws PlimsollError INPUT_INVALID for lengths that differ, and what the adjuster refuses, with the row.
 */
export function calibrateSeries<State>(
  calibrator: Calibrator<State>,
  series: ForecastSeries,
  from: State = calibrator.initial(),
): CalibratedSeries<State> {
  const { loss } = series;
  const n = loss.length;
  requireSameLength('losses, VaR and ES', n, series.valueAtRisk.length, series.expectedShortfall.length);
  const valueAtRisk = new Float64Array(n);
  const expectedShortfall = new Float64Array(n);
  const hits = new Uint8Array(n);
  const clipped = new Uint8Array(n);
  let state = from;
  for (let t = 0; t < n; t++) {
    try {
      const forecast: TailRisk = {
        valueAtRisk: series.valueAtRisk[t],
        expectedShortfall: series.expectedShortfall[t],
      };
      const risk = calibrator.adjusted(state, forecast.valueAtRisk, forecast.expectedShortfall);
      valueAtRisk[t] = risk.valueAtRisk;
      expectedShortfall[t] = risk.expectedShortfall;
      hits[t] = loss[t] > risk.valueAtRisk ? 1 : 0;
      clipped[t] = isClipped(risk.status) ? 1 : 0;
      state = calibrator.observe(state, loss[t], forecast);
    } catch (thrown) {
      throw withRow(thrown, t);
    }
  }
  return { valueAtRisk, expectedShortfall, hits, clipped, state };
}

export function isClipped(status: AdjustmentStatus): boolean {
  return status === 'clipped-high' || status === 'clipped-low';
}

/** A clipped step is clipped whoever clipped it, the later one first; two that did not adjust did not. */
function graver(first: AdjustmentStatus, second: AdjustmentStatus): AdjustmentStatus {
  if (isClipped(second)) return second;
  if (isClipped(first)) return first;
  return first === 'unadjusted' && second === 'unadjusted' ? 'unadjusted' : 'adjusted';
}

function withRow(thrown: unknown, t: number): unknown {
  if (!(thrown instanceof PlimsollError)) return thrown;
  const { code, message, remedy, details } = thrown;
  const options = remedy === undefined ? { details, cause: thrown } : { remedy, details, cause: thrown };
  return new PlimsollError(code, `row ${t + 1}: ${message}`, options);
}
