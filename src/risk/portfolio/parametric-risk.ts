import { requireConfidence, requireSameLength, requireSeries, requireWithin } from '../numeric/inputs.ts';
import { normalDensity, normalQuantile } from '../numeric/normal.ts';
import { studentQuantile, studentTailMean } from '../numeric/student-t.ts';
import type { TailRisk } from '../tail/value-at-risk.ts';
import { requireCorrelations } from './nearest-correlation.ts';

/** A linear portfolio of markets whose returns have a mean of zero. Notionals signed, in the quote asset. */
export interface LinearPortfolio {
  readonly notionals: Float64Array;
  /** Standard deviation of each market's return over the horizon. */
  readonly volatility: Float64Array;
  /** markets × markets. */
  readonly correlation: Float64Array;
}

export interface ParametricRisk extends TailRisk {
  /** √(w'Σw), in the quote asset. */
  readonly volatility: number;
  /** Parts of the ES by market: w_i (Σw)_i / √(w'Σw) times ES per volatility. They add up to it. */
  readonly componentShortfall: Float64Array;
}

export interface ParametricOptions {
  readonly confidence: number;
  /** ν above 2 of Student's t, scaled to the volatilities; normal unless given. */
  readonly degreesOfFreedom?: number;
}

/**
 * VaR and ES of returns that are jointly normal or elliptically t: z √(w'Σw) with z the quantile or tail mean of the
 * standardised distribution; for the normal φ(Φ⁻¹(c)) / (1 − c) (McNeil, Frey and Embrechts 2015, 2.3.4 and 8.28).
 *
 * @throws PlimsollError INPUT_INVALID for lengths that differ, numbers that are none, volatilities below zero, a matrix
 * that is none of correlations, a confidence not in (0, 1) or ν of 2 and less.
 */
export function parametricRisk(
  portfolio: LinearPortfolio,
  { confidence, degreesOfFreedom }: ParametricOptions,
): ParametricRisk {
  requireConfidence(confidence);
  const { notionals } = portfolio;
  const slope = covarianceTimesNotionals(portfolio);
  let variance = 0;
  for (let i = 0; i < notionals.length; i++) variance += notionals[i] * slope[i];
  const volatility = Math.sqrt(Math.max(variance, 0));
  const unit = unitTail(confidence, degreesOfFreedom);
  return {
    volatility,
    valueAtRisk: unit.valueAtRisk * volatility,
    expectedShortfall: unit.expectedShortfall * volatility,
    componentShortfall: slope.map((entry, i) =>
      volatility > 0 ? (notionals[i] * entry * unit.expectedShortfall) / volatility : 0,
    ),
  };
}

/** Σw: the covariance of each market's return with the portfolio's. @throws as `parametricRisk`. */
export function covarianceTimesNotionals({
  notionals,
  volatility,
  correlation,
}: LinearPortfolio): Float64Array {
  const size = notionals.length;
  requireSameLength('notionals and volatilities', size, volatility.length);
  requireSeries('notionals', notionals, 1);
  requireSeries('volatilities', volatility, 1);
  requireCorrelations(correlation, size);
  const product = new Float64Array(size);
  for (let i = 0; i < size; i++) {
    requireWithin(`volatility ${i + 1}`, volatility[i], 0, Number.MAX_VALUE);
    for (let j = 0; j < size; j++)
      product[i] += volatility[i] * correlation[i * size + j] * volatility[j] * notionals[j];
  }
  return product;
}

/** VaR and ES of the distribution with variance 1. */
function unitTail(confidence: number, degreesOfFreedom: number | undefined): TailRisk {
  if (degreesOfFreedom === undefined) {
    const valueAtRisk = normalQuantile(confidence);
    return { valueAtRisk, expectedShortfall: normalDensity(valueAtRisk) / (1 - confidence) };
  }
  requireWithin('the degrees of freedom', degreesOfFreedom, 2 + 1e-6, 1e6);
  const toUnit = Math.sqrt((degreesOfFreedom - 2) / degreesOfFreedom);
  return {
    valueAtRisk: studentQuantile(confidence, degreesOfFreedom) * toUnit,
    expectedShortfall: studentTailMean(confidence, degreesOfFreedom) * toUnit,
  };
}
