import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parkMiller } from '../park-miller.fixture.ts';
import { extremeValueRisk } from './extreme-value.ts';
import { fitGeneralisedPareto, paretoLogLikelihood, profileInterval } from './generalised-pareto.ts';

/** The 109 of 2,167 Danish fire insurance losses (1980 to 1990, millions of krone) above 10: McNeil (1997), `danishClaims` of fExtremes. */
const DANISH = [
  10.01112347, 10.07230256, 10.13717189, 10.17802378, 10.18481848, 10.20408163, 10.22280472, 10.27000964,
  10.5, 10.58425064, 10.7, 10.82045184, 10.82519965, 10.99834983, 11.12347052, 11.13172542, 11.37481698,
  11.43159066, 11.59554731, 11.62303665, 11.6850127, 11.71303075, 11.80124224, 11.89060642, 12.05400193,
  12.0593692, 12.225, 12.37623762, 12.46559297, 12.52319109, 12.53616201, 12.63181313, 12.70110076,
  12.80186283, 12.89515072, 13.20132013, 13.34816463, 13.5, 13.62079063, 13.62303665, 14.01354784,
  14.12207613, 14.239, 14.29319372, 14.3, 14.39458086, 14.39458086, 14.67889908, 14.85148515, 15.28465347,
  15.81151832, 15.88287489, 15.92627824, 16.08806097, 16.3, 16.41526176, 16.44165863, 16.88311688,
  17.06846673, 17.56954612, 17.73927393, 17.74349084, 18.32208293, 18.42413487, 18.5528757, 18.62828112,
  18.64648377, 18.84816754, 19.07027818, 19.16230366, 19.26567657, 19.4, 19.47291362, 20.04994055,
  20.45252884, 20.82673267, 20.86367485, 20.96985583, 21.96193265, 22.137567, 22.25822592, 23.283859,
  24.55546147, 24.57852706, 24.97027348, 25.28837622, 25.9538598, 26.21464129, 27.26259453, 27.33806566,
  27.82931354, 28.63036304, 29.02603664, 29.03710575, 31.05590062, 32.38780694, 32.46753247, 34.14154653,
  38.15439219, 42.09144793, 46.5, 47.01952085, 50.0655308, 56.22542595, 57.410636, 65.70749108, 144.6575908,
  152.4132091, 263.250366,
];
const excesses = Float64Array.from(DANISH, (loss) => loss - 10);

describe('the Danish fire losses above 10', () => {
  const fit = fitGeneralisedPareto(excesses);
  if (!fit.available) throw new Error(fit.reason);

  test('have the shape 0.50 and the scale 6.98 that McNeil (1997) found, with errors of 0.14 and 1.1', () => {
    expect(fit.shape).toBeCloseTo(0.497, 3);
    expect(fit.scale).toBeCloseTo(6.98, 2);
    expect(fit.standardErrors.shape).toBeCloseTo(0.14, 2);
    expect(fit.standardErrors.scale).toBeCloseTo(1.11, 2);
  });

  test('and those of SciPy 1.17 to its last digits', () => {
    expect(fit.shape).toBeCloseTo(0.4969858, 6);
    expect(fit.scale).toBeCloseTo(6.97546793, 6);
    expect(fit.logLikelihood).toBeCloseTo(-374.89299022942635, 9);
  });

  test('have the profile interval of VaR at 99 % that SciPy finds', () => {
    const interval = profileInterval(excesses, fit, 109 / 2167 / 0.01);
    expect(interval.low + 10).toBeCloseTo(23.277306068743435, 6);
    expect(interval.high + 10).toBeCloseTo(33.21035436644025, 6);
  });
});

describe('a generalised Pareto fit', () => {
  /** Draws by inversion: (u^(−ξ) − 1)/ξ. */
  const draws = (n: number, shape: number, seed: number): Float64Array => {
    const { uniform } = parkMiller(seed);
    return Float64Array.from({ length: n }, () =>
      Math.abs(shape) < 1e-12 ? -Math.log(uniform()) : (uniform() ** -shape - 1) / shape,
    );
  };

  test.each([-0.3, 0, 0.2, 0.8, 1.5])('finds the shape %d it was drawn with', (shape) => {
    const fit = fitGeneralisedPareto(draws(20_000, shape, 17));
    if (!fit.available) throw new Error(fit.reason);
    expect(Math.abs(fit.shape - shape)).toBeLessThan(4 * fit.standardErrors.shape);
    expect(Math.abs(fit.scale - 1)).toBeLessThan(4 * fit.standardErrors.scale);
  });

  test('is a maximum: no neighbour is likelier', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 1e6 }),
        fc.double({ min: -0.2, max: 1.2, noNaN: true }),
        (seed, shape) => {
          const sample = draws(150, shape, seed);
          const fit = fitGeneralisedPareto(sample);
          if (!fit.available) return;
          expect(paretoLogLikelihood(sample, fit.shape, fit.scale)).toBeCloseTo(fit.logLikelihood, 7);
          for (const [a, b] of [
            [1e-3, 0],
            [-1e-3, 0],
            [0, 1e-3],
            [0, -1e-3],
            [1e-3, -1e-3],
          ])
            expect(paretoLogLikelihood(sample, fit.shape + a, fit.scale * (1 + b))).toBeLessThan(
              fit.logLikelihood + 1e-9,
            );
        },
      ),
      { seed: 1, numRuns: 40 },
    );
  });

  test('does not depend on the unit', () => {
    const [plain, dear] = [1, 1e6].map((unit) => fitGeneralisedPareto(excesses.map((value) => value * unit)));
    if (!plain.available || !dear.available) throw new Error('no fit');
    expect(dear.shape).toBeCloseTo(plain.shape, 6);
    expect(dear.scale / plain.scale / 1e6).toBeCloseTo(1, 6);
  });

  test('says why there is none', () => {
    expect(fitGeneralisedPareto(excesses.subarray(0, 9))).toMatchObject({ available: false });
    expect(fitGeneralisedPareto(new Float64Array(40).fill(3))).toMatchObject({ available: false });
    const abrupt = Float64Array.from({ length: 60 }, (_, i) => 1 - (i / 60) ** 6);
    expect(fitGeneralisedPareto(abrupt)).toMatchObject({ available: false });
    expect(paretoLogLikelihood(excesses, -0.4, 1)).toBe(Number.NEGATIVE_INFINITY);
    expect(paretoLogLikelihood(excesses, 0.1, -1)).toBe(Number.NEGATIVE_INFINITY);
  });

  test('a threshold that is shared by many losses has none of them above it', () => {
    const tied = Float64Array.from({ length: 400 }, (_, i) =>
      i < 300 ? 0 : i < 350 ? 1 : 1 - Math.log((400 - i) / 51),
    );
    const risk = extremeValueRisk(tied, 0.99, 0.2);
    expect(risk).toMatchObject({ available: true, threshold: 1, exceedances: 50 });
  });
});
