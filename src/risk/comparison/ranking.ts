import { type Unavailable, unavailable } from '../outcome.ts';
import type { Measured } from './probabilities.ts';
import { sortProbabilities } from './sorted-probabilities.ts';

/** How well probabilities rank events above the rest, whatever their calibration. */

/** By threshold, falling: what is found when every forecast at or above it counts as an alarm. Arrays equally long. */
export interface PrecisionRecallCurve {
  readonly available: true;
  readonly thresholds: Float64Array;
  /** Share of the alarms that were right. */
  readonly precision: Float64Array;
  /** Share of the events that were found; rises to 1. */
  readonly recall: Float64Array;
  /** Share of events: the precision of alarms at random. */
  readonly baseRate: number;
}

/**
 * Precision and recall at every distinct probability, from the highest down.
 *
 * @returns unavailable where the event never came.
 * @throws PlimsollError INPUT_INVALID, DATA_INSUFFICIENT.
 */
export function precisionRecallCurve(
  probabilities: Float64Array,
  outcomes: Uint8Array,
): PrecisionRecallCurve | Unavailable {
  const { values, counts, events, total, totalEvents } = sortProbabilities(probabilities, outcomes);
  if (totalEvents === 0) return unavailable('the event never came');
  const groups = values.length;
  const precision = new Float64Array(groups);
  const recall = new Float64Array(groups);
  let [alarms, found] = [0, 0];
  for (let k = 0; k < groups; k++) {
    alarms += counts[groups - 1 - k];
    found += events[groups - 1 - k];
    precision[k] = found / alarms;
    recall[k] = found / totalEvents;
  }
  return {
    available: true,
    thresholds: values.toReversed(),
    precision,
    recall,
    baseRate: totalEvents / total,
  };
}

/**
 * Average precision Σ (R_k − R_{k−1}) P_k over the thresholds from the highest down, without interpolation: the definition of
 * scikit-learn's `average_precision_score`. Compare it with the share of events, which alarms at random have.
 *
 * @returns unavailable where the event never came.
 * @throws PlimsollError INPUT_INVALID, DATA_INSUFFICIENT.
 */
export function averagePrecision(probabilities: Float64Array, outcomes: Uint8Array): Measured {
  const curve = precisionRecallCurve(probabilities, outcomes);
  if (!curve.available) return curve;
  let value = 0;
  let before = 0;
  for (let k = 0; k < curve.recall.length; k++) {
    value += (curve.recall[k] - before) * curve.precision[k];
    before = curve.recall[k];
  }
  return { available: true, value };
}

/**
 * Area under the ROC curve: the probability that an event was given a higher probability than a non-event, ties by half (Mann
 * and Whitney 1947; Hanley and McNeil 1982).
 *
 * @returns unavailable where the event came always or never.
 * @throws PlimsollError INPUT_INVALID, DATA_INSUFFICIENT.
 */
export function areaUnderRoc(probabilities: Float64Array, outcomes: Uint8Array): Measured {
  const { counts, events, total, totalEvents } = sortProbabilities(probabilities, outcomes);
  const totalOthers = total - totalEvents;
  if (totalEvents === 0 || totalOthers === 0) return unavailable('the event came always or never');
  let below = 0;
  let pairs = 0;
  for (let g = 0; g < counts.length; g++) {
    const others = counts[g] - events[g];
    pairs += events[g] * (below + 0.5 * others);
    below += others;
  }
  return { available: true, value: pairs / (totalEvents * totalOthers) };
}
