import { describe, expect, test } from 'vitest';
import { Random } from '../../random.ts';
import { chiSquareSurvival } from '../numeric/chi-square.ts';
import { logGamma } from '../numeric/gamma.ts';
import { longRunVariance } from '../numeric/long-run-variance.ts';
import { kupiec, longRunVarianceOfHits } from './hits.ts';

describe('chi-square survival', () => {
  test.each([
    [0.5, 1, 0.47950012218695337],
    [3.841458820694124, 1, 0.04999999999999989],
    [100, 1, 1.5239706048320995e-23],
    [20, 6, 0.0027693957155115775],
    [12.591587243743977, 6, 0.05000000000000003],
    [2, 2, 0.36787944117144245],
    [250, 200, 0.009379131668826098],
    [1e-8, 1, 0.9999202115440526],
    [60, 4, 2.9008631203404573e-12],
  ])('P(X > %d) with %d degrees of freedom equals SciPy 1.17', (x, degreesOfFreedom, expected) => {
    expect(chiSquareSurvival(x, degreesOfFreedom) / expected).toBeCloseTo(1, 11);
  });

  test('is a probability everywhere', () => {
    expect(chiSquareSurvival(0, 1)).toBe(1);
    expect(chiSquareSurvival(-3, 1)).toBe(1);
    expect(chiSquareSurvival(Number.POSITIVE_INFINITY, 1)).toBe(0);
    expect(chiSquareSurvival(1e6, 1)).toBe(0);
  });

  test('log gamma equals SciPy', () => {
    expect(logGamma(0.1)).toBeCloseTo(2.252712651734206, 13);
    expect(logGamma(0.5)).toBeCloseTo(0.5723649429247, 13);
    expect(logGamma(3.7)).toBeCloseTo(1.428072326665388, 13);
    expect(logGamma(100.5)).toBeCloseTo(361.43554046777757, 10);
  });
});

describe('Kupiec', () => {
  test.each([
    [5, 250, 1.9568097882306779, 0.1618549171960367],
    [0, 250, 5.025167926750726, 0.02498150305344971],
    [2, 250, 0.10843521623683006, 0.7419327009525927],
    [22, 1000, 10.838169684519471, 0.00099428966767876],
  ])('%d exceedances in %d at 99 %%', (exceedances, n, statistic, pValue) => {
    // From the formula in double precision with erfc(√(LR/2)), outside this code base.
    const result = kupiec(exceedances, n, 0.99);
    expect(result.statistic).toBeCloseTo(statistic, 9);
    expect(result.pValue).toBeCloseTo(pValue, 9);
  });

  test('the exact rate is never rejected, and every loss above VaR always', () => {
    expect(kupiec(10, 1000, 0.99)).toEqual({ statistic: 0, pValue: 1 });
    expect(kupiec(250, 250, 0.99).pValue).toBe(0);
  });
});

describe('the long-run variance of hits', () => {
  test('counted from pairs is that of the series itself, sparse and dense, at every number of lags', () => {
    for (const rate of [0, 0.01, 0.3, 1]) {
      const random = Random.stream(7, `hits ${rate}`);
      const hits = Uint8Array.from({ length: 700 }, () => (random.uniform() < rate ? 1 : 0));
      for (const lags of [0, 1, 5, 23, 699, 2000]) {
        const slow = longRunVariance(new Float64Array(hits), lags);
        expect(longRunVarianceOfHits(hits, lags)).toBeCloseTo(slow, 11);
      }
    }
  });
});
