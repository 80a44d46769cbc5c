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
