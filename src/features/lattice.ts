/**
 * Exact rolling sums in floating point.
 *
 * A running sum of arbitrary doubles drifts: adding and later subtracting the same term does not give back the same
 * bits, so the result depends on everything that ever passed through it, and a service that started yesterday
 * disagrees with a training run that started five years ago. Here every per-bar term is first rounded to a whole
 * number of a small power of two (its lattice). Sums of whole numbers below 2^53 are exact in a double whatever the
 * order, so a window's sum is a function of the window alone, and sums over markets do not depend on their order.
 *
 * Sums are kept as prefix sums modulo 2^52, one per hour, in a ring: the sum over the last n hours is the difference
 * of two entries, in O(1) for any n and without a subtraction per window and hour. The modulus keeps an endless
 * prefix inside the exact range; the difference is right as long as the window's own sum is below the modulus.
 */
const MODULUS = 2 ** 52;
const HALF_MODULUS = 2 ** 51;

/**
 * Lattice of log moves and their squares and products, each at most 1 in size: 2160 of them sum to less than
 * 2^12 / MOVE_UNIT = 2^52. The rounding error of a squared return, 4.5e-13, is far below the variance floor.
 */
export const MOVE_UNIT = 2 ** -40;
/** Lattice of log variances, |x| at most 24 and x² at most 576, in windows of up to 720. */
export const LOG_UNIT = 2 ** -30;
/** Lattice of returns over many hours in sums over markets, each at most 4 in size, so that 8192 squares stay exact. */
export const RETURN_UNIT = 2 ** -36;
export const MAXIMUM_CROSS_SECTION_RETURN = 4;
/** With more markets the sums over them would no longer be exact. */
export const MAXIMUM_MARKETS = 8192;
/** Lattice of traded quote volume; one bar counts at most `MAXIMUM_QUOTE_VOLUME`, so that 720 stay below 2^52. */
export const VOLUME_UNIT = 2 ** -4;
export const MAXIMUM_QUOTE_VOLUME = 2 ** 38;

/** The nearest whole number of units. */
export function onLattice(value: number, unit: number): number {
  return Math.round(value / unit);
}

/** The next prefix sum: (prefix + term) modulo 2^52, for |term| below the modulus. */
export function nextPrefix(prefix: number, term: number): number {
  const sum = prefix + term;
  if (sum >= MODULUS) return sum - MODULUS;
  return sum < 0 ? sum + MODULUS : sum;
}

/** The sum, in units, between two prefixes where every term is at least 0. */
export function unsignedDifference(later: number, earlier: number): number {
  const difference = later - earlier;
  return difference < 0 ? difference + MODULUS : difference;
}

/** The sum, in units, between two prefixes where terms have either sign and the sum is below 2^51 in size. */
export function signedDifference(later: number, earlier: number): number {
  const difference = later - earlier;
  if (difference >= HALF_MODULUS) return difference - MODULUS;
  return difference < -HALF_MODULUS ? difference + MODULUS : difference;
}
