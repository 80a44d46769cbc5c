import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Random } from '../../random.ts';
import { parkMiller } from '../park-miller.fixture.ts';
import { classicalCovariance, type LeastSquares, leastSquares, robustCovariance } from './least-squares.ts';
import { longRunVariance } from './long-run-variance.ts';

const N = 200;

/** Two regressors and an outcome with dependent, heteroskedastic errors, by Park and Miller's generator. */
function golden() {
  const { uniform: next } = parkMiller(20240601);
  const [one, first, second, outcome] = [1, 0, 0, 0].map((value) => new Float64Array(N).fill(value));
  let error = 0;
  for (let t = 0; t < N; t++) {
    first[t] = next();
    const u = next();
    second[t] = u * u;
    error = 0.6 * error + (next() - 0.5) * (0.5 + first[t]);
    outcome[t] = 1.5 - 2 * first[t] + 0.7 * second[t] + error;
  }
  return { columns: [one, first, second], outcome, weights: first.map((value) => 0.5 + value) };
}

function fitted(
  columns: readonly Float64Array[],
  outcome: Float64Array,
  weights?: Float64Array,
): LeastSquares {
  const fit = leastSquares(columns, outcome, weights);
  if (fit === null) throw new Error('the columns depend on each other');
  return fit;
}

function allNear(actual: Float64Array, expected: readonly number[], precision = 1e-9): void {
  expect(actual.length).toBe(expected.length);
  for (const [i, value] of expected.entries())
    expect(Math.abs(actual[i] / value - 1)).toBeLessThan(precision);
}

describe('statsmodels 0.13 agrees', () => {
  const { columns, outcome, weights } = golden();
  const fit = fitted(columns, outcome);
  const weighted = fitted(columns, outcome, weights);

  test('on the coefficients, residuals and R² of OLS and of WLS', () => {
    allNear(fit.coefficients, [1.5903920754537073, -1.9893546323243199, 0.6291441176428045]);
    allNear(
      Float64Array.of(fit.residuals[0], fit.residuals[99], fit.residuals[199]),
      [0.27045484821337373, -0.1966725984914347, -0.27492388524972566],
    );
    allNear(Float64Array.of(fit.rSquared, weighted.rSquared), [0.7374127825670775, 0.7011671927759293]);
    allNear(weighted.coefficients, [1.5982028972253335, -1.9943085553958908, 0.6147366279344815]);
  });

  test.each<[string, Float64Array, readonly number[]]>([
    [
      '(XᵀX)⁻¹',
      fit.inverseGram,
      [
        0.024833004384049725, -0.028246774018311573, -0.0168180235512906, -0.028246774018311573,
        0.055641444059433276, 0.0015790156641907066, -0.0168180235512906, 0.0015790156641907066,
        0.04674251700174052,
      ],
    ],
    [
      'the usual',
      classicalCovariance(fit),
      [
        0.0036444802574359847, -0.00414548351274459, -0.0024682053711205633, -0.00414548351274459,
        0.008165912639232727, 0.00023173560980891406, -0.0024682053711205633, 0.00023173560980891406,
        0.006859910213084272,
      ],
    ],
    [
      'HC0',
      robustCovariance(fit, columns, 0),
      [
        0.0024425171969836754, -0.0029824710387116194, -0.0014484806263981623, -0.0029824710387116194,
        0.008341569301600604, -0.0014604265087293236, -0.0014484806263981625, -0.0014604265087293233,
        0.00573525147843398,
      ],
    ],
    [
      'HAC with 1 lag, use_correction=False',
      robustCovariance(fit, columns, 1),
      [
        0.002721187106028959, -0.002692164710498769, -0.0016278457536643832, -0.0026921647104987696,
        0.00812944601439132, -0.0013019699225125334, -0.001627845753664381, -0.001301969922512535,
        0.005712885252043752,
      ],
    ],
    [
      'HAC with 5 lags',
      robustCovariance(fit, columns, 5),
      [
        0.00355345224898065, -0.0025762998425062703, -0.0021430346102049897, -0.002576299842506274,
        0.007846824278346105, -0.0006741625921508773, -0.002143034610204987, -0.0006741625921508809,
        0.006288809397862795,
      ],
    ],
    [
      'HAC with 12 lags',
      robustCovariance(fit, columns, 12),
      [
        0.003131857600589831, -0.002376681810382796, -0.001773943123240542, -0.0023766818103828024,
        0.0073843214870105995, -0.0005645074252456856, -0.0017739431232405424, -0.0005645074252456855,
        0.006040659205675893,
      ],
    ],
    [
      '(XᵀWX)⁻¹ of WLS',
      weighted.inverseGram,
      [
        0.033092896391582804, -0.037690714185624356, -0.017409615863984065, -0.037690714185624356,
        0.06276417518448497, 0.0022996121183626707, -0.017409615863984065, 0.0022996121183626707,
        0.04723625563748634,
      ],
    ],
    [
      'the usual of WLS',
      classicalCovariance(weighted),
      [
        0.0052550860221624186, -0.005985210328479197, -0.0027646123172618414, -0.005985210328479197,
        0.009966825985906543, 0.0003651738233065849, -0.0027646123172618414, 0.0003651738233065849,
        0.007501023295228483,
      ],
    ],
    [
      'HC0 of WLS',
      robustCovariance(weighted, columns, 0),
      [
        0.002962806355567056, -0.003743867910064344, -0.0016474111951223233, -0.003743867910064344,
        0.010183565861157947, -0.0021333518883900554, -0.0016474111951223238, -0.0021333518883900554,
        0.006964262195241587,
      ],
    ],
    [
      'HAC of WLS with 5 lags',
      robustCovariance(weighted, columns, 5),
      [
        0.004095144981459608, -0.0034516287475528868, -0.002278829098010729, -0.0034516287475528963,
        0.010845632551906553, -0.0023570986129474035, -0.002278829098010725, -0.0023570986129474126,
        0.008118549796410881,
      ],
    ],
  ])('on the covariance: %s', (_, actual, expected) => {
    allNear(actual, expected);
  });

  test('on the long-run variance of a series (OLS on a constant, HAC with 7 lags)', () => {
    allNear(Float64Array.of(longRunVariance(outcome, 7)), [0.6418091600795652]);
  });

  test('where a column nearly depends on the others, also on the inverse', () => {
    const [one, first, second] = columns;
    const close = [one, first, first.map((value, t) => value + 1e-7 * second[t])];
    const near = fitted(close, outcome);
    // The condition is 5e7: eight digits are lost in the data themselves.
    allNear(near.coefficients, [1.5903920753041252, -6291443.168311893, 6291441.178957259], 1e-7);
    allNear(
      near.inverseGram,
      [
        0.02483300439152732, 168180.2074304345, -168180.23567720872, 168180.2074304345, 4674251671950.635,
        -4674251687740.739, -168180.23567720872, -4674251687740.739, 4674251703530.893,
      ],
      1e-7,
    );
  });
});

