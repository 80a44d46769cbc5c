import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { goldenReturns } from '../../park-miller.fixture.ts';
import { GarchLikelihood } from './likelihood.ts';
import {
  type ErrorDistribution,
  type GarchModel,
  type GarchParameters,
  type GarchSpecification,
  MU,
  PARAMETER_COUNT,
  toVector,
} from './model.ts';
import { searchSpace } from './search-space.ts';

const MODELS: readonly GarchModel[] = ['garch', 'gjr', 'egarch'];
const DISTRIBUTIONS: readonly ErrorDistribution[] = ['normal', 't'];
const heavy = goldenReturns(1500, 4242, { omega: 0.02, alpha: 0.1, gamma: 0, beta: 0.88, mu: -0.05 }, 4, 2);

describe('the likelihood', () => {
  const admissible = fc.record({
    mu: fc.double({ min: -0.2, max: 0.2, noNaN: true }),
    omega: fc.double({ min: 0.01, max: 0.5, noNaN: true }),
    alpha: fc.double({ min: 0.01, max: 0.3, noNaN: true }),
    gamma: fc.double({ min: 0, max: 0.3, noNaN: true }),
    beta: fc.double({ min: 0.01, max: 0.5, noNaN: true }),
    nu: fc.double({ min: 2.5, max: 40, noNaN: true }),
  });
  const specifications: GarchSpecification[] = MODELS.flatMap((model) =>
    DISTRIBUTIONS.flatMap((distribution) =>
      (['backcast', 'mean-square'] as const).map(
        (start): GarchSpecification => ({ model, distribution, start, mean: 'constant' }),
      ),
    ),
  );
  const sample = heavy.slice(0, 203);

  test('equals the sum of the densities along a recursion written out', () => {
    fc.assert(
      fc.property(admissible, fc.constantFrom(...specifications), (parameters, specification) => {
        const fast = new GarchLikelihood(sample, specification).evaluate(
          toVector(parameters),
          new Float64Array(PARAMETER_COUNT),
        );
        expect(fast).toBeCloseTo(slowLikelihood(sample, specification, parameters), 8);
      }),
      { seed: 3, numRuns: 60 },
    );
  });

  test('has the gradient that its differences show, and scores that add up to it', () => {
    fc.assert(
      fc.property(admissible, fc.constantFrom(...specifications), (parameters, specification) => {
        const likelihood = new GarchLikelihood(sample, specification);
        const at = toVector(parameters);
        const gradient = new Float64Array(PARAMETER_COUNT);
        const scores = new Float64Array(sample.length * PARAMETER_COUNT);
        likelihood.evaluate(at, gradient, scores);
        const scratch = new Float64Array(PARAMETER_COUNT);
        for (let i = 0; i < PARAMETER_COUNT; i++) {
          let total = 0;
          for (let t = 0; t < sample.length; t++) total += scores[t * PARAMETER_COUNT + i];
          expect(total).toBeCloseTo(gradient[i], 6);
          if (specification.model === 'egarch' && i === 0) continue; // |z| has a kink at every return.
          const step = 1e-6 * Math.max(Math.abs(at[i]), 0.1);
          const moved = at.slice();
          moved[i] += step;
          const up = likelihood.evaluate(moved, scratch);
          moved[i] -= 2 * step;
          const slope = (up - likelihood.evaluate(moved, scratch)) / (2 * step);
          expect(Math.abs(gradient[i] - slope)).toBeLessThan(1e-4 * (1 + Math.abs(slope)));
        }
      }),
      { seed: 4, numRuns: 60 },
    );
  });

  test('of egarch has a gradient by μ too, between the kinks that |z| has at every return', () => {
    const given = { mu: 0.013, omega: 0.02, alpha: 0.15, gamma: -0.07, beta: 0.6, nu: 6 };
    const clearance = Math.min(...sample.map((value) => Math.abs(value - given.mu)));
    const step = 1e-6;
    expect(clearance).toBeGreaterThan(2 * step);
    for (const specification of specifications.filter(({ model }) => model === 'egarch')) {
      const likelihood = new GarchLikelihood(sample, specification);
      const gradient = new Float64Array(PARAMETER_COUNT).fill(9);
      const scratch = new Float64Array(PARAMETER_COUNT);
      likelihood.evaluate(toVector(given), gradient);
      const up = likelihood.evaluate(toVector({ ...given, mu: given.mu + step }), scratch);
      const down = likelihood.evaluate(toVector({ ...given, mu: given.mu - step }), scratch);
      expect(gradient[MU] / ((up - down) / (2 * step))).toBeCloseTo(1, 4);
    }
  });

  test('leaves the forecast one step after the last return, and the backcast about 0 where the mean is 0', () => {
    const given = { mu: 0, omega: 0.1, alpha: 0.1, gamma: 0.1, beta: 0.7, nu: 6 };
    const around = sample.map((value) => value + 3);
    for (const model of MODELS)
      for (const mean of ['zero', 'constant'] as const) {
        const specification: GarchSpecification = { model, distribution: 't', start: 'backcast', mean };
        const likelihood = new GarchLikelihood(around, specification);
        likelihood.evaluate(toVector(given), new Float64Array(PARAMETER_COUNT));
        const slow = slowVariances(around, specification, given);
        for (const t of [0, 1, 202, 203]) expect(likelihood.variance[t] / slow[t]).toBeCloseTo(1, 11);
      }
  });

  test('is −∞ where a variance is not positive or leaves the numbers', () => {
    const given = { mu: 0, omega: 0.1, alpha: 0.1, gamma: 0, beta: 0.7, nu: 6 };
    const at = (model: GarchModel, change: Partial<GarchParameters>): number =>
      new GarchLikelihood(sample, {
        model,
        distribution: 'normal',
        start: 'backcast',
        mean: 'zero',
      }).evaluate(toVector({ ...given, ...change }), new Float64Array(PARAMETER_COUNT));
    for (const change of [
      { omega: -50 },
      { omega: 0, alpha: 0, beta: 0 },
      { beta: 1e3 },
      { omega: Number.POSITIVE_INFINITY },
      { beta: Number.NaN },
    ])
      expect(at('gjr', change)).toBe(Number.NEGATIVE_INFINITY);
    const still = { alpha: 0, gamma: 0, beta: 0 };
    for (const omega of [200, -200, 1e9, Number.NaN])
      expect(at('egarch', { ...still, omega })).toBe(Number.NEGATIVE_INFINITY);
    for (const omega of [80, -80]) expect(at('egarch', { ...still, omega })).toBeGreaterThan(-1e100);
    expect(at('egarch', { alpha: 300 })).toBe(Number.NEGATIVE_INFINITY);
    // Eight of these variances multiplied are 0 to a double, whose logarithm would make them the likeliest.
    for (const distribution of ['normal', 't'] as const) {
      const specification = { model: 'egarch', distribution, start: 'backcast', mean: 'zero' } as const;
      const lost = toVector({ ...given, ...still, omega: -150 });
      const value = new GarchLikelihood(sample, specification).evaluate(
        lost,
        new Float64Array(PARAMETER_COUNT),
      );
      expect(value).toBe(Number.NEGATIVE_INFINITY);
    }
  });

  test('is −∞ however few variances are none, and whatever was evaluated before', () => {
    const still = { mu: 0, omega: 1, alpha: 0, gamma: 0, beta: 0, nu: 6 };
    const likelihoodOf = (model: GarchModel, returns: Float64Array) => {
      const specification = { model, distribution: 'normal', start: 'backcast', mean: 'zero' } as const;
      const likelihood = new GarchLikelihood(returns, specification);
      return (change: Partial<GarchParameters>): number =>
        likelihood.evaluate(toVector({ ...still, ...change }), new Float64Array(PARAMETER_COUNT));
    };
    const gjr = likelihoodOf('gjr', Float64Array.of(1, 1, -1, 1, -1, 1, 1, 1, 1, 1, 1, 1));
    expect(gjr({})).toBeGreaterThan(-1e3);
    // Two of twelve variances are −½: in a product they go unseen.
    expect(gjr({ gamma: -1.5 })).toBe(Number.NEGATIVE_INFINITY);
    // Two are 0, and two are beyond a double.
    expect(gjr({ gamma: -1 })).toBe(Number.NEGATIVE_INFINITY);
    expect(gjr({ gamma: Number.MAX_VALUE })).toBe(Number.NEGATIVE_INFINITY);
    // After one fall ln σ² is −γ, and 0 otherwise.
    const egarch = likelihoodOf('egarch', Float64Array.of(0, 0, -1, 0, 0, 0, 0, 0, 0, 0, 0, 0));
    for (const size of [0, 150, 199.9])
      expect(egarch({ omega: 0, gamma: -size })).toBeCloseTo(-6 * Math.log(2 * Math.PI) - 0.5 - size / 2, 9);
    for (const size of [200, 300]) expect(egarch({ omega: 0, gamma: -size })).toBe(Number.NEGATIVE_INFINITY);
  });

  test('in the coordinates of the search is the same, with the gradient pulled back', () => {
    fc.assert(
      fc.property(admissible, fc.constantFrom(...specifications), (parameters, specification) => {
        const space = searchSpace(specification);
        const inside = { ...parameters, gamma: specification.model === 'garch' ? 0 : parameters.gamma };
        const x = space.fromParameters(toVector(inside));
        const back = new Float64Array(PARAMETER_COUNT);
        space.toParameters(x, back);
        for (const [i, value] of toVector(inside).entries()) {
          if (i < 5) expect(back[i]).toBeCloseTo(value, 10);
        }
        const weights = Float64Array.of(0.3, -0.2, 0.7, 0.4, -0.9, 0.05);
        const f = (at: Float64Array): number => {
          space.toParameters(at, back);
          return back.reduce((sum, value, i) => sum + (Number.isFinite(value) ? value * weights[i] : 0), 0);
        };
        const gradient = new Float64Array(space.size);
        space.pullBack(x, weights, gradient);
        for (let i = 0; i < space.size; i++) {
          const moved = x.slice();
          moved[i] += 1e-6;
          const up = f(moved);
          moved[i] -= 2e-6;
          expect(gradient[i]).toBeCloseTo((up - f(moved)) / 2e-6, 4);
        }
      }),
      { seed: 5, numRuns: 60 },
    );
  });
});

