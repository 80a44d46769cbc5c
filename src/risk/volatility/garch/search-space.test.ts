import { describe, expect, test } from 'vitest';
import {
  BETA,
  type ErrorDistribution,
  fromVector,
  type GarchModel,
  type GarchSpecification,
  MU,
  NU,
  PARAMETER_COUNT,
  requireParameters,
} from './model.ts';
import { heldBounds, searchSpace } from './search-space.ts';

const specifications: GarchSpecification[] = (['garch', 'gjr', 'egarch'] as const).flatMap((model) =>
  (['normal', 't'] as const).flatMap((distribution) =>
    (['constant', 'zero'] as const).map((mean) => ({
      model,
      distribution,
      mean,
      start: 'backcast' as const,
    })),
  ),
);

function of(model: GarchModel, distribution: ErrorDistribution): GarchSpecification {
  return { model, distribution, mean: 'zero', start: 'backcast' };
}

describe('the space that egarch is searched in', () => {
  const specification = of('egarch', 'normal');
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

describe.each(specifications)('coordinates of $model, $distribution errors, mean $mean', (specification) => {
  const space = searchSpace(specification);
  const place = Float64Array.of(0.02, -1.1, 0.3, 0.4, 0.8, 0.35, 0.6);
  const parametersAt = (x: Float64Array): Float64Array => {
    // What was there before must not show.
    const parameters = new Float64Array(PARAMETER_COUNT).fill(77);
    space.toParameters(x, parameters);
    return parameters;
  };

  test('are active where a parameter depends on them, and have a slope only there', () => {
    expect(space.size).toBe(7);
    const here = parametersAt(place);
    const moving = [0, 1, 2, 3, 4, 5, 6].filter((i) => {
      const moved = place.slice();
      moved[i] += 0.01;
      return parametersAt(moved).some((value, at) => value !== here[at]);
    });
    expect(space.active).toEqual(moving);
    const slope = new Float64Array(7).fill(77);
    space.pullBack(place, Float64Array.of(0.3, -0.2, 0.7, 0.4, -0.9, 0.05), slope);
    for (let i = 0; i < 7; i++) expect(slope[i] !== 0).toBe(moving.includes(i));
  });

  test('make admissible parameters, those that the specification lacks at 0, ν at infinity', () => {
    const parameters = parametersAt(place);
    expect(() => requireParameters(specification, fromVector(parameters))).not.toThrow();
    if (specification.mean === 'zero') expect(parameters[MU]).toBe(0);
    if (specification.model === 'garch') expect(parameters[3]).toBe(0);
    if (specification.distribution === 'normal') expect(parameters[NU]).toBe(Number.POSITIVE_INFINITY);
  });

  test('have the slope that differences of the parameters show', () => {
    const weights = Float64Array.of(0.3, -0.2, 0.7, 0.4, -0.9, 0.05);
    const slope = new Float64Array(7);
    space.pullBack(place, weights, slope);
    const f = (x: Float64Array): number =>
      parametersAt(x).reduce((sum, value, i) => sum + (Number.isFinite(value) ? value * weights[i] : 0), 0);
    for (let i = 0; i < 7; i++) {
      const [up, down] = [place.slice(), place.slice()];
      up[i] += 1e-6;
      down[i] -= 1e-6;
      expect(slope[i]).toBeCloseTo((f(up) - f(down)) / 2e-6, 6);
    }
  });
});

test('ν moves between 2.05 and 500, and what lies outside is put on the nearer end', () => {
  const space = searchSpace(of('garch', 't'));
  const through = (nu: number): number => {
    const parameters = new Float64Array(PARAMETER_COUNT);
    space.toParameters(space.fromParameters(Float64Array.of(0, 0.1, 0.1, 0, 0.8, nu)), parameters);
    return parameters[NU];
  };
  for (const nu of [2.05, 2.1, 4, 30, 499, 500]) expect(through(nu) / nu).toBeCloseTo(1, 10);
  expect(through(2.01)).toBeCloseTo(2.05, 10);
  expect(through(1e6)).toBeCloseTo(500, 8);
});

describe('bounds that parameters lie on', () => {
  const held = (
    model: GarchModel,
    [alpha, gamma, beta]: readonly [number, number, number],
    nu = Number.POSITIVE_INFINITY,
  ) =>
    heldBounds(
      of(model, nu === Number.POSITIVE_INFINITY ? 'normal' : 't'),
      Float64Array.of(0, 0.1, alpha, gamma, beta, nu),
    );

  test.each([
    ['garch', [0.1, 0, 0.8], []],
    ['garch', [2e-7, 0, 0.8], []],
    ['garch', [5e-8, 0, 0.8], ['alpha']],
    ['garch', [0.1, 0, 2e-7], []],
    ['garch', [0.1, 0, 5e-8], ['beta']],
    ['garch', [0, 0, 0], ['alpha', 'beta']],
    ['garch', [0.2, 0, 0.8], ['persistence']],
    ['garch', [0.2, 0, 0.8 - 2e-7], []],
    ['gjr', [0.1, 0.1, 0.8], []],
    ['gjr', [0.1, 0.2, 0.8], ['persistence']],
    ['gjr', [0.1, -0.1, 0.8], ['fall']],
    ['gjr', [0.1, -0.1 + 2e-7, 0.8], []],
    ['gjr', [0, 0.2, 0.8], ['alpha']],
    ['gjr', [0, 0, 0.8], ['alpha', 'fall']],
    ['egarch', [0, 0, 0], []],
    ['egarch', [0.1, -0.1, 0.99], []],
    ['egarch', [0.1, 0, 1 - 2e-7], []],
    ['egarch', [0.1, 0, 1 - 5e-8], ['persistence']],
    ['egarch', [0.1, 0, -1 + 5e-8], ['persistence']],
  ] as const)('of %s at α, γ, β = %j: %j', (model, shares, bounds) => {
    expect(held(model, shares)).toEqual(bounds);
  });

  test('ν at an end of its range, of t errors', () => {
    const inside = [0.1, 0, 0.8] as const;
    for (const nu of [2.05, 2.05 + 1e-6, 499.96, 500]) expect(held('garch', inside, nu)).toEqual(['nu']);
    for (const nu of [2.05 + 4e-6, 5, 499.9]) expect(held('garch', inside, nu)).toEqual([]);
    expect(heldBounds(of('garch', 'normal'), Float64Array.of(0, 0.1, 0.1, 0, 0.8, 500))).toEqual([]);
  });
});
