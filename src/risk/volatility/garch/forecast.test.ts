import { describe, expect, test } from 'vitest';
import { Random } from '../../../random.ts';
import { asymmetricReturns, goldenReturns } from '../../park-miller.fixture.ts';
import { fitGarch } from './fit.ts';
import { forecastVariance, garchVariance, shocksFrom, shocksOf, simulateGarch } from './forecast.ts';
import type { ErrorDistribution, GarchSpecification } from './model.ts';

const DISTRIBUTIONS: readonly ErrorDistribution[] = ['normal', 't'];
const heavy = goldenReturns(1500, 4242, { omega: 0.02, alpha: 0.1, gamma: 0, beta: 0.88, mu: -0.05 }, 4, 2);

describe('forecasts', () => {
  test('by formula, towards the long-run variance', () => {
    const parameters = { mu: 0, omega: 0.1, alpha: 0.1, gamma: 0.1, beta: 0.75, nu: 5 };
    const forecast = forecastVariance(parameters, 4, 50);
    const [longRun, decay] = [0.1 / (1 - 0.9), 0.9];
    for (const h of [1, 2, 10, 50])
      expect(forecast[h - 1]).toBeCloseTo(longRun + decay ** (h - 1) * (4 - longRun), 12);
    const integrated = forecastVariance({ ...parameters, beta: 0.85 }, 2, 11);
    expect(integrated[10]).toBeCloseTo(3, 12);
  });

  test('five steps ahead are those of arch 8.0', () => {
    const fit = fitGarch(asymmetricReturns(), { model: 'garch' });
    if (!fit.available) throw new Error(fit.reason);
    const forecast = forecastVariance(fit.parameters, fit.nextVariance, 5);
    const golden = [
      0.00028713546865391233, 0.00026660241163626116, 0.0002483079708046413, 0.00023200808106810906,
      0.00021748528652803771,
    ];
    for (const [h, expected] of golden.entries()) expect(forecast[h] / expected).toBeCloseTo(1, 5);
  });

  test.each(DISTRIBUTIONS)('by simulation with %s errors equal those by formula', (distribution) => {
    const parameters = { mu: 0, omega: 0.1, alpha: 0.05, gamma: 0.1, beta: 0.8, nu: 6 };
    const random = Random.stream(1, distribution);
    const specification: GarchSpecification = { model: 'gjr', distribution, mean: 'zero', start: 'backcast' };
    const draw = shocksOf(specification, parameters, random);
    const path = new Float64Array(8);
    const squares = new Float64Array(8);
    const paths = 60_000;
    for (let i = 0; i < paths; i++) {
      simulateGarch('gjr', parameters, 3, draw, path);
      for (let h = 0; h < 8; h++) squares[h] += path[h] ** 2 / paths;
    }
    const formula = forecastVariance(parameters, 3, 8);
    for (let h = 0; h < 8; h++) expect(squares[h] / formula[h]).toBeCloseTo(1, 1);
  });

  test.each(['garch', 'gjr', 'egarch'] as const)(
    'a path of %s is its recursion along the shocks',
    (model) => {
      const shocks = [0.3, -1.2, 2.5, -0.1, 0, 0.8, -2];
      const gamma = model === 'garch' ? 0 : 0.15;
      const parameters = {
        mu: 0.02,
        omega: model === 'egarch' ? -0.05 : 0.1,
        alpha: 0.12,
        gamma,
        beta: 0.7,
        nu: 5,
      };
      const path = new Float64Array(shocks.length);
      let drawn = 0;
      simulateGarch(model, parameters, 1.7, () => shocks[drawn++], path);
      expect(drawn).toBe(shocks.length);
      let variance = 1.7;
      for (const [h, z] of shocks.entries()) {
        expect(path[h]).toBeCloseTo(0.02 + Math.sqrt(variance) * z, 12);
        const square = variance * z * z;
        variance =
          model === 'egarch'
            ? Math.exp(
                -0.05 +
                  0.12 * Math.abs(z) -
                  0.12 * Math.sqrt(2 / Math.PI) +
                  gamma * z +
                  0.7 * Math.log(variance),
              )
            : 0.1 + 0.12 * square + (z < 0 ? gamma * square : 0) + 0.7 * variance;
      }
    },
  );

  test('shocks are drawn from the distribution of the errors', () => {
    const specification = { model: 'garch', mean: 'zero', start: 'backcast' } as const;
    const parameters = { mu: 0, omega: 0.1, alpha: 0.1, gamma: 0, beta: 0.8, nu: 4 };
    const [student, plain] = [Random.stream(5, 'shocks'), Random.stream(5, 'shocks')];
    const t = shocksOf({ ...specification, distribution: 't' }, parameters, student);
    for (let i = 0; i < 20; i++) expect(t()).toBe(plain.studentT(4));
    const normal = shocksOf({ ...specification, distribution: 'normal' }, parameters, student);
    for (let i = 0; i < 20; i++) expect(normal()).toBe(plain.normal());
  });

  test('of no step, or of a part of one, are refused', () => {
    const parameters = { mu: 0, omega: 0.1, alpha: 0.1, gamma: 0, beta: 0.8, nu: 4 };
    for (const steps of [0, 1.5, Number.NaN])
      expect(() => forecastVariance(parameters, 1, steps)).toThrow(
        expect.objectContaining({ code: 'INPUT_INVALID' }),
      );
    expect(forecastVariance(parameters, 3, 1)).toEqual(Float64Array.of(3));
  });

  test('of egarch stay numbers under any shock, and residuals are drawn as they were', () => {
    const random = new Random(2);
    const path = new Float64Array(200);
    const wild = { mu: 0, omega: 0, alpha: 3, gamma: 0, beta: 0.99, nu: 3 };
    simulateGarch('egarch', wild, 1, shocksFrom(Float64Array.of(-40, 40), random), path);
    expect(path.every(Number.isFinite)).toBe(true);
    const flat = { mu: 0.5, omega: 0, alpha: 0, gamma: 0, beta: 0, nu: 3 };
    simulateGarch('egarch', flat, 1, shocksFrom(Float64Array.of(2), random), path);
    expect(path[10]).toBe(2.5);
  });

  test('parameters that allow a negative variance are refused', () => {
    const specification: GarchSpecification = {
      model: 'gjr',
      distribution: 't',
      mean: 'zero',
      start: 'backcast',
    };
    const good = { mu: 0, omega: 0.1, alpha: 0.1, gamma: -0.05, beta: 0.7, nu: 5 };
    expect(garchVariance(heavy, specification, good).every((value) => value > 0)).toBe(true);
    for (const change of [
      { omega: 0 },
      { alpha: -0.1 },
      { gamma: -0.2 },
      { beta: -1 },
      { nu: 2 },
      { mu: Number.NaN },
    ])
      expect(() => garchVariance(heavy, specification, { ...good, ...change })).toThrow(
        expect.objectContaining({ code: 'INPUT_INVALID' }),
      );
    const logarithmic = { ...specification, model: 'egarch' } as const;
    expect(() => garchVariance(heavy, logarithmic, { ...good, beta: 1 })).toThrow(
      expect.objectContaining({ code: 'INPUT_INVALID' }),
    );
  });
});