/** As the formulas are written, without a thought for speed: σ² by observation, and of the one after the last. */
function slowVariances(
  returns: Float64Array,
  { model, start, mean }: GarchSpecification,
  { mu, omega, alpha, gamma, beta }: GarchParameters,
): number[] {
  const shocks = Array.from(returns, (value) => value - mu);
  const centre = mean === 'zero' ? 0 : returns.reduce((sum, value) => sum + value, 0) / returns.length;
  const weights = Array.from({ length: 75 }, (_, i) => 0.94 ** i);
  const before =
    start === 'mean-square'
      ? shocks.reduce((sum, value) => sum + value ** 2, 0) / shocks.length
      : weights.reduce((sum, weight, i) => sum + weight * (returns[i] - centre) ** 2, 0) /
        weights.reduce((sum, weight) => sum + weight, 0);
  const variances: number[] = [];
  for (let t = 0; t <= shocks.length; t++) {
    const last = t === 0 ? before : variances[t - 1];
    if (model === 'egarch') {
      const z = t === 0 ? 0 : shocks[t - 1] / Math.sqrt(last);
      const size = t === 0 ? 0 : Math.abs(z) - Math.sqrt(2 / Math.PI);
      variances.push(Math.exp(omega + alpha * size + gamma * z + beta * Math.log(last)));
    } else {
      const square = t === 0 ? before : shocks[t - 1] ** 2;
      const fall = t === 0 ? 0.5 * before : shocks[t - 1] < 0 ? square : 0;
      variances.push(omega + alpha * square + gamma * fall + beta * last);
    }
  }
  return variances;
}

