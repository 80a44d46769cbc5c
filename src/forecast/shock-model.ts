import { HAR_FEATURES } from '../features/spec.ts';
import { HORIZON_COUNT } from './predictor.ts';

/**
 * A trained shock model without its surroundings: everything that turns a feature row into a forecast. The weights are
 * float32, as TF.js trains them; all else is float64.
 */
export interface ShockModel {
  /** Of the shape features, as `writeShape` makes them. */
  readonly featureMean: Float64Array;
  readonly featureDeviation: Float64Array;
  /** By horizon: intercept, then one coefficient for each of `HAR_FEATURES`. */
  readonly harCoefficients: readonly Float64Array[];
  /** By horizon: expected sum of squared returns over the square of the forecast volatility, from a time-later slice. */
  readonly varianceFactors: Float64Array;
  /** Networks of the same shape whose forecasts are averaged. */
  readonly members: readonly NetworkWeights[];
}

/** Dense layers, input first. */
export interface NetworkWeights {
  readonly layers: readonly DenseLayer[];
  /**
   * Row-major, levels × `LEVELLED_OUTPUTS`: how much each of these outputs rises with each level of volatility. Added to the slope
   * of the log-HAR-X of its horizon it is never negative.
   */
  readonly levelSlopes: Float32Array;
}

export interface DenseLayer {
  readonly inputs: number;
  readonly outputs: number;
  /** Row-major, inputs × outputs. */
  readonly kernel: Float32Array;
  readonly bias: Float32Array;
}

/** Log of the volatility over a horizon by the linear log-HAR-X that the network is nested in, from the row at `offset`. */
export function harLogVolatility(features: Float64Array, offset: number, coefficients: Float64Array): number {
  let log = coefficients[0];
  for (let k = 0; k < HAR_FEATURES.length; k++)
    log += coefficients[k + 1] * features[offset + HAR_FEATURES[k]];
  return log;
}

/** The log volatilities of one row, by horizon. */
export function harLogVolatilities(
  features: Float64Array,
  offset: number,
  model: ShockModel['harCoefficients'],
): Float64Array {
  const logs = new Float64Array(HORIZON_COUNT);
  for (let h = 0; h < HORIZON_COUNT; h++) logs[h] = harLogVolatility(features, offset, model[h]);
  return logs;
}
