import { quantileOfSorted, tailMeanOfSorted } from '../risk/numeric/quantile.ts';
import { fitParetoLikelihood } from '../risk/tail/pareto-likelihood.ts';
import {
  fitParetoTail,
  type ParetoTail,
  paretoExpectedShortfall,
  paretoValueAtRisk,
} from '../risk/tail/pareto-tail.ts';
import { CONFIDENCES } from './predictor.ts';

/**
 * From this confidence on the numbers come from a Pareto tail over the 95 % quantile instead of single order
 * statistics: of a year of overlapping 24 h excursions only two or three independent ones lie beyond 99.5 %.
 */
const PARETO_FROM_CONFIDENCE = 0.995;
const THRESHOLD_CONFIDENCE = CONFIDENCES[0];
/** VaR rises at least by this factor from one confidence to the next, also where prices move in coarse ticks. */
const LEAST_RISE = 1 + 1e-6;

/** VaR and ES of one path at all of `CONFIDENCES`, and what is needed to say how likely a larger loss is. */
export interface TailOfPath {
  readonly valueAtRisk: Float64Array;
  readonly expectedShortfall: Float64Array;
  readonly pareto: ParetoTail;
}

/**
 * The tail of a sample of losses. VaR rises strictly with confidence wherever there is any loss, ES never falls and is
 * never below VaR.
 *
 * @param tail the largest losses, ascending, as `sortedTailInPlace` leaves them for the lowest of `CONFIDENCES`.
 * @param n size of the whole sample, at least 1.
 */
export function tailOfPath(tail: Float64Array, n: number): TailOfPath {
  const pareto = fitParetoTail(tail, n, quantileOfSorted(tail, n, THRESHOLD_CONFIDENCE));
  const valueAtRisk = new Float64Array(CONFIDENCES.length);
  const expectedShortfall = new Float64Array(CONFIDENCES.length);
  let leastValueAtRisk = 0;
  let leastShortfall = 0;
  for (let c = 0; c < CONFIDENCES.length; c++) {
    const confidence = CONFIDENCES[c];
    const isFar = confidence >= PARETO_FROM_CONFIDENCE;
    const quantile = isFar ? paretoValueAtRisk(pareto, confidence) : quantileOfSorted(tail, n, confidence);
    const value = Math.max(quantile, leastValueAtRisk);
    const mean = isFar ? paretoExpectedShortfall(pareto, value) : tailMeanOfSorted(tail, n, confidence);
    valueAtRisk[c] = value;
    expectedShortfall[c] = Math.max(mean, value, leastShortfall);
    leastValueAtRisk = value * LEAST_RISE;
    leastShortfall = expectedShortfall[c];
  }
  return { valueAtRisk, expectedShortfall, pareto };
}

/** The same with every number from a Pareto tail by maximum likelihood over the lowest of `CONFIDENCES`. */
export function extremeTailOfPath(tail: Float64Array, n: number): TailOfPath {
  const pareto = fitParetoLikelihood(tail, n, quantileOfSorted(tail, n, THRESHOLD_CONFIDENCE));
  const valueAtRisk = new Float64Array(CONFIDENCES.length);
  const expectedShortfall = new Float64Array(CONFIDENCES.length);
  let least = 0;
  for (let c = 0; c < CONFIDENCES.length; c++) {
    valueAtRisk[c] = Math.max(paretoValueAtRisk(pareto, CONFIDENCES[c]), least);
    expectedShortfall[c] = paretoExpectedShortfall(pareto, valueAtRisk[c]);
    least = valueAtRisk[c] * LEAST_RISE;
  }
  return { valueAtRisk, expectedShortfall, pareto };
}
