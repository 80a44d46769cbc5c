import { requireSeries } from '../numeric/inputs.ts';
import type { TestResult } from '../outcome.ts';
import { kolmogorovSurvival } from './kolmogorov-distribution.ts';

export interface KolmogorovSmirnov extends TestResult {
  /** The value at which the two distribution functions are furthest apart. */
  readonly at: number;
}

/**
 * Two-sample test of Kolmogorov and Smirnov (1939): D = max |F₁(x) − F₂(x)|, both functions taken at x with all values equal
 * to it, so that ties within and across the samples are right. The two-sided p-value is that of one sample of
 * round(n₁n₂/(n₁ + n₂)) values, halves to even, against a known distribution, which SciPy calls asymptotic. Ties make it
 * conservative, and so do values that depend on each other make it too small.
 *
 * @throws PlimsollError INPUT_INVALID, DATA_INSUFFICIENT for fewer than two values.
 */
export function kolmogorovSmirnov(first: Float64Array, second: Float64Array): KolmogorovSmirnov {
  requireSeries('the first sample', first, 2);
  requireSeries('the second sample', second, 2);
  const a = first.toSorted();
  const b = second.toSorted();
  const [m, n] = [a.length, b.length];
  let [i, j] = [0, 0];
  let largest = 0;
  let at = Math.min(a[0], b[0]);
  // After either sample has ended the distance only shrinks. It is kept whole, |i n − j m|: no rounding decides a tie.
  while (i < m && j < n) {
    const value = Math.min(a[i], b[j]);
    while (i < m && a[i] === value) i++;
    while (j < n && b[j] === value) j++;
    const distance = Math.abs(i * n - j * m);
    if (distance > largest) {
      largest = distance;
      at = value;
    }
  }
  const statistic = largest / (m * n);
  return { statistic, pValue: kolmogorovSurvival(statistic, roundHalfToEven((m * n) / (m + n))), at };
}

function roundHalfToEven(value: number): number {
  const below = Math.floor(value);
  const fraction = value - below;
  if (fraction !== 0.5) return Math.round(value);
  return below % 2 === 0 ? below : below + 1;
}
