/** The standard normal distribution, accurate in both tails. */

const LOG_SQRT_TWO_PI = 0.5 * Math.log(2 * Math.PI);

/** φ(x). */
export function normalDensity(x: number): number {
  return Math.exp(-0.5 * x * x - LOG_SQRT_TWO_PI);
}

/**
 * Φ(x) = P(X ≤ x), by the rational approximations of Cody (1969) for the error function: relative error near 1e-15, far in the
 * lower tail x² times 1e-16.
 */
export function normalCumulative(x: number): number {
  return 0.5 * complementaryError(-x / Math.SQRT2);
}

/** 1 − Φ(x), with its digits also where Φ(x) is nearly 1. */
export function normalSurvival(x: number): number {
  return 0.5 * complementaryError(x / Math.SQRT2);
}

/**
 * Φ⁻¹(p) by Wichura (1988), algorithm AS 241: relative error near 1e-16.
 *
 * @param p in (0, 1).
 */
export function normalQuantile(p: number): number {
  const q = p - 0.5;
  if (Math.abs(q) <= 0.425) {
    const r = 0.180625 - q * q;
    return (q * polynomial(CENTRAL_NUMERATOR, r)) / polynomial(CENTRAL_DENOMINATOR, r);
  }
  const r = Math.sqrt(-Math.log(q < 0 ? p : 1 - p));
  const x =
    r <= 5
      ? polynomial(TAIL_NUMERATOR, r - 1.6) / polynomial(TAIL_DENOMINATOR, r - 1.6)
      : polynomial(FAR_NUMERATOR, r - 5) / polynomial(FAR_DENOMINATOR, r - 5);
  return q < 0 ? -x : x;
}

/** erfc(x). */
function complementaryError(x: number): number {
  const y = Math.abs(x);
  if (y <= 0.46875) return 1 - errorNearZero(x);
  const positive = y <= 4 ? errorMiddle(y) : errorFar(y);
  return x < 0 ? 2 - positive : positive;
}

function errorNearZero(x: number): number {
  const square = x * x;
  return (x * polynomial(NEAR_NUMERATOR, square)) / polynomial(NEAR_DENOMINATOR, square);
}

function errorMiddle(y: number): number {
  return (squareExponential(y) * polynomial(MIDDLE_NUMERATOR, y)) / polynomial(MIDDLE_DENOMINATOR, y);
}

function errorFar(y: number): number {
  if (y > 27) return 0;
  const inverse = 1 / (y * y);
  const correction =
    (inverse * polynomial(DISTANT_NUMERATOR, inverse)) / polynomial(DISTANT_DENOMINATOR, inverse);
  return (squareExponential(y) / y) * (1 / Math.sqrt(Math.PI) - correction);
}

/** e^(−y²) with y² split so that its rounding does not grow in the exponent. */
function squareExponential(y: number): number {
  const rounded = Math.trunc(y * 16) / 16;
  return Math.exp(-rounded * rounded) * Math.exp(-(y - rounded) * (y + rounded));
}

/** Σ aᵢ xⁱ. */
function polynomial(coefficients: readonly number[], x: number): number {
  let value = coefficients[coefficients.length - 1];
  for (let i = coefficients.length - 2; i >= 0; i--) value = value * x + coefficients[i];
  return value;
}

const NEAR_NUMERATOR = [
  3209.3775891384694, 377.485237685302, 113.86415415105016, 3.1611237438705655, 0.18577770618460315,
];
const NEAR_DENOMINATOR = [2844.236833439171, 1282.6165260773723, 244.02463793444417, 23.601290952344122, 1];
const MIDDLE_NUMERATOR = [
  1230.3393547979972, 2051.0783778260716, 1712.0476126340707, 881.952221241769, 298.6351381974001,
  66.11919063714163, 8.883149794388377, 0.5641884969886701, 2.1531153547440383e-8,
];
const MIDDLE_DENOMINATOR = [
  1230.3393548037495, 3439.3676741437216, 4362.619090143247, 3290.7992357334597, 1621.3895745666903,
  537.1811018620099, 117.6939508913125, 15.744926110709835, 1,
];
const DISTANT_NUMERATOR = [
  0.0006587491615298378, 0.016083785148742275, 0.12578172611122926, 0.36034489994980445, 0.30532663496123236,
  0.016315387137302097,
];
const DISTANT_DENOMINATOR = [
  0.0023352049762686918, 0.06051834131244132, 0.5279051029514285, 1.8729528499234604, 2.568520192289822, 1,
];
const CENTRAL_NUMERATOR = [
  3.3871328727963665, 133.14166789178438, 1971.5909503065513, 13731.69376550946, 45921.95393154987,
  67265.7709270087, 33430.57558358813, 2509.0809287301227,
];
const CENTRAL_DENOMINATOR = [
  1, 42.31333070160091, 687.1870074920579, 5394.196021424751, 21213.794301586597, 39307.89580009271,
  28729.085735721943, 5226.495278852854,
];
const TAIL_NUMERATOR = [
  1.4234371107496835, 4.630337846156546, 5.769497221460691, 3.6478483247632045, 1.2704582524523684,
  0.2417807251774506, 0.022723844989269184, 0.0007745450142783414,
];
const TAIL_DENOMINATOR = [
  1, 2.053191626637759, 1.6763848301838038, 0.6897673349851, 0.14810397642748008, 0.015198666563616457,
  0.0005475938084995345, 1.0507500716444169e-9,
];
const FAR_NUMERATOR = [
  6.657904643501103, 5.463784911164114, 1.7848265399172913, 0.29656057182850487, 0.026532189526576124,
  0.0012426609473880784, 2.7115555687434876e-5, 2.0103343992922881e-7,
];
const FAR_DENOMINATOR = [
  1, 0.599832206555888, 0.1369298809227358, 0.014875361290850615, 0.0007868691311456133,
  1.8463183175100548e-5, 1.421511758316446e-7, 2.0442631033899397e-15,
];
