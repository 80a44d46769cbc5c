import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { asymmetricReturns, goldenReturns } from '../../park-miller.fixture.ts';
import { fitGarch, type GarchFit } from './fit.ts';
import { garchVariance } from './forecast.ts';
import { type ErrorDistribution, type GarchModel, type GarchSpecification, toVector } from './model.ts';

const MODELS: readonly GarchModel[] = ['garch', 'gjr', 'egarch'];

const asymmetric = asymmetricReturns();
const independent = goldenReturns(1000, 777, { omega: 1, alpha: 0, gamma: 0, beta: 0, mu: 0 }, 8, 1);
const heavy = goldenReturns(1500, 4242, { omega: 0.02, alpha: 0.1, gamma: 0, beta: 0.88, mu: -0.05 }, 4, 2);

function fitted(returns: Float64Array, specification: Partial<GarchSpecification>): GarchFit {
  const fit = fitGarch(returns, specification);
  if (!fit.available) throw new Error(fit.reason);
  return fit;
}

describe('the benchmark of Fiorentini, Calzolari and Panattoni (1996) on 1,974 days of mark against pound', () => {
  const file = new URL('./mark-pound.fixture.json', import.meta.url);
  const returns = Float64Array.from(JSON.parse(readFileSync(file, 'utf8')).returns as number[]);
  const benchmark = { model: 'garch', distribution: 'normal', start: 'mean-square' } as const;

  test('is met in likelihood and parameters to their published digits', () => {
    expect(returns.length).toBe(1974);
    const fit = fitted(returns, benchmark);
    expect(fit.logLikelihood).toBeCloseTo(-1106.60788, 4);
    const { mu, omega, alpha, beta } = fit.parameters;
    expect(mu).toBeCloseTo(-0.00619041, 7);
    expect(omega).toBeCloseTo(0.0107613, 6);
    expect(alpha).toBeCloseTo(0.153134, 5);
    expect(beta).toBeCloseTo(0.805974, 5);
  });

  test('is met in both kinds of standard errors', () => {
    expect(fitted(returns, benchmark).standardErrors).toMatchObject({
      available: true,
      hessian: {
        mu: expect.closeTo(0.00846212, 7),
        omega: expect.closeTo(0.00285271, 7),
        alpha: expect.closeTo(0.0265228, 6),
        beta: expect.closeTo(0.0335527, 6),
      },
      robust: {
        mu: expect.closeTo(0.00918935, 7),
        omega: expect.closeTo(0.00649319, 7),
        alpha: expect.closeTo(0.0535317, 6),
        beta: expect.closeTo(0.0724614, 6),
      },
      heldOn: [],
    });
  });

  test('with t errors, whose maximum lies on persistence 1, errors are given along the bound', () => {
    const student = fitted(returns, { model: 'garch', distribution: 't' });
    const { alpha, beta } = student.parameters;
    expect(alpha + beta).toBeCloseTo(1, 7);
    expect(student.standardErrors).toMatchObject({ available: true, heldOn: ['persistence'] });
  });
});

/** Likelihood, then μ, ω, α, γ, β and ν. */
type Golden = readonly [GarchModel, ErrorDistribution, number, readonly number[]];

/**
 * SciPy 1.17: SLSQP from six starts, polished by Nelder and Mead, on a likelihood written in NumPy after the documentation of the
 * `arch` package (constant mean, its backcast, its bounds).
 */
const ASYMMETRIC: readonly Golden[] = [
  [
    'garch',
    'normal',
    6477.095342230712,
    [0.0006715857544, 1.12538518e-5, 0.094108182086, 0, 0.7889471689853],
  ],
  [
    'garch',
    't',
    6541.8171096869855,
    [0.00065451789583, 1.07718785e-5, 0.084330035554, 0, 0.80664497283, 5.18566697],
  ],
  [
    'gjr',
    'normal',
    6486.489449930187,
    [0.00054629155669, 1.50983907e-5, 0.03040946945, 0.13255502755, 0.74517621306],
  ],
  [
    'gjr',
    't',
    6549.759173662109,
    [0.00056490311687, 1.453592e-5, 0.02299811464, 0.1414985332, 0.75816576578, 5.34764022],
  ],
  [
    'egarch',
    'normal',
    6477.486396477754,
    [0.00050554097464, -1.27023464, 0.21122407811, -0.0788054185, 0.86227172051],
  ],
  [
    'egarch',
    't',
    6543.66293394514,
    [0.00056272653686, -1.37356352, 0.19865534511, -0.0916713307, 0.85089680768, 5.25102923],
  ],
];
const HEAVY: readonly Golden[] = [
  ['garch', 'normal', -3000.820509132507, [0.0099047583, 0.144728960859, 0.13432463998, 0, 0.84282004766]],
  [
    'garch',
    't',
    -2829.7106740239683,
    [-0.06450560818, 0.11677135019, 0.11155892041, 0, 0.87520189645, 3.3196374972],
  ],
  [
    'gjr',
    'normal',
    -2987.0204564385463,
    [-0.036225125826, 0.147491048941, 0.070409638346, 0.13211299057, 0.84081311812],
  ],
  [
    'gjr',
    't',
    -2829.156738630927,
    [-0.06895274818, 0.114491777, 0.0955086414, 0.0336891865, 0.87591025742, 3.32234494675],
  ],
  [
    'egarch',
    'normal',
    -2987.3886732656283,
    [-0.0175879195, 0.0814237525, 0.2909497425, -0.0609164558, 0.9541431669],
  ],
  [
    'egarch',
    't',
    -2834.3750406752515,
    [-0.06676543927, 0.0745305114, 0.2595797494, -0.0081061005, 0.96805148356, 3.2750202774],
  ],
];

