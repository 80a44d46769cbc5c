import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { goldenReturns } from '../../park-miller.fixture.ts';
import { GarchLikelihood } from './likelihood.ts';
import {
  BETA,
  type ErrorDistribution,
  fromVector,
  type GarchModel,
  type GarchParameters,
  type GarchSpecification,
  PARAMETER_COUNT,
  requireParameters,
  toVector,
} from './model.ts';
import { heldBounds, searchSpace } from './search-space.ts';

const MODELS: readonly GarchModel[] = ['garch', 'gjr', 'egarch'];
const DISTRIBUTIONS: readonly ErrorDistribution[] = ['normal', 't'];
const heavy = goldenReturns(1500, 4242, { omega: 0.02, alpha: 0.1, gamma: 0, beta: 0.88, mu: -0.05 }, 4, 2);

describe('the space that egarch is searched in', () => {
  const specification: GarchSpecification = {
    model: 'egarch',
    distribution: 'normal',
    mean: 'zero',
    start: 'backcast',
  };
  const space = searchSpace(specification);

  test('holds no model without a long-run variance, not even where the sine rounds to 1', () => {
    for (const angle of [Math.PI / 2, -Math.PI / 2, Math.PI / 2 + 1e-9]) {
      const parameters = new Float64Array(PARAMETER_COUNT);
      space.toParameters(Float64Array.of(0, 0, 0.1, 0, angle, 0, 0), parameters);
      expect(() => requireParameters(specification, fromVector(parameters))).not.toThrow();
      expect(heldBounds(specification, parameters)).toContain('persistence');
    }
  });

  test('can be entered from any β below 1', () => {
    for (const beta of [0.97, -0.5, 1 - 1e-12, -1 + 1e-12]) {
      const given = Float64Array.of(0, 0, 0.1, 0, beta, Number.POSITIVE_INFINITY);
      const again = new Float64Array(PARAMETER_COUNT);
      space.toParameters(space.fromParameters(given), again);
      expect(again[BETA]).toBeCloseTo(beta, 8);
    }
  });
});

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

/** As the formulas are written, without a thought for speed. */
function slowLikelihood(
  returns: Float64Array,
  { model, distribution, start }: GarchSpecification,
  { mu, omega, alpha, gamma, beta, nu }: GarchParameters,
): number {
  const shocks = Array.from(returns, (value) => value - mu);
  const centre = returns.reduce((sum, value) => sum + value, 0) / returns.length;
  const weights = Array.from({ length: 75 }, (_, i) => 0.94 ** i);
  const before =
    start === 'mean-square'
      ? shocks.reduce((sum, value) => sum + value ** 2, 0) / shocks.length
      : weights.reduce((sum, weight, i) => sum + weight * (returns[i] - centre) ** 2, 0) /
        weights.reduce((sum, weight) => sum + weight, 0);
  const variances: number[] = [];
  for (let t = 0; t < shocks.length; t++) {
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
  return shocks.reduce((sum, shock, t) => {
    const z = shock / Math.sqrt(variances[t]);
    if (distribution === 'normal')
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
