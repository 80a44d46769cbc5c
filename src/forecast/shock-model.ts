import { FEATURE_COUNT, HAR_FEATURES } from '../features/spec.ts';
import { HORIZON_COUNT } from './predictor.ts';

/**
 * A trained shock model without its surroundings: everything that turns a feature row into a forecast. The weights are
 * float32, as TF.js trains them; all else is float64.
 */
export interface ShockModel {
  readonly featureMean: Float64Array;
  readonly featureDeviation: Float64Array;
  /** By horizon: intercept, then one coefficient for each of `HAR_FEATURES`. */
  readonly harCoefficients: readonly Float64Array[];
  /** By path and confidence: factor on VaR and ES, from a time-later slice. */
  readonly calibration: Float64Array;
  /** Networks of the same shape whose forecasts are averaged. */
  readonly members: readonly NetworkWeights[];
}

/** Dense layers, input first. */
export interface NetworkWeights {
  readonly layers: readonly DenseLayer[];
}

export interface DenseLayer {
  readonly inputs: number;
  readonly outputs: number;
  /** Row-major, inputs × outputs. */
  readonly kernel: Float32Array;
  readonly bias: Float32Array;
}

/** A standardised feature counts at most this many deviations, so that a market unlike any other cannot run away. */
export const FEATURE_BOUND = 4;

/**
 * Feature rows as the network sees them: standardised, bounded, float32.
 *
 * @param features row-major, `FEATURE_COUNT` per row.
 */
export function networkInputs(
  features: Float64Array,
  rows: number,
  mean: Float64Array,
  deviation: Float64Array,
): Float32Array {
  const inputs = new Float32Array(rows * FEATURE_COUNT);
  for (let i = 0; i < inputs.length; i++) {
    const f = i % FEATURE_COUNT;
    const standard = (features[i] - mean[f]) / deviation[f];
    inputs[i] = Math.min(Math.max(standard, -FEATURE_BOUND), FEATURE_BOUND);
  }
  return inputs;
}

/** The linear log-HAR-X that the network is nested in: volatility over a horizon, from the row at `offset`. */
export function harScale(features: Float64Array, offset: number, coefficients: Float64Array): number {
  let log = coefficients[0];
  for (let k = 0; k < HAR_FEATURES.length; k++)
    log += coefficients[k + 1] * features[offset + HAR_FEATURES[k]];
  return Math.exp(log);
}

/** The scales of one row, by horizon. */
export function harScales(
  features: Float64Array,
  offset: number,
  model: ShockModel['harCoefficients'],
): Float64Array {
  const scales = new Float64Array(HORIZON_COUNT);
  for (let h = 0; h < HORIZON_COUNT; h++) scales[h] = harScale(features, offset, model[h]);
  return scales;
}
