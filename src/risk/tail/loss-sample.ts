import type { BarSeries } from '../bars.ts';
import { refusal, requireSeries, requireWhole } from '../numeric/inputs.ts';
import { adverseExcursions } from './excursions.ts';

export type Side = 'long' | 'short';
/** terminal: the loss at the end of the horizon. excursion: the worst loss on the path to it. */
export type LossTarget = 'terminal' | 'excursion';

/**
 * What a position lost from each origin of a history over a horizon, beside the returns that each origin knew. Origins are one step
 * apart, so that the losses of longer horizons overlap: they are as many as they are, but tell only of `effectiveCount`.
 */
export interface LossSample {
  readonly side: Side;
  readonly target: LossTarget;
  /** Steps. */
  readonly horizon: number;
  /** By origin, oldest first, as a share of the price at the origin; a gain is a negative loss, but of excursions, which are at least 0. */
  readonly losses: Float64Array;
  /** Simple returns by step. Origin i knows the first i of them, and its loss comes from the next ones; today's origin knows all. */
  readonly returns: Float64Array;
  /** Whether extremes within a step are seen, or only the prices at its ends. */
  readonly seesWithinSteps: boolean;
}

/** Losses that do not overlap: n / horizon, at least 1. */
export function effectiveCount({ losses, horizon }: LossSample): number {
  return Math.max(losses.length / horizon, 1);
}

/**
 * From simple returns by step. The path is known at the ends of steps only, so that an excursion is that of those prices.
 *
 * @param returns finite; for a horizon of more than one step above −1, so that prices stay positive. @param horizon whole, at least 1.
 * @throws PlimsollError INPUT_INVALID, DATA_INSUFFICIENT.
 */
export function lossesOfReturns(
  returns: Float64Array,
  side: Side,
  horizon: number,
  target: LossTarget,
): LossSample {
  requireWhole('the horizon', horizon, 1);
  requireSeries('returns', returns, horizon);
  // A single step is not compounded: its returns may be of any unit, such as percent.
  const worst = horizon === 1 ? -1 : returns.findIndex((value) => value <= -1);
  if (worst >= 0)
    throw refusal(
      `return ${worst + 1} is ${returns[worst]}: no price falls by all it is worth`,
      'Give simple returns as shares, 0.01 for 1 %, where horizons have more than one step.',
    );
  const origins = returns.length - horizon + 1;
  const losses = new Float64Array(origins);
  const sign = side === 'long' ? -1 : 1;
  for (let i = 0; i < origins; i++) {
    let growth = 1;
    let loss = target === 'excursion' ? 0 : Number.NEGATIVE_INFINITY;
    for (let h = 0; h < horizon; h++) {
      growth *= 1 + returns[i + h];
      if (target === 'excursion' || h === horizon - 1) loss = Math.max(loss, sign * (growth - 1));
    }
    // One step needs no compounding, and loses no digit to it.
    losses[i] = horizon === 1 ? Math.max(sign * returns[i], target === 'excursion' ? 0 : -Infinity) : loss;
  }
  return { side, target, horizon, losses, returns, seesWithinSteps: false };
}

/**
 * From bars: excursions by the lows and highs within bars. Origins are closes; those whose horizon has a gap are left out, and so is
 * what came before the last of them, since the returns that an origin knows must be without one.
 *
 * @throws PlimsollError INPUT_INVALID, DATA_INSUFFICIENT where no origin has a whole horizon.
 */
export function lossesOfBars(bars: BarSeries, side: Side, horizon: number, target: LossTarget): LossSample {
  requireWhole('the horizon', horizon, 1);
  let start = bars.length - 1;
  while (start > 0 && bars.openTime[start] - bars.openTime[start - 1] === bars.intervalMilliseconds) start--;
  const steps = bars.length - 1 - start;
  const returns = Float64Array.from(
    { length: steps },
    (_, i) => bars.close[start + i + 1] / bars.close[start + i] - 1,
  );
  requireSeries('returns between bars without a gap', returns, horizon);
  if (target === 'terminal') return lossesOfReturns(returns, side, horizon, target);
  const losses = adverseExcursions(bars, horizon)[side].slice(start);
  return { side, target, horizon, losses, returns, seesWithinSteps: true };
}
