import { refusal } from '../numeric/inputs.ts';
import type { TailRisk } from '../tail/value-at-risk.ts';
import {
  type AdjustedRisk,
  type Calibrator,
  requireForecast,
  requireLoss,
  scaled,
  shifted,
} from './adjustment.ts';

/** Between what an adjusted VaR may lie, in its unit. */
export interface Corridor {
  /** VaR is at least this, whatever the adjuster has learnt; the classical estimate or the stress loss. */
  readonly floor: number;
  /** VaR is at most this. Where it is below the floor the floor counts: too much margin is the safer error. */
  readonly ceiling: number;
}

export interface CorridorCounts {
  readonly steps: number;
  readonly exceedances: number;
  /** Steps in which the adjuster had not seen enough to adjust anything. */
  readonly unadjusted: number;
  /** Steps whose VaR was held below what the adjuster wanted, by the ceiling or by the adjuster's own range. */
  readonly clippedHigh: number;
  /** Steps whose VaR was held above what the adjuster wanted. */
  readonly clippedLow: number;
  readonly exceedancesClippedHigh: number;
  readonly exceedancesClippedLow: number;
}

export interface CorridorState<State> {
  /** The adjuster's own state: the same, to the bit, as without a corridor. */
  readonly inner: State;
  readonly counts: CorridorCounts;
}

const NO_COUNTS: CorridorCounts = {
  steps: 0,
  exceedances: 0,
  unadjusted: 0,
  clippedHigh: 0,
  clippedLow: 0,
  exceedancesClippedHigh: 0,
  exceedancesClippedLow: 0,
};

/**
 * VaR clipped into a corridor. ES moves by the factor that VaR moves by (by the same sum where VaR is not positive), so it
 * is never below VaR. `clipped-high` says that more was wanted, `clipped-low` that less was.
 *
 * @throws PlimsollError INPUT_INVALID for a floor or ceiling that is no number (the ceiling may be infinite), or what
 * `requireForecast` refuses.
 */
export function clipToCorridor(risk: AdjustedRisk, { floor, ceiling }: Corridor): AdjustedRisk {
  requireForecast(risk.valueAtRisk, risk.expectedShortfall);
  if (!Number.isFinite(floor) || Number.isNaN(ceiling) || ceiling === Number.NEGATIVE_INFINITY)
    throw refusal(
      `the corridor reaches from ${floor} to ${ceiling}`,
      'Give a finite floor, and a ceiling or Infinity.',
    );
  if (risk.valueAtRisk < floor) return moved(risk, floor, 'clipped-low');
  if (risk.valueAtRisk > Math.max(ceiling, floor))
    return moved(risk, Math.max(ceiling, floor), 'clipped-high');
  return risk;
}

/** Adjusted VaR and ES of a step, within the corridor of that step. */
export function adjustedWithin<State>(
  calibrator: Calibrator<State>,
  state: CorridorState<State>,
  { valueAtRisk, expectedShortfall }: TailRisk,
  corridor: Corridor,
): AdjustedRisk {
  return clipToCorridor(calibrator.adjusted(state.inner, valueAtRisk, expectedShortfall), corridor);
}

/**
 * The state after a loss. Anti-windup: the adjuster is fed with the exceedances of its own VaR, not of the clipped one. The
 * loss does not depend on what was published, so this is observed in every step; the loop that its guarantee rests on stays
 * closed, its state stays within its proven bounds however long the corridor holds, and when the corridor lets go it
 * answers at once. Of the clipped VaR nothing is guaranteed, which is what the counts are for.
 */
export function observeWithin<State>(
  calibrator: Calibrator<State>,
  state: CorridorState<State>,
  loss: number,
  forecast: TailRisk,
  corridor: Corridor,
): CorridorState<State> {
  requireLoss(loss);
  const { valueAtRisk, status } = adjustedWithin(calibrator, state, forecast, corridor);
  const hit = loss > valueAtRisk ? 1 : 0;
  const high = status === 'clipped-high' ? 1 : 0;
  const low = status === 'clipped-low' ? 1 : 0;
  const { counts } = state;
  return {
    inner: calibrator.observe(state.inner, loss, forecast),
    counts: {
      steps: counts.steps + 1,
      exceedances: counts.exceedances + hit,
      unadjusted: counts.unadjusted + (status === 'unadjusted' ? 1 : 0),
      clippedHigh: counts.clippedHigh + high,
      clippedLow: counts.clippedLow + low,
      exceedancesClippedHigh: counts.exceedancesClippedHigh + hit * high,
      exceedancesClippedLow: counts.exceedancesClippedLow + hit * low,
    },
  };
}

/**
 * An adjuster with a corridor around it, as an adjuster.
 *
 * @param corridorOf the corridor of a step from the predictor's forecast. Where it comes from elsewhere (a stress loss of
 * the hour), use `adjustedWithin` and `observeWithin`.
 */
export function inCorridor<State>(
  calibrator: Calibrator<State>,
  corridorOf: (forecast: TailRisk) => Corridor,
): Calibrator<CorridorState<State>> {
  return {
    initial: () => ({ inner: calibrator.initial(), counts: NO_COUNTS }),
    adjusted: (state, valueAtRisk, expectedShortfall) => {
      const forecast = { valueAtRisk, expectedShortfall };
      return adjustedWithin(calibrator, state, forecast, corridorOf(forecast));
    },
    observe: (state, loss, forecast) =>
      observeWithin(calibrator, state, loss, forecast, corridorOf(forecast)),
  };
}

function moved(
  { valueAtRisk, expectedShortfall, status: before }: AdjustedRisk,
  target: number,
  direction: 'clipped-low' | 'clipped-high',
): AdjustedRisk {
  // What the adjuster wanted lies beyond its own range already: its direction stays.
  const status = before === 'clipped-low' || before === 'clipped-high' ? before : direction;
  const factor = target / valueAtRisk;
  const isScalable = valueAtRisk > 0 && target > 0 && Number.isFinite(factor);
  const { expectedShortfall: shortfall } = isScalable
    ? scaled(valueAtRisk, expectedShortfall, factor, status)
    : shifted(valueAtRisk, expectedShortfall, target - valueAtRisk, status);
  // VaR is the target itself, not the product that may miss it by a rounding.
  return { valueAtRisk: target, expectedShortfall: Math.max(shortfall, target), status };
}
