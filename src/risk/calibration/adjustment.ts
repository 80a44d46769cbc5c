import { refusal } from '../numeric/inputs.ts';
import type { TailRisk } from '../tail/value-at-risk.ts';

/**
 * What all adjusters share. Losses are positive and of the same unit as VaR and ES; an exceedance is a loss strictly above
 * VaR. A clipped step is one in which the adjuster would have gone further than it may: its guarantee is void there, so the
 * step says so.
 */
export type AdjustmentStatus = 'adjusted' | 'unadjusted' | 'clipped-low' | 'clipped-high';

export interface AdjustedRisk extends TailRisk {
  /** `unadjusted`: the adjuster has not seen enough yet and hands on the predictor's own forecast. */
  readonly status: AdjustmentStatus;
}

/**
 * One adjuster of one stream of forecasts, whatever the predictor, the side and the horizon. A state is plain data (numbers
 * and arrays, nothing that JSON would change); each function is pure, so a stored state replays bit for bit.
 *
 * The stream's feedback must not be late: what is known of forecast t must have been observed before forecast t + 1 is
 * adjusted. For horizons longer than a step see `delayed-chains.ts`.
 */
export interface Calibrator<State> {
  initial(): State;
  /** @throws PlimsollError INPUT_INVALID for a forecast that is not finite, an ES below VaR, or a VaR that cannot be scaled. */
  adjusted(state: State, valueAtRisk: number, expectedShortfall: number): AdjustedRisk;
  /**
   * The state after a loss. An adjuster learns from what it would have said itself, not from what was published: whatever
   * clips its forecast later cannot make its state run away. What clips it in its own range is seen to by `learntError`.
   *
   * @param forecast the predictor's own VaR and ES, as they were given to `adjusted`.
   * @throws PlimsollError INPUT_INVALID for a loss that is not finite, and what `adjusted` refuses.
   */
  observe(state: State, loss: number, forecast: TailRisk): State;
}

/** How far a multiple of the predictor's VaR may go. Reaching an end is a clipped step. */
export interface MultiplierRange {
  /** In (0, 1]. */
  readonly least: number;
  /** At least 1. */
  readonly greatest: number;
}

export const WIDE_RANGE: MultiplierRange = { least: 0.1, greatest: 10 };

/** Beyond this a score says nothing more; it keeps sums and maxima finite where VaR is next to nothing. */
const LARGEST_SCORE = 1e9;

/** @throws PlimsollError INPUT_INVALID unless 0 < least <= 1 <= greatest, both finite. */
export function requireRange({ least, greatest }: MultiplierRange): void {
  if (!(least > 0 && least <= 1 && greatest >= 1 && greatest < Number.POSITIVE_INFINITY))
    throw refusal(
      `the multipliers may not range from ${least} to ${greatest}`,
      'Give a least one in (0, 1] and a finite greatest one of at least 1.',
    );
}

/** @throws PlimsollError INPUT_INVALID unless both are finite and ES is not below VaR. */
export function requireForecast(valueAtRisk: number, expectedShortfall: number): void {
  if (!(Number.isFinite(valueAtRisk) && Number.isFinite(expectedShortfall)))
    throw refusal(
      `the forecast is VaR ${valueAtRisk}, ES ${expectedShortfall}`,
      'Give finite numbers; leave the step out where there is no forecast.',
    );
  if (expectedShortfall < valueAtRisk)
    throw refusal(
      `ES ${expectedShortfall} is below VaR ${valueAtRisk}`,
      'ES is the mean of the losses beyond VaR.',
    );
}

/** @throws PlimsollError INPUT_INVALID as `requireForecast`, and for a VaR of 0 or less, which no multiple moves. */
export function requireScalable(valueAtRisk: number, expectedShortfall: number): void {
  requireForecast(valueAtRisk, expectedShortfall);
  if (!(valueAtRisk > 0))
    throw refusal(
      `VaR is ${valueAtRisk}, and a multiple of it is sought`,
      'Raise the forecast to the least loss that counts, or adjust it by a sum.',
    );
}

/** @throws PlimsollError INPUT_INVALID unless it is finite. */
export function requireLoss(loss: number): void {
  if (!Number.isFinite(loss))
    throw refusal(`the loss is ${loss}`, 'Leave the step out where nothing was observed.');
}

/** The conformity score of the multiplicative forms: loss / VaR, within ±1e9. An exceedance is a score above the multiplier. */
export function conformityScore(loss: number, valueAtRisk: number): number {
  const score = loss / valueAtRisk;
  // Adding 0 turns −0 into 0: JSON does not know the difference.
  return Math.min(Math.max(score, -LARGEST_SCORE), LARGEST_SCORE) + 0;
}

/**
 * Both moved by one factor, so that ES / VaR stays.
 *
 * @param valueAtRisk above 0. @param multiplier at least 0.
 */
export function scaled(
  valueAtRisk: number,
  expectedShortfall: number,
  multiplier: number,
  status: AdjustmentStatus,
): AdjustedRisk {
  const product = finite(valueAtRisk * multiplier);
  // A VaR that underflows to 0 could be multiplied by nothing again.
  const scaledValueAtRisk = multiplier > 0 ? Math.max(product, Number.MIN_VALUE) : product;
  return {
    valueAtRisk: scaledValueAtRisk,
    expectedShortfall: Math.max(finite(expectedShortfall * multiplier), scaledValueAtRisk),
    status,
  };
}

/** The same with the multiplier kept in its range, which the status tells. */
export function scaledWithin(
  valueAtRisk: number,
  expectedShortfall: number,
  multiplier: number,
  range: MultiplierRange,
): AdjustedRisk {
  if (multiplier > range.greatest)
    return scaled(valueAtRisk, expectedShortfall, range.greatest, 'clipped-high');
  if (multiplier < range.least) return scaled(valueAtRisk, expectedShortfall, range.least, 'clipped-low');
  return scaled(valueAtRisk, expectedShortfall, multiplier, 'adjusted');
}

/** Both moved by one sum, so that ES − VaR stays. */
export function shifted(
  valueAtRisk: number,
  expectedShortfall: number,
  sum: number,
  status: AdjustmentStatus,
): AdjustedRisk {
  const shiftedValueAtRisk = finite(valueAtRisk + sum);
  return {
    valueAtRisk: shiftedValueAtRisk,
    expectedShortfall: Math.max(finite(expectedShortfall + sum), shiftedValueAtRisk),
    status,
  };
}

/**
 * What an adjuster learns from a step: hit − α, or 0 where it could not have done better. That is where it is clipped and the
 * loss lies beyond the end it is clipped at. Integrating those steps as well would drive the state away for as long as they
 * last (conditional integration, Åström and Hägglund 2006, section 3.5). No loss within the range of multipliers is such a
 * step, so every bound for losses within the range is as it would be without this rule.
 */
export function learntError(status: AdjustmentStatus, isHit: boolean, target: number): number {
  if (isHit ? status === 'clipped-high' : status === 'clipped-low') return 0;
  return (isHit ? 1 : 0) - target;
}

export function unadjusted(valueAtRisk: number, expectedShortfall: number): AdjustedRisk {
  return { valueAtRisk, expectedShortfall, status: 'unadjusted' };
}

/** The product or sum of two finite numbers, held at the largest finite ones where it overflows. */
function finite(value: number): number {
  return Math.min(Math.max(value, -Number.MAX_VALUE), Number.MAX_VALUE);
}