describe('fits agree with SciPy', () => {
  test.each([
    ...ASYMMETRIC.map((row) => ['2,000 asymmetric returns', asymmetric, ...row] as const),
    ...HEAVY.map((row) => ['1,500 heavy-tailed returns', heavy, ...row] as const),
  ])('on %s', (_, returns, model, distribution, logLikelihood, parameters) => {
    const fit = fitted(returns, { model, distribution });
    expect(fit.logLikelihood).toBeGreaterThan(logLikelihood - 1e-5);
    expect(fit.logLikelihood).toBeLessThan(logLikelihood + 1e-3);
    const found = toVector(fit.parameters);
    parameters.forEach((expected, place) => {
      // Within a thousandth; around 0, within a thousandth of a plain share.
      expect(Math.abs(found[place] - expected)).toBeLessThan(1e-3 * Math.max(Math.abs(expected), 0.01));
    });
  });

  test('on independent returns, where parameters lie on their bounds and a ridge has two maxima', () => {
    const normal = fitted(independent, { model: 'garch', distribution: 'normal' });
    expect(normal.logLikelihood).toBeCloseTo(-1431.2924571231256, 8);
    expect(normal.parameters.alpha).toBeLessThan(1e-8);
    expect(normal.standardErrors).toMatchObject({ heldOn: ['alpha'] });
    expect(fitted(independent, { model: 'gjr', distribution: 'normal' }).logLikelihood).toBeCloseTo(
      -1431.2924571231,
      8,
    );
    const student = fitted(independent, { model: 'garch', distribution: 't' });
    expect(student.logLikelihood).toBeCloseTo(-1410.237313713794, 7);
    expect(student.parameters.nu).toBeCloseTo(6.19697, 4);
  });
});

/** 120 returns of heavy-tailed garch, among whose starts and valleys a search can go wrong. */
function few(seed: number): Float64Array {
  return goldenReturns(120, seed, { omega: 0.05, alpha: 0.15, gamma: 0, beta: 0.8, mu: 0.1 }, 4, 1);
}

describe('of few returns', () => {
  test.each([
    [1006, 'garch', 'normal', -142.4652665672852],
    [1030, 'garch', 'normal', -161.82275120738248],
    [1030, 'gjr', 'normal', -161.82275120738248],
    [1019, 'garch', 't', -137.6423804496281],
  ] as const)(
    'seed %d, %s with %s errors: the highest valley is the one that SciPy finds from many starts',
    (seed, model, distribution, logLikelihood) => {
      const fit = fitted(few(seed), { model, distribution });
      expect(fit.logLikelihood).toBeCloseTo(logLikelihood, 6);
    },
  );

  test('egarch comes out of a kink in which a descent along gradients ends', () => {
    const fit = fitted(few(1006), { model: 'egarch', distribution: 't' });
    // Nelder and Mead of SciPy from twelve starts; the descent alone ends at -133.25.
    expect(fit.logLikelihood).toBeGreaterThan(-119.59125705567651);
    expect(fitted(few(1007), { model: 'egarch', distribution: 'normal' }).logLikelihood).toBeGreaterThan(
      -122,
    );
  });

  test('a search that ends on a slope is no maximum', () => {
    expect(fitGarch(few(1010), { model: 'egarch', distribution: 'normal' })).toMatchObject({
      available: false,
      reason: expect.stringContaining('no maximum'),
    });
  });
});

