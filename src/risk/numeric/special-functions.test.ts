import { describe, expect, test } from 'vitest';
import { binomialCumulative, incompleteBeta } from './binomial.ts';
import { chiSquareSurvival } from './chi-square.ts';
import { digamma, logGamma, stirlingError } from './gamma.ts';
import { normalCumulative, normalSurvival } from './normal.ts';

/** Golden values are mpmath 1.3's at forty digits; a double has sixteen. */
function expectRelative(value: number, expected: number, relative: number): void {
  expect(Math.abs(value / expected - 1)).toBeLessThan(relative);
}

describe('to nearly the last digit', () => {
  test.each([
    [-37, 5.725571222524577e-300, 1],
    [-12, 1.776482112077679e-33, 1],
    [-5.5, 1.8989562465887718e-8, 0.9999999810104375],
    [-2.3263, 0.010001276016798613, 0.9899987239832014],
    [0.66, 0.7453730853286639, 0.25462691467133614],
    [4.2, 0.9999866542509841, 1.3345749015906327e-5],
  ])('the normal distribution at %d', (x, cumulative, survival) => {
    // The rounding of x/√2 alone is worth x² units in the last place.
    const relative = 2e-15 + 1e-16 * x * x;
    expectRelative(normalCumulative(x), cumulative, relative);
    expectRelative(normalSurvival(x), survival, relative);
  });

  test.each([
    [15, 0.005554733551962801],
    [16.5, 0.005049887331583002],
    [100, 0.0008333305556349147],
  ])("what Stirling's formula lacks at %d", (x, expected) => {
    expectRelative(stirlingError(x), expected, 1e-15);
  });

  test.each([
    [0.5, 0.15342640972002736],
    [4, 0.020790672103765093],
  ])("what Stirling's formula lacks at %d, where it is a difference", (x, expected) => {
    expectRelative(stirlingError(x), expected, 1e-13);
  });

  test.each([
    [10, 12.80182748008147, 2.251752589066721],
    [10.5, 13.940625219403763, 2.3030010342976865],
  ])('the logarithm of the gamma function and its slope at %d', (x, log, slope) => {
    expectRelative(logGamma(x), log, 1e-15);
    expectRelative(digamma(x), slope, 1e-15);
  });

  test.each([
    [0.001, 1, 0.9747728793699604],
    [2.5, 1, 0.11384629800665805],
    [0.3, 3, 0.9600284803068776],
    [5, 3, 0.17179714429673315],
    [5.5, 3, 0.1386386173824151],
    [40, 7, 1.2587903873713088e-6],
    [600, 2, 5.148200222412013e-131],
    [90, 100, 0.7531979655998298],
    [130, 100, 0.023512397809808676],
  ])('P(χ² > %d) with %d degrees of freedom', (x, degreesOfFreedom, expected) => {
    expectRelative(chiSquareSurvival(x, degreesOfFreedom), expected, 1e-13);
  });

  test('P(χ² > x) at the ends', () => {
    expect([Number.NaN, -3, 0, 1e6, Number.POSITIVE_INFINITY].map((x) => chiSquareSurvival(x, 1))).toEqual([
      1, 1, 1, 0, 0,
    ]);
  });

  test.each([
    [0, 10, 0.3, 0.0282475249],
    [4, 250, 0.01, 0.8921876269036253],
    [9, 250, 0.01, 0.9997498099312595],
    [60, 100, 0.5, 0.9823998998911476],
    [9, 10, 0.9, 0.6513215599],
    [2700, 100_000, 0.025, 0.9999700316488928],
  ])('P(X ≤ %d) of a binomial distribution of %d trials at %d', (k, n, p, expected) => {
    expectRelative(binomialCumulative(k, n, p), expected, 1e-13);
    expect(binomialCumulative(n, n, p)).toBe(1);
  });

  test.each([
    [0.5, 3, 0.2, 0.733430296619931],
    [20, 0.5, 0.999, 0.8424161860163615],
    [3, 4, 0.9, 0.99873],
    [1e-3, 5, 0.5, 0.9999891279249409],
    [500, 800, 0.4, 0.8726412764646689],
  ])('the incomplete beta function of %d and %d at %d', (a, b, x, expected) => {
    expectRelative(incompleteBeta(a, b, x), expected, 1e-13);
    expect([incompleteBeta(a, b, 0), incompleteBeta(a, b, 1)]).toEqual([0, 1]);
  });
});
