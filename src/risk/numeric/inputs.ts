import { PlimsollError } from '../../errors.ts';

/**
 * Checks at the doors of the risk engine. A number that is none must be named where it comes in: further on it would only
 * be seen as a NaN, and a loop over NaN ends without a complaint.
 */

/** @throws PlimsollError INPUT_INVALID unless 0 < confidence < 1. */
export function requireConfidence(confidence: number): void {
  if (!(confidence > 0 && confidence < 1))
    throw refusal('the confidence is not between 0 and 1', 'Give 0.99 for 99 %.');
}

/** @throws PlimsollError INPUT_INVALID for a value that is not finite, DATA_INSUFFICIENT for fewer than `least` values. */
export function requireSeries(name: string, values: Float64Array, least: number): void {
  if (values.length < least)
    throw new PlimsollError('DATA_INSUFFICIENT', `${name}: ${values.length} values are too few`, {
      remedy: `Give at least ${least}.`,
    });
  for (let i = 0; i < values.length; i++)
    if (!Number.isFinite(values[i]))
      throw refusal(`${name}: value ${i + 1} is not a finite number`, 'Leave it out, or mend it.');
}

/** @throws PlimsollError INPUT_INVALID where the lengths differ. */
export function requireSameLength(names: string, ...lengths: readonly number[]): void {
  if (lengths.some((length) => length !== lengths[0]))
    throw refusal(
      `${names} are not equally many: ${lengths.join(', ')}`,
      'Give one of each per observation.',
    );
}

/** @throws PlimsollError INPUT_INVALID unless the value lies in [low, high]. */
export function requireWithin(name: string, value: number, low: number, high: number): void {
  if (!(value >= low && value <= high))
    throw refusal(`${name} is ${value}`, `Give a number from ${low} to ${high}.`);
}

/** @throws PlimsollError INPUT_INVALID unless the value is whole and at least `least`. */
export function requireWhole(name: string, value: number, least: number): void {
  if (!(Number.isSafeInteger(value) && value >= least))
    throw refusal(`${name} is ${value}`, `Give a whole number of at least ${least}.`);
}

/** An INPUT_INVALID with its remedy. */
export function refusal(what: string, remedy: string): PlimsollError {
  return new PlimsollError('INPUT_INVALID', what, { remedy });
}
