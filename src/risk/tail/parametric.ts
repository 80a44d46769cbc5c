import { normalDensity, normalQuantile } from '../numeric/normal.ts';
import { studentQuantile, studentTailMean } from '../numeric/student-t.ts';
import type { TailRisk } from './value-at-risk.ts';

/** Closed forms, of losses with mean 0 and variance 1; scale by the volatility and add the mean loss. */

/** VaR = Φ⁻¹(c), ES = φ(Φ⁻¹(c))/(1 − c) (McNeil, Frey and Embrechts 2015, example 2.14). */
export function normalRisk(confidence: number): TailRisk {
  const quantile = normalQuantile(confidence);
  return { valueAtRisk: quantile, expectedShortfall: normalDensity(quantile) / (1 - confidence) };
}

/**
 * Of Student's t scaled to unit variance by √((ν − 2)/ν) (the same, example 2.15).
 *
 * @param degreesOfFreedom ν, above 2.
 */
export function studentRisk(confidence: number, degreesOfFreedom: number): TailRisk {
  const scale = Math.sqrt((degreesOfFreedom - 2) / degreesOfFreedom);
  return {
    valueAtRisk: scale * studentQuantile(confidence, degreesOfFreedom),
    expectedShortfall: scale * studentTailMean(confidence, degreesOfFreedom),
  };
}

/**
 * The excursion of a driftless diffusion that ends with variance 1: by reflection, it passes a level twice as often as the end lies
 * beyond it, P(excursion > x) = 2 (1 − Φ(x)) (Bachelier 1900; Boudoukh et al. 2004).
 */
export function reflectedNormalRisk(confidence: number): TailRisk {
  return normalRisk(1 - 0.5 * (1 - confidence));
}

/** A mean loss and a volatility beside a unit risk. */
export function scaled(unit: TailRisk, volatility: number, mean = 0): TailRisk {
  return {
    valueAtRisk: mean + volatility * unit.valueAtRisk,
    expectedShortfall: mean + volatility * unit.expectedShortfall,
  };
}
