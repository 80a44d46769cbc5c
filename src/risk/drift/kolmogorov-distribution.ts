import { logGamma, stirlingError } from '../numeric/gamma.ts';

/**
 * P(D_n > d) of Kolmogorov's statistic of n values against their own continuous distribution, by the method that keeps its
 * digits where d lies, in the choice of Simard and L'Ecuyer (2011) that SciPy's `kstwo` follows: exact but for large n and
 * middling d, where the expansion of Pelz and Good (1976) is within about 1e-10 of it.
 *
 * @param n at least 1.
 */
export function kolmogorovSurvival(d: number, n: number): number {
  const t = n * d;
  if (d >= 1) return 0;
  if (t <= 0.5) return 1;
  // Ruben and Gambino's (1982) closed forms of both ends.
  if (t <= 1) return 1 - Math.exp(logGamma(n + 1) + n * Math.log((2 * t - 1) / n));
  if (t >= n - 1) return 2 * (1 - d) ** n;
  const square = t * d;
  if (d >= 0.5 || square >= (n <= SMALL ? 4 : 2.2)) return clip(2 * oneSidedSurvival(d, n));
  if (n <= SMALL || (n <= 100_000 && n * d ** 1.5 <= 1.4)) return clip(1 - durbinCumulative(d, n));
  return clip(1 - pelzGood(d, n));
}

/** Up to here Durbin's matrices are small enough at every d. */
const SMALL = 140;

function clip(probability: number): number {
  return Math.min(Math.max(probability, 0), 1);
}

/**
 * P(D⁺_n > d) of the one-sided statistic (Birnbaum and Tingey 1951): d Σ_j C(n, j) (d + j/n)^(j−1) (1 − d − j/n)^(n−j) over
 * j ≤ n(1 − d). Each term is a binomial probability in Loader's form (2000), so that large n cost no digits.
 */
function oneSidedSurvival(d: number, n: number): number {
  const shift = n * d;
  let sum = (1 - d) ** n;
  const last = Math.min(Math.floor(n - shift), n - 1);
  for (let j = 1; j <= last; j++) {
    const k = n - j;
    const left = k - shift;
    if (!(left > 0)) break;
    const errors = stirlingError(n) - stirlingError(j) - stirlingError(k);
    const exponent = j * Math.log1p(shift / j) + k * Math.log1p(-shift / k);
    sum += (shift / (shift + j)) * Math.sqrt(n / (2 * Math.PI * j * k)) * Math.exp(errors + exponent);
  }
  return sum;
}

const SCALE_EXPONENT = 128;
const SCALE = 2 ** SCALE_EXPONENT;

/**
 * P(D_n ≤ d) by Durbin's matrix (1968) in the form of Marsaglia, Tsang and Wang (2003): with d = (k − h)/n, the middle entry of
 * n!/nⁿ Hⁿ, H of 2k − 1 rows. All terms are positive.
 */
function durbinCumulative(d: number, n: number): number {
  const k = Math.ceil(n * d);
  const h = k - n * d;
  const size = 2 * k - 1;
  let matrix = durbinMatrix(h, size);
  let power: Float64Array | null = null;
  let [powerExponent, matrixExponent] = [0, 0];
  const middle = (k - 1) * size + k - 1;
  for (let left = n; left > 0; left = Math.floor(left / 2)) {
    if (left % 2 === 1) {
      power = power === null ? matrix.slice() : product(power, matrix, size);
      powerExponent += matrixExponent;
    }
    if (left === 1) break;
    matrix = product(matrix, matrix, size);
    matrixExponent *= 2;
    if (matrix[middle] > SCALE) {
      for (let i = 0; i < matrix.length; i++) matrix[i] /= SCALE;
      matrixExponent += SCALE_EXPONENT;
    }
  }
  let value = power === null ? 0 : power[middle];
  for (let i = 1; i <= n; i++) {
    value *= i / n;
    if (value < 1 / SCALE) {
      value *= SCALE;
      powerExponent -= SCALE_EXPONENT;
    }
  }
  return value * 2 ** powerExponent;
}

function durbinMatrix(h: number, size: number): Float64Array {
  const matrix = new Float64Array(size * size);
  const inverseFactorials = new Float64Array(size + 1);
  inverseFactorials[0] = 1;
  for (let i = 1; i <= size; i++) inverseFactorials[i] = inverseFactorials[i - 1] / i;
  for (let i = 0; i < size; i++)
    for (let j = 1; j <= Math.min(i + 1, size - 1); j++) matrix[i * size + j] = inverseFactorials[i - j + 1];
  for (let i = 0; i < size; i++) {
    const corner = (1 - h ** (i + 1)) * inverseFactorials[i + 1];
    matrix[i * size] = corner;
    matrix[(size - 1) * size + (size - 1 - i)] = corner;
  }
  const both = 1 - 2 * h ** size + Math.max(2 * h - 1, 0) ** size;
  matrix[(size - 1) * size] = both * inverseFactorials[size];
  return matrix;
}

function product(a: Float64Array, b: Float64Array, size: number): Float64Array {
  const result = new Float64Array(size * size);
  for (let i = 0; i < size; i++) {
    for (let l = 0; l < size; l++) {
      const left = a[i * size + l];
      if (left === 0) continue;
      for (let j = 0; j < size; j++) result[i * size + j] += left * b[l * size + j];
    }
  }
  return result;
}

/**
 * P(D_n ≤ d) as K₀(z) + K₁(z)/√n + K₂(z)/n + K₃(z)/n^1.5 with z = d√n (Pelz and Good 1976), by sums over the odd and the whole
 * numbers that converge fast for small z.
 */
function pelzGood(d: number, n: number): number {
  const z = d * Math.sqrt(n);
  const [z2, z4, z6] = [z ** 2, z ** 4, z ** 6];
  const [pi2, pi4, pi6] = [Math.PI ** 2, Math.PI ** 4, Math.PI ** 6];
  const terms = Math.ceil((16 * z) / Math.PI);
  let [k0, k1, k2, k3] = [0, 0, 0, 0];
  let [k2Whole, k3Whole] = [0, 0];
  for (let k = terms; k >= 1; k--) {
    const m2 = (2 * k - 1) ** 2;
    const odd = Math.exp((-pi2 / 8 / z2) * m2);
    const [m4, m6] = [m2 * m2, m2 ** 3];
    k0 += odd;
    k1 += odd * (-z2 + (pi2 / 4) * m2);
    k2 += odd * (6 * z6 + 2 * z4 + ((2 * z4 - 5 * z2) * pi2 * m2) / 4 + (pi4 * (1 - 2 * z2) * m4) / 16);
    k3 +=
      odd *
      (-30 * z6 -
        90 * z ** 8 +
        (pi2 * (135 * z4 - 96 * z6) * m2) / 4 +
        (pi4 * (-60 * z2 + 212 * z4) * m4) / 16 +
        (pi6 * (5 - 30 * z2) * m6) / 64);
    const whole = Math.exp((-pi2 / 2 / z2) * k * k) * k * k;
    k2Whole += whole;
    k3Whole += whole * (3 * z2 - pi2 * k * k);
  }
  const root = Math.sqrt(2 * Math.PI);
  return (
    root *
    (k0 / z +
      k1 / (6 * z4) / Math.sqrt(n) +
      (k2 / (72 * z ** 7) - (pi2 * k2Whole) / (36 * z ** 3)) / n +
      (k3 / (6480 * z ** 10) + (pi2 * k3Whole) / (216 * z6)) / n ** 1.5)
  );
}
