import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Random } from '../../random.ts';
import { parkMiller } from '../park-miller.fixture.ts';
import { type DieboldMarianoOptions, dieboldMariano } from './diebold-mariano.ts';
import { type GiacominiWhiteOptions, giacominiWhite } from './giacomini-white.ts';

/** Park and Miller's generator: any language repeats it. */
function uniforms(n: number): Float64Array {
  const { uniform } = parkMiller(20240601);
  return new Float64Array(n).map(uniform);
}

/** Losses of two forecasts with a common, dependent part; the second's are smaller. */
function golden(n: number): [Float64Array, Float64Array] {
  const u = uniforms(2 * n);
  const first = new Float64Array(n);
  const second = new Float64Array(n);
  let s = 0;
  for (let t = 0; t < n; t++) {
    s = 0.7 * s + u[2 * t] - 0.5;
    first[t] = (s + 0.1) * (s + 0.1);
    second[t] = s * s * 0.9 + 0.1 * u[2 * t + 1];
  }
  return [first, second];
}

function near(actual: number, expected: number): void {
  expect(Math.abs(actual / expected - 1)).toBeLessThan(1e-9);
}

describe('Diebold and Mariano equal NumPy 1.24 and SciPy 1.10, with Bartlett weights statsmodels 0.13 (OLS on a constant, HAC)', () => {
  test.each<[number, DieboldMarianoOptions, 'rectangular' | 'bartlett', number, number, number, number]>([
    [
      300,
      {},
      'rectangular',
      -5.261090628647996,
      2.735506479215862e-7,
      1.367753239607931e-7,
      0.999999863224676,
    ],
    [
      300,
      { horizonSteps: 4 },
      'rectangular',
      -2.7587855744355223,
      0.006159240720615318,
      0.003079620360307659,
      0.9969203796396924,
    ],
    [
      300,
      { horizonSteps: 24 },
      'rectangular',
      -1.8594511893842567,
      0.06394531733865678,
      0.03197265866932839,
      0.9680273413306716,
    ],
    [
      300,
      { horizonSteps: 4, bartlettLags: 10 },
      'bartlett',
      -2.648594706566712,
      0.008511966094913554,
      0.004255983047456777,
      0.9957440169525432,
    ],
    [
      300,
      { bartlettLags: 0 },
      'bartlett',
      -5.261090628648001,
      2.735506479215797e-7,
      1.3677532396078986e-7,
      0.999999863224676,
    ],
    [
      40,
      {},
      'rectangular',
      -3.9268914301311795,
      0.0003405439861416671,
      0.00017027199307083354,
      0.9998297280069292,
    ],
    [
      40,
      { horizonSteps: 3 },
      'rectangular',
      -2.3319246272877914,
      0.024961499453132,
      0.012480749726566,
      0.987519250273434,
    ],
  ])('%i observations, %o', (n, options, weights, statistic, pValue, firstBetter, secondBetter) => {
    const result = dieboldMariano(...golden(n), options);
    if (!result.available) throw new Error(result.reason);
    expect(result.weights).toBe(weights);
    near(result.statistic, statistic);
    near(result.pValue, pValue);
    // A negative mean difference: the first's losses are the smaller ones.
    expect(result.meanDifference).toBeLessThan(0);
    near(result.pValueFirstBetter, firstBetter);
    near(result.pValueSecondBetter, secondBetter);
  });

  test('where equal weights give no positive variance Bartlett’s stand in, and the result says so', () => {
    const u = uniforms(60);
    const first = u.map((value, t) => 1 + (t % 2 === 0 ? 1 : -1) * (1 + 0.1 * value) + 0.05);
    const result = dieboldMariano(first, new Float64Array(60).fill(1), { horizonSteps: 2 });
    if (!result.available) throw new Error(result.reason);
    expect(result).toMatchObject({ weights: 'bartlett', lags: 1, degreesOfFreedom: 59 });
    near(result.statistic, 2.6401886862001636);
    near(result.pValue, 0.010585837354008962);
  });
});

describe('Giacomini and White equal NumPy 1.24 and SciPy 1.10; at one step n R² of statsmodels 0.13', () => {
  test.each<[GiacominiWhiteOptions, number, number, number]>([
    [{}, 92.73928712432256, 7.276452072343814e-21, -0.02753961266086165],
    [{ horizonSteps: 4 }, 14.376638525368156, 0.0007553576119197043, -0.027222360906067788],
    [{ horizonSteps: 24, lags: 30 }, 3.3221516126302295, 0.1899345373760832, -0.026992126031458126],
  ])('%o', (options, statistic, pValue, meanDifference) => {
    const result = giacominiWhite(...golden(300), options);
    if (!result.available) throw new Error(result.reason);
    near(result.statistic, statistic);
    near(result.pValue, pValue);
    near(result.meanDifference, meanDifference);
    expect(result.rows).toBe(300 - (options.horizonSteps ?? 1));
  });
});

