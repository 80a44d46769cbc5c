import { describe, expect, test } from 'vitest';
import {
  freePlaces,
  fromVector,
  type GarchSpecification,
  persistence,
  requireParameters,
  toVector,
} from './model.ts';

const specification: GarchSpecification = {
  model: 'gjr',
  distribution: 't',
  mean: 'constant',
  start: 'backcast',
};
const parameters = { mu: 0.01, omega: 0.02, alpha: 0.1, gamma: 0.06, beta: 0.7, nu: 5 };

test('a vector has the parameters in one order, there and back', () => {
  expect([...toVector(parameters)]).toEqual([0.01, 0.02, 0.1, 0.06, 0.7, 5]);
  expect(fromVector(toVector(parameters))).toEqual(parameters);
});

test.each([
  ['garch', 'normal', 'zero', [1, 2, 4]],
  ['garch', 'normal', 'constant', [0, 1, 2, 4]],
  ['gjr', 'normal', 'zero', [1, 2, 3, 4]],
  ['gjr', 't', 'constant', [0, 1, 2, 3, 4, 5]],
  ['egarch', 't', 'zero', [1, 2, 3, 4, 5]],
] as const)(
  '%s with %s errors and mean %s estimates the places that it has',
  (model, distribution, mean, places) => {
    expect(freePlaces({ model, distribution, mean, start: 'backcast' })).toEqual(places);
  },
);

test('persistence counts half of what falls add; that of egarch is β', () => {
  expect(persistence('gjr', parameters)).toBeCloseTo(0.1 + 0.03 + 0.7, 15);
  expect(persistence('garch', { ...parameters, gamma: 0 })).toBeCloseTo(0.8, 15);
  expect(persistence('egarch', parameters)).toBe(0.7);
});

describe('parameters', () => {
  const given = (change: Partial<typeof parameters>, of: Partial<GarchSpecification> = {}) =>
    expect(() => requireParameters({ ...specification, ...of }, { ...parameters, ...change }));
  const refusal = expect.objectContaining({ code: 'INPUT_INVALID', remedy: expect.any(String) });

  test.each([
    {},
    { alpha: 0 },
    { beta: 0 },
    { alpha: 0.1, gamma: -0.1 },
    { mu: -3 },
    { nu: 2.0001 },
    { beta: 1.5 },
  ])('on the bounds and within are taken: %j', (change) => {
    given(change).not.toThrow();
  });

  test.each([
    { omega: 0 },
    { omega: -1 },
    { alpha: -0.01, gamma: 0.2 },
    { gamma: -0.11 },
    { beta: -0.01 },
    { nu: 2 },
    { nu: Number.NaN },
    { mu: Number.NaN },
    { omega: Number.POSITIVE_INFINITY },
    { alpha: Number.POSITIVE_INFINITY },
    { gamma: Number.POSITIVE_INFINITY },
    { beta: Number.POSITIVE_INFINITY },
  ])('that allow a negative variance, or none, are refused: %j', (change) => {
    given(change).toThrow(refusal);
  });

  test('of egarch may have any sign, but β is below 1 in size', () => {
    given({ omega: -8, alpha: -0.1, gamma: -0.3, beta: -0.9 }, { model: 'egarch' }).not.toThrow();
    given({ beta: 1 - 1e-12 }, { model: 'egarch' }).not.toThrow();
    for (const beta of [1, -1, 1.1, Number.NaN]) given({ beta }, { model: 'egarch' }).toThrow(refusal);
    given({ nu: 2 }, { model: 'egarch' }).toThrow(refusal);
  });

  test('of normal errors need no degrees of freedom', () => {
    given({ nu: Number.POSITIVE_INFINITY }, { distribution: 'normal' }).not.toThrow();
    given({ nu: 0 }, { distribution: 'normal' }).not.toThrow();
  });
});
