import { refusal, requireSameLength, requireSeries } from '../numeric/inputs.ts';

/** The distinct probabilities forecast, ascending, each with how often it was and how often the event came. */
export interface SortedProbabilities {
  readonly values: Float64Array;
  readonly counts: Uint32Array;
  readonly events: Uint32Array;
  readonly total: number;
  readonly totalEvents: number;
}

/**
 * Groups forecasts by their probability. The two outcomes are sorted apart, as bare numbers, and merged: no comparison calls
 * back, and equal probabilities can never be told apart by their order.
 *
 * @param outcomes 0 or 1.
 * @throws PlimsollError as `requireProbabilities`.
 */
export function sortProbabilities(probabilities: Float64Array, outcomes: Uint8Array): SortedProbabilities {
  requireProbabilities(probabilities, outcomes);
  const total = probabilities.length;
  let totalEvents = 0;
  for (let i = 0; i < total; i++) totalEvents += outcomes[i];
  const withEvent = new Float64Array(totalEvents);
  const without = new Float64Array(total - totalEvents);
  let [e, w] = [0, 0];
  for (let i = 0; i < total; i++) {
    if (outcomes[i] === 1) withEvent[e++] = probabilities[i];
    else without[w++] = probabilities[i];
  }
  withEvent.sort();
  without.sort();
  const values = new Float64Array(total);
  const counts = new Uint32Array(total);
  const events = new Uint32Array(total);
  let groups = 0;
  for (e = 0, w = 0; e < totalEvents || w < without.length; groups++) {
    const value = Math.min(
      e < totalEvents ? withEvent[e] : Infinity,
      w < without.length ? without[w] : Infinity,
    );
    const [firstEvent, firstOther] = [e, w];
    while (e < totalEvents && withEvent[e] === value) e++;
    while (w < without.length && without[w] === value) w++;
    values[groups] = value;
    events[groups] = e - firstEvent;
    counts[groups] = e - firstEvent + w - firstOther;
  }
  return {
    values: values.slice(0, groups),
    counts: counts.slice(0, groups),
    events: events.slice(0, groups),
    total,
    totalEvents,
  };
}

/**
 * @throws PlimsollError INPUT_INVALID for a probability outside [0, 1], an outcome other than 0 and 1, or different lengths;
 * DATA_INSUFFICIENT for no forecast.
 */
export function requireProbabilities(probabilities: Float64Array, outcomes: Uint8Array): void {
  requireSameLength('probabilities and outcomes', probabilities.length, outcomes.length);
  requireSeries('probabilities', probabilities, 1);
  for (let i = 0; i < probabilities.length; i++) {
    if (!(probabilities[i] >= 0 && probabilities[i] <= 1))
      throw refusal(`probability ${i + 1} is ${probabilities[i]}`, 'Give probabilities from 0 to 1.');
    if (outcomes[i] > 1)
      throw refusal(`outcome ${i + 1} is ${outcomes[i]}`, 'Give 1 where the event came and 0 where not.');
  }
}

/**
 * Bins of about equally many forecasts: for each, one past its last group. Bin k ends at rank round(k n / bins), moved up past
 * forecasts equal to the one there: equal forecasts always share a bin, so that there may be fewer bins than asked for.
 */
export function equalMassBins({ counts, total }: SortedProbabilities, bins: number): Uint32Array {
  const ends: number[] = [];
  let seen = 0;
  let bin = 1;
  for (let g = 0; g < counts.length; g++) {
    seen += counts[g];
    const isEnd = bin < bins && seen >= Math.round((bin * total) / bins);
    if (isEnd || g === counts.length - 1) ends.push(g + 1);
    while (bin < bins && seen >= Math.round((bin * total) / bins)) bin++;
  }
  return Uint32Array.from(ends);
}