describe('a fit begun from parameters', () => {
  test.each(MODELS)('of nearly the same returns is that of the whole search, in less time: %s', (model) => {
    for (const distribution of ['normal', 't'] as const) {
      const whole = fitted(heavy, { model, distribution });
      const near = heavy.slice(0, 1480);
      const again = fitGarch(near, { model, distribution }, whole.parameters);
      if (!again.available) throw new Error(again.reason);
      const fresh = fitted(near, { model, distribution });
      expect(Math.abs(again.logLikelihood - fresh.logLikelihood)).toBeLessThan(0.05);
      expect(again.evaluations).toBeGreaterThan(1);
      expect(3 * again.evaluations).toBeLessThan(fresh.evaluations);
    }
  });

  test.each([
    ['garch', { alpha: 0, gamma: 0, beta: 0.9 }],
    ['garch', { alpha: 0.1, gamma: 0, beta: 0.9 }],
    ['garch', { alpha: 0.3, gamma: 0, beta: 0 }],
    ['gjr', { alpha: 0.1, gamma: -0.1, beta: 0.8 }],
    ['gjr', { alpha: 0, gamma: 0, beta: 0.8 }],
    ['gjr', { alpha: 0.1, gamma: 0.2, beta: 0.8 }],
    ['gjr', { alpha: 0.1, gamma: 0.2, beta: 0 }],
    ['egarch', { alpha: 0, gamma: 0, beta: 0 }],
    ['egarch', { alpha: 0.2, gamma: 0.1, beta: -0.4 }],
  ] as const)('on the bounds of %s leaves them: %j', (model, shares) => {
    const specification = { model, distribution: 'normal' } as const;
    const from = { mu: 0, omega: model === 'egarch' ? 0.1 : 0.3, nu: Number.POSITIVE_INFINITY, ...shares };
    const fit = fitGarch(heavy, specification, from);
    if (!fit.available) throw new Error(fit.reason);
    expect(Math.abs(fit.logLikelihood - fitted(heavy, specification).logLikelihood)).toBeLessThan(0.05);
  });

  test.each(MODELS)('may be begun in any unit: %s', (model) => {
    const whole = fitted(heavy, { model });
    const hundredth = heavy.map((value) => value / 100);
    const small = fitted(hundredth, { model });
    const again = fitGarch(hundredth, { model }, small.parameters);
    const plain = fitGarch(heavy, { model }, whole.parameters);
    if (!again.available || !plain.available) throw new Error('no fit');
    // The same place of the same standardised returns: the same search, but for rounding.
    expect(Math.abs(again.evaluations - plain.evaluations)).toBeLessThanOrEqual(3);
    expect(again.logLikelihood - 1500 * Math.log(100)).toBeCloseTo(plain.logLikelihood, 3);
  });
});

describe('laws of the fit', () => {
  test.each(MODELS)('the unit of the returns does not matter to %s', (model) => {
    const percent = fitted(
      asymmetric.map((value) => 100 * value),
      { model },
    );
    const plain = fitted(asymmetric, { model });
    expect(percent.logLikelihood + asymmetric.length * Math.log(100)).toBeCloseTo(plain.logLikelihood, 7);
    expect(percent.parameters.alpha).toBeCloseTo(plain.parameters.alpha, 6);
    expect(percent.parameters.nu / plain.parameters.nu).toBeCloseTo(1, 5);
    expect(percent.nextVariance / plain.nextVariance / 1e4).toBeCloseTo(1, 6);
    if (percent.standardErrors.available && plain.standardErrors.available) {
      const [wide, narrow] = [percent.standardErrors.robust, plain.standardErrors.robust];
      expect((wide.mu as number) / (narrow.mu as number) / 100).toBeCloseTo(1, 3);
      expect(wide.beta).toBeCloseTo(narrow.beta as number, 4);
    }
  });

  test('a richer model is never less likely', () => {
    for (const returns of [asymmetric, heavy]) {
      const of = (model: GarchModel, distribution: ErrorDistribution): number =>
        fitted(returns, { model, distribution }).logLikelihood;
      expect(of('gjr', 't')).toBeGreaterThan(of('garch', 't') - 1e-6);
      expect(of('garch', 't')).toBeGreaterThan(of('garch', 'normal') - 1e-6);
    }
  });

  test('its variance path is the one of its parameters', () => {
    for (const model of MODELS) {
      const fit = fitted(heavy, { model });
      const path = garchVariance(heavy, fit.specification, fit.parameters);
      expect(path[heavy.length] / fit.nextVariance).toBeCloseTo(1, 10);
      expect(path[700] / fit.variance[700]).toBeCloseTo(1, 10);
    }
  });

  test('returns that do not vary are said to have no volatility, and too few or broken ones are refused', () => {
    expect(fitGarch(new Float64Array(500))).toMatchObject({
      available: false,
      reason: expect.stringContaining('vary'),
    });
    expect(fitGarch(new Float64Array(500).fill(0.01))).toMatchObject({ available: false });
    // Far from 0, what is left of the digits is no volatility.
    const far = (share: number) => asymmetric.map((value) => 1000 + share * Math.sign(value));
    expect(fitGarch(far(1e-10))).toMatchObject({ available: false });
    expect(fitGarch(far(1e-5), { model: 'garch', distribution: 'normal' })).toMatchObject({
      available: true,
    });
    expect(() => fitGarch(new Float64Array(20))).toThrow(
      expect.objectContaining({ code: 'DATA_INSUFFICIENT' }),
    );
    const broken = asymmetric.slice();
    broken[7] = Number.NaN;
    expect(() => fitGarch(broken)).toThrow(expect.objectContaining({ code: 'INPUT_INVALID' }));
  });
});
