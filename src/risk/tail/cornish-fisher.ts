import { normalDensity, normalQuantile } from '../numeric/normal.ts';
import { type Unavailable, unavailable } from '../outcome.ts';
import type { TailRisk } from './value-at-risk.ts';

export interface CornishFisherRisk extends TailRisk {
  readonly available: true;
  readonly mean: number;
  readonly deviation: number;
  readonly skewness: number;
  readonly excessKurtosis: number;
}

/**
 * The quantile of Cornish and Fisher (1938) from four moments of the losses: with z = Φ⁻¹(c),
 * h(z) = z + (z² − 1) S/6 + (z³ − 3z) K/24 − (2z³ − 5z) S²/36, VaR = m + s h(z). ES is the mean of h over the normal tail, in
 * closed form (as Maillard 2018; not the tail of an Edgeworth density, which may be negative). Moments are those of the sample, divided by n.
 *
 * @returns unavailable where h does not rise everywhere: the expansion is no distribution there and would let VaR fall as the confidence
 * rises (Maillard 2012). That is so for most crypto returns.
 */
export function cornishFisherRisk(losses: Float64Array, confidence: number): CornishFisherRisk | Unavailable {
  const { mean, deviation, skewness, excessKurtosis } = momentsOf(losses);
  if (!(deviation > 0)) return unavailable('the losses do not vary');
  if (!rises(skewness, excessKurtosis))
    return unavailable(
      `skewness ${skewness.toFixed(2)} and excess kurtosis ${excessKurtosis.toFixed(2)} lie outside the domain in which the expansion is a distribution`,
    );
  const z = normalQuantile(confidence);
  const quantile = expansion(z, z * z, z ** 3, skewness, excessKurtosis);
  // The means of z, z² and z³ beyond the quantile.
  const hazard = normalDensity(z) / (1 - confidence);
  const tailMean = expansion(hazard, 1 + z * hazard, (z * z + 2) * hazard, skewness, excessKurtosis);
  return {
    available: true,
    valueAtRisk: mean + deviation * quantile,
    expectedShortfall: mean + deviation * tailMean,
    mean,
    deviation,
    skewness,
    excessKurtosis,
  };
}

/** h as a linear form in z, z² and z³, so that it serves a z and the means of its powers alike. */
function expansion(
  z: number,
  square: number,
  cube: number,
  skewness: number,
  excessKurtosis: number,
): number {
  return (
    z +
    ((square - 1) * skewness) / 6 +
    ((cube - 3 * z) * excessKurtosis) / 24 -
    ((2 * cube - 5 * z) * skewness ** 2) / 36
  );
}

/** h′(z) = z² (K/8 − S²/6) + z S/3 + 1 − K/8 + 5 S²/36 must not be negative anywhere. */
function rises(skewness: number, excessKurtosis: number): boolean {
  const quadratic = excessKurtosis / 8 - skewness ** 2 / 6;
  const constant = 1 - excessKurtosis / 8 + (5 * skewness ** 2) / 36;
  if (quadratic < 0) return false;
  if (quadratic === 0) return skewness === 0 && constant >= 0;
  return (skewness / 3) ** 2 - 4 * quadratic * constant <= 0;
}

function momentsOf(losses: Float64Array): {
  mean: number;
  deviation: number;
  skewness: number;
  excessKurtosis: number;
} {
  const n = losses.length;
  let mean = 0;
  for (let i = 0; i < n; i++) mean += losses[i] / n;
  let [second, third, fourth] = [0, 0, 0];
  for (let i = 0; i < n; i++) {
    const d = losses[i] - mean;
    const square = d * d;
    second += square / n;
    third += (square * d) / n;
    fourth += (square * square) / n;
  }
  const isFlat = !(second > 1e-24 * mean * mean);
  return {
    mean,
    deviation: isFlat ? 0 : Math.sqrt(second),
    skewness: isFlat ? 0 : third / second ** 1.5,
    excessKurtosis: isFlat ? 0 : fourth / (second * second) - 3,
  };
}