function slowLikelihood(
  returns: Float64Array,
  specification: GarchSpecification,
  parameters: GarchParameters,
): number {
  const variances = slowVariances(returns, specification, parameters);
  const { mu, nu } = parameters;
  return returns.reduce((sum, value, t) => {
    const z = (value - mu) / Math.sqrt(variances[t]);
    if (specification.distribution === 'normal')
      return sum - 0.5 * Math.log(2 * Math.PI) - 0.5 * Math.log(variances[t]) - 0.5 * z * z;
    return sum + studentLogDensityByIntegral(z, nu) - 0.5 * Math.log(variances[t]);
  }, 0);
}

/** ln of the unit-variance t density, its gamma functions by numerical integration of the kernel. */
function studentLogDensityByIntegral(z: number, nu: number): number {
  return Math.log((1 + (z * z) / (nu - 2)) ** (-(nu + 1) / 2)) - Math.log(normalisation(nu));
}

const normalisations = new Map<number, number>();

/** ∫ (1 + z²/(ν − 2))^(−(ν + 1)/2) dz with z = √(ν − 2) tan u: √(ν − 2) ∫ cos^(ν − 1) u du, by Simpson's rule. */
function normalisation(nu: number): number {
  const known = normalisations.get(nu);
  if (known !== undefined) return known;
  const steps = 20_000;
  const width = Math.PI / steps;
  let sum = 0;
  for (let i = 0; i <= steps; i++) {
    const weight = i === 0 || i === steps ? 1 : i % 2 === 1 ? 4 : 2;
    sum += weight * Math.max(Math.cos(-Math.PI / 2 + i * width), 0) ** (nu - 1);
  }
  const value = (Math.sqrt(nu - 2) * sum * width) / 3;
  normalisations.set(nu, value);
  return value;
}