describe('least squares', () => {
  const seeds = fc.integer({ min: 1, max: 1_000_000 });
  function drawn(seed: number, n: number, size: number) {
    const random = Random.stream(seed, 'least squares');
    const next = (): Float64Array => new Float64Array(n).map(() => random.normal());
    return { columns: Array.from({ length: size }, next), outcome: next(), weights: next().map(Math.exp) };
  }

  test('leave residuals orthogonal to every column, weighted or not', () => {
    fc.assert(
      fc.property(seeds, fc.integer({ min: 1, max: 6 }), (seed, size) => {
        const { columns, outcome, weights } = drawn(seed, 30, size);
        const plain = fitted(columns, outcome);
        const weighted = fitted(columns, outcome, weights);
        for (const column of columns) {
          const product = (residuals: Float64Array, w: Float64Array | null): number =>
            residuals.reduce((sum, value, t) => sum + value * column[t] * (w === null ? 1 : w[t]), 0);
          expect(product(plain.residuals, null)).toBeCloseTo(0, 10);
          expect(product(weighted.residuals, weights)).toBeCloseTo(0, 9);
        }
      }),
      { seed: 121, numRuns: 100 },
    );
  });

  test('a whole weight is a row that often, but for the covariance’s count of rows', () => {
    const { columns, outcome } = drawn(3, 20, 2);
    const weights = Float64Array.from({ length: 20 }, (_, t) => 1 + (t % 3));
    const repeat = (values: Float64Array): Float64Array =>
      Float64Array.from([...values].flatMap((value, t) => new Array(weights[t]).fill(value)));
    const weighted = fitted(columns, outcome, weights);
    const repeated = fitted(columns.map(repeat), repeat(outcome));
    allNear(weighted.coefficients, [...repeated.coefficients], 1e-12);
    allNear(weighted.inverseGram, [...repeated.inverseGram], 1e-12);
    expect(weighted.rSquared).toBeCloseTo(repeated.rSquared, 13);
  });

  test('as many rows as columns fit exactly; fewer, a double column, a column of zeros or a number that is none do not', () => {
    const { columns, outcome } = drawn(5, 4, 4);
    expect(Math.max(...fitted(columns, outcome).residuals.map(Math.abs))).toBeLessThan(1e-12);
    const short = (values: Float64Array): Float64Array => values.slice(0, 3);
    expect(leastSquares(columns.map(short), short(outcome))).toBeNull();
    const [a, b] = drawn(6, 30, 2).columns;
    const sum = a.map((value, t) => 2 * value - b[t]);
    for (const third of [a, sum, new Float64Array(30), new Float64Array(30).fill(Number.NaN)])
      expect(leastSquares([a, b, third], new Float64Array(30))).toBeNull();
  });

  test('an outcome that does not vary has an R² of 0', () => {
    const { columns } = drawn(7, 30, 2);
    expect(fitted(columns, new Float64Array(30)).rSquared).toBe(0);
  });
});
