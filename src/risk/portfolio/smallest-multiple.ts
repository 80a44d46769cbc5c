import { refusal } from '../numeric/inputs.ts';

/**
 * The smallest x in (0, limit] with −Σ wᵢ max(x dᵢ, −1) = D: what markets moving along a direction lose, none of them below
 * zero. Linear between the points where one reaches zero, hence solved exactly piece by piece; null for none.
 */
export function smallestMultiple(
  notionals: Float64Array,
  direction: Float64Array,
  damage: number,
  limit: number,
): number | null {
  const ends = Array.from(direction, (entry) => (entry < 0 ? -1 / entry : Number.POSITIVE_INFINITY));
  const pieces = [...new Set([...ends.filter((end) => end < limit), limit])].sort((a, b) => a - b);
  for (let p = 0; p < pieces.length; p++) {
    const start = p === 0 ? 0 : pieces[p - 1];
    // On this piece the loss is level + slope · x.
    let level = 0;
    let slope = 0;
    for (let i = 0; i < notionals.length; i++) {
      if (ends[i] <= start) level += notionals[i];
      else slope -= notionals[i] * direction[i];
    }
    if (!(slope > 0)) continue;
    const x = (damage - level) / slope;
    if (x <= pieces[p]) return Math.max(x, start);
    // The whole of what can be lost is lost at the end of the piece, to rounding.
    if (x <= pieces[p] * (1 + 4 * Number.EPSILON)) return pieces[p];
  }
  return null;
}

/** max(x dᵢ, −1). */
export function movedBy(direction: Float64Array, multiple: number): Float64Array {
  return direction.map((entry) => Math.max(entry * multiple, -1));
}

/** @throws PlimsollError INPUT_INVALID for a damage that is not finite and above 0. */
export function requireDamage(damage: number): void {
  if (!(damage > 0 && damage < Number.POSITIVE_INFINITY))
    throw refusal(`the damage is ${damage}`, 'Give a finite amount above 0.');
}
