import { refusal, requireSameLength, requireSeries } from '../numeric/inputs.ts';

/**
 * Scores of variance forecasts against realised variance; lower is better. These two rank forecasts the same whether the
 * variance itself or an unbiased, noisy proxy of it is seen (Patton 2011). Variances in one unit, of one horizon.
 */

/**
 * QLIKE = RV/f − ln(RV/f) − 1, 0 where the forecast was right. It does not depend on the unit.
 *
 * @param realisedVariance RV > 0. @param forecast f > 0.
 */
export function qlike(realisedVariance: number, forecast: number): number {
  const ratio = realisedVariance / forecast;
  if (ratio < 0.5) return ratio - Math.log(ratio) - 1;
  // Near 1 the three terms cancel; log1p keeps what is left.
  const excess = (realisedVariance - forecast) / forecast;
  return excess - Math.log1p(excess);
}

/**
 * QLIKE by observation.
 *
 * @throws PlimsollError INPUT_INVALID for a variance that is not above 0 or no number, DATA_INSUFFICIENT for none at all.
 */
export function qlikes(realisedVariances: Float64Array, forecasts: Float64Array): Float64Array {
  requireVariances(realisedVariances, forecasts);
  for (let t = 0; t < forecasts.length; t++)
    if (!(realisedVariances[t] > 0 && forecasts[t] > 0))
      throw refusal(
        `observation ${t + 1} has a variance that is not above zero`,
        'Leave out observations without trades, and forecast a variance above zero.',
      );
  return realisedVariances.map((variance, t) => qlike(variance, forecasts[t]));
}

/** Mean QLIKE. @throws PlimsollError as `qlikes`. */
export function meanQlike(realisedVariances: Float64Array, forecasts: Float64Array): number {
  return meanOf(qlikes(realisedVariances, forecasts));
}

/**
 * Squared errors (RV − f)² by observation, in the square of the variances' unit.
 *
 * @throws PlimsollError INPUT_INVALID for a value that is no number, DATA_INSUFFICIENT for none at all.
 */
export function squaredErrors(realisedVariances: Float64Array, forecasts: Float64Array): Float64Array {
  requireVariances(realisedVariances, forecasts);
  return realisedVariances.map((variance, t) => (variance - forecasts[t]) ** 2);
}

/** Mean squared error. @throws PlimsollError as `squaredErrors`. */
export function meanSquaredError(realisedVariances: Float64Array, forecasts: Float64Array): number {
  return meanOf(squaredErrors(realisedVariances, forecasts));
}

function requireVariances(realisedVariances: Float64Array, forecasts: Float64Array): void {
  requireSameLength('realised variances and forecasts', realisedVariances.length, forecasts.length);
  requireSeries('realised variances', realisedVariances, 1);
  requireSeries('variance forecasts', forecasts, 1);
}

function meanOf(values: Float64Array): number {
  let sum = 0;
  for (let t = 0; t < values.length; t++) sum += values[t];
  return sum / values.length;
}
