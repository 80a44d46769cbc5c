import { quantileInPlace, tailMeanInPlace } from '../numeric/quantile.ts';

/** Positive numbers are losses, in the unit of the losses given. */
export interface TailRisk {
  readonly valueAtRisk: number;
  /** Never below `valueAtRisk`. */
  readonly expectedShortfall: number;
}

/**
 * Historical simulation: the type 7 quantile and the exact tail mean of the losses as they were.
 *
 * @param losses at least one, finite. Not changed.
 * @param confidence in (0, 1), for example 0.99.
 */
export function historicalRisk(losses: Float64Array, confidence: number): TailRisk {
  return riskInPlace(losses.slice(), confidence);
}

/**
 * Filtered historical simulation (Barone-Adesi, Giannopoulos and Vosper 1999; Hull and White 1998): each loss is divided
 * by the volatility known at its origin, and the quantile and tail mean of the result are multiplied by today's:
 * z = loss / sᵍ, VaR = quantile(z) · s₀ᵍ. With g below 1 the rescaling is partial; g = 0 is the historical simulation.
 *
 * @param losses at least one, finite. Not changed.
 * @param scales volatility at each loss's origin, positive.
 * @param scaleToday s₀, positive.
 * @param exponent g in [0, 1].
 */
export function filteredRisk(
  losses: Float64Array,
  scales: Float64Array,
  scaleToday: number,
  confidence: number,
  exponent = 1,
): TailRisk {
  const standardised = new Float64Array(losses.length);
  for (let i = 0; i < losses.length; i++) standardised[i] = losses[i] / scales[i] ** exponent;
  const unit = riskInPlace(standardised, confidence);
  const rescale = scaleToday ** exponent;
  return {
    valueAtRisk: unit.valueAtRisk * rescale,
    expectedShortfall: unit.expectedShortfall * rescale,
  };
}

function riskInPlace(scratch: Float64Array, confidence: number): TailRisk {
  const valueAtRisk = quantileInPlace(scratch, confidence);
  // Equal in exact arithmetic when the tail is flat; the sum's rounding may fall below the quantile then.
  return { valueAtRisk, expectedShortfall: Math.max(tailMeanInPlace(scratch, confidence), valueAtRisk) };
}
