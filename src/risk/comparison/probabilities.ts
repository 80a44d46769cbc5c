import { refusal } from '../numeric/inputs.ts';
import { type Unavailable, unavailable } from '../outcome.ts';
import { brier } from './scores.ts';
import { requireProbabilities } from './sorted-probabilities.ts';

/** Scores of probability forecasts; outcomes are 1 where the event came and 0 where not. The Brier score is in scores.ts. */

/** A number, or why there is none. */
export type Measured = { readonly available: true; readonly value: number } | Unavailable;

export interface LogLoss {
  /** Mean of −ln(probability given to what happened), in nats. */
  readonly value: number;
  /** How many probabilities were moved into [clip, 1 − clip]. */
  readonly clipped: number;
}

/** Where probabilities are held off 0 and 1, whose logarithm a single wrong forecast would make infinite. */
export const PROBABILITY_CLIP = 1e-15;

/**
 * Log loss (Good 1952): −(1/n) Σ [o ln p + (1 − o) ln(1 − p)] of probabilities held within [clip, 1 − clip].
 *
 * @param clip in (0, ½).
 * @throws PlimsollError INPUT_INVALID, DATA_INSUFFICIENT.
 */
export function logLoss(probabilities: Float64Array, outcomes: Uint8Array, clip = PROBABILITY_CLIP): LogLoss {
  requireProbabilities(probabilities, outcomes);
  requireClip(clip);
  let sum = 0;
  let clipped = 0;
  for (let i = 0; i < probabilities.length; i++) {
    const p = Math.min(Math.max(probabilities[i], clip), 1 - clip);
    if (p !== probabilities[i]) clipped++;
    sum -= outcomes[i] === 1 ? Math.log(p) : Math.log1p(-p);
  }
  return { value: sum / probabilities.length, clipped };
}

/**
 * Brier skill 1 − BS/BS_reference: 1 for perfect forecasts, 0 for those of the reference, negative for worse.
 *
 * @param reference probabilities that were known at the same times, such as the share of events up to then.
 * @returns unavailable where the reference made no error.
 * @throws PlimsollError INPUT_INVALID, DATA_INSUFFICIENT.
 */
export function brierSkill(
  probabilities: Float64Array,
  outcomes: Uint8Array,
  reference: Float64Array,
): Measured {
  requireProbabilities(probabilities, outcomes);
  requireProbabilities(reference, outcomes);
  const score = brier(reference, outcomes);
  if (!(score > 0)) return unavailable('the reference made no error');
  return { available: true, value: 1 - brier(probabilities, outcomes) / score };
}

/** @throws PlimsollError INPUT_INVALID unless 0 < clip < ½. */
export function requireClip(clip: number): void {
  if (!(clip > 0 && clip < 0.5))
    throw refusal(`the clip is ${clip}`, 'Give a number above 0 and below a half, such as 1e-15.');
}
