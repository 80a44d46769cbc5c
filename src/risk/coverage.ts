import { chiSquareSurvival } from './chi-square.ts';

export interface TestResult {
  readonly statistic: number;
  readonly pValue: number;
}

/**
 * Kupiec's test (1995) that losses exceed VaR as often as they should: with x exceedances in n and p = 1 − c,
 * LR = −2 ln[(1 − p)^(n−x) p^x / ((1 − x/n)^(n−x) (x/n)^x)], chi-square with one degree of freedom; 0 · ln 0 = 0.
 *
 * The observations must be independent for the p-value to mean anything: of overlapping horizons, take one in each.
 *
 * @param n at least 1. @param confidence in (0, 1).
 */
export function kupiec(exceedances: number, n: number, confidence: number): TestResult {
  const p = 1 - confidence;
  const rate = exceedances / n;
  const misses = n - exceedances;
  const logRatio = timesLog(misses, confidence / (1 - rate)) + timesLog(exceedances, p / rate);
  const statistic = Math.max(-2 * logRatio, 0);
  return { statistic, pValue: chiSquareSurvival(statistic, 1) };
}

function timesLog(count: number, ratio: number): number {
  return count === 0 ? 0 : count * Math.log(ratio);
}