describe('what cannot be tested is not', () => {
  test('forecasts that are equally good always, or by a constant', () => {
    const [first] = golden(100);
    for (const second of [first, first.map((loss) => loss + 0.25)]) {
      expect(dieboldMariano(first, second)).toMatchObject({ available: false });
      expect(giacominiWhite(first, second)).toMatchObject({ available: false });
    }
  });

  test('few observations for the horizon', () => {
    const few = golden(9);
    expect(dieboldMariano(...few)).toMatchObject({
      available: false,
      reason: expect.stringContaining('10 are needed'),
    });
    expect(dieboldMariano(...golden(40), { horizonSteps: 21 })).toMatchObject({ available: false });
    expect(dieboldMariano(...golden(40), { bartlettLags: 39 })).toMatchObject({ available: false });
    expect(giacominiWhite(...golden(20))).toMatchObject({
      available: false,
      reason: expect.stringContaining('21 are needed'),
    });
  });

  test.each([
    ['different lengths', new Float64Array(30), new Float64Array(29), {}],
    ['a loss that is no number', new Float64Array(30).fill(Number.NaN), new Float64Array(30), {}],
    ['an infinite loss', new Float64Array(30), new Float64Array(30).fill(Number.POSITIVE_INFINITY), {}],
    ['a horizon of 0', new Float64Array(30), new Float64Array(30), { horizonSteps: 0 }],
    ['half a lag', new Float64Array(30), new Float64Array(30), { bartlettLags: 0.5, lags: 0.5 }],
  ])('%s: refused with a remedy', (_, first, second, options) => {
    for (const compare of [dieboldMariano, giacominiWhite])
      expect(() => compare(first, second, options)).toThrow(
        expect.objectContaining({ code: 'INPUT_INVALID', remedy: expect.any(String) }),
      );
  });

  test('no loss at all', () => {
    expect(() => dieboldMariano(new Float64Array(0), new Float64Array(0))).toThrow(
      expect.objectContaining({ code: 'DATA_INSUFFICIENT' }),
    );
  });
});

describe('laws', () => {
  const seeds = fc.integer({ min: 1, max: 1_000_000 });
  const horizons = fc.integer({ min: 1, max: 12 });

  function drawn(seed: number, n: number): [Float64Array, Float64Array] {
    const random = Random.stream(seed, 'comparison');
    const next = () => new Float64Array(n).map(() => random.exponential());
    return [next(), next()];
  }

  test('the two forecasts exchanged turn the sign and nothing else, and the unit of the losses plays no part', () => {
    fc.assert(
      fc.property(
        seeds,
        horizons,
        fc.double({ min: 1e-6, max: 1e6, noNaN: true }),
        (seed, horizonSteps, unit) => {
          const [first, second] = drawn(seed, 60);
          const scaled = [first, second].map((losses) => losses.map((loss) => loss * unit));
          const one = dieboldMariano(first, second, { horizonSteps });
          const other = dieboldMariano(scaled[1], scaled[0], { horizonSteps });
          if (!one.available || !other.available) throw new Error('unavailable');
          expect(other.statistic).toBeCloseTo(-one.statistic, 6);
          expect(other.pValue).toBeCloseTo(one.pValue, 6);
          expect(other.pValueFirstBetter).toBeCloseTo(one.pValueSecondBetter, 6);
          expect(one.pValueFirstBetter + one.pValueSecondBetter).toBeCloseTo(1, 12);
          const conditional = giacominiWhite(first, second, { horizonSteps });
          const scaledConditional = giacominiWhite(scaled[0], scaled[1], { horizonSteps });
          if (!conditional.available || !scaledConditional.available) throw new Error('unavailable');
          expect(scaledConditional.statistic / conditional.statistic).toBeCloseTo(1, 6);
          expect(conditional.pValue).toBeGreaterThan(0);
          expect(conditional.pValue).toBeLessThanOrEqual(1);
        },
      ),
      { seed: 21, numRuns: 60 },
    );
  });

  test('equally good forecasts are told apart at 5 % about as often as 5 % says, worse ones almost always', () => {
    let [unconditional, conditional, worse] = [0, 0, 0];
    const rounds = 400;
    for (let seed = 1; seed <= rounds; seed++) {
      const [first, second] = drawn(seed, 200);
      const a = dieboldMariano(first, second);
      const b = giacominiWhite(first, second);
      const c = dieboldMariano(
        first,
        second.map((loss) => 1.5 * loss),
      );
      if (a.available && a.pValue < 0.05) unconditional++;
      if (b.available && b.pValue < 0.05) conditional++;
      if (c.available && c.pValueFirstBetter < 0.05) worse++;
    }
    expect(unconditional / rounds).toBeGreaterThan(0.02);
    expect(unconditional / rounds).toBeLessThan(0.09);
    expect(conditional / rounds).toBeGreaterThan(0.02);
    expect(conditional / rounds).toBeLessThan(0.09);
    expect(worse / rounds).toBeGreaterThan(0.9);
  });
});
