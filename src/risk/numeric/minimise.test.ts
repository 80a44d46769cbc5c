import { describe, expect, test } from 'vitest';
import { type Differentiable, minimise } from './minimise.ts';

/** Σ of squares, with its gradient from the residuals' slopes. */
function squares(
  residuals: (x: Float64Array) => readonly number[],
  slopes: (x: Float64Array) => readonly (readonly number[])[],
): Differentiable {
  return (x, gradient) => {
    const rows = slopes(x);
    gradient.fill(0);
    return residuals(x).reduce((sum, value, k) => {
      for (let i = 0; i < x.length; i++) gradient[i] += 2 * value * rows[k][i];
      return sum + value * value;
    }, 0);
  };
}

const rosenbrock = squares(
  (x) => [10 * (x[1] - x[0] ** 2), 1 - x[0]],
  (x) => [
    [-20 * x[0], 10],
    [-1, 0],
  ],
);
const freudenstein = squares(
  (x) => [-13 + x[0] + ((5 - x[1]) * x[1] - 2) * x[1], -29 + x[0] + ((x[1] + 1) * x[1] - 14) * x[1]],
  (x) => [
    [1, 10 * x[1] - 3 * x[1] ** 2 - 2],
    [1, 3 * x[1] ** 2 + 2 * x[1] - 14],
  ],
);
const beale = squares(
  (x) => [1.5, 2.25, 2.625].map((y, i) => y - x[0] * (1 - x[1] ** (i + 1))),
  (x) => [1, 2, 3].map((i) => [-(1 - x[1] ** i), x[0] * i * x[1] ** (i - 1)]),
);
const brown = squares(
  (x) => [x[0] - 1e6, x[1] - 2e-6, x[0] * x[1] - 2],
  (x) => [
    [1, 0],
    [0, 1],
    [x[1], x[0]],
  ],
);
const [R5, R10, R90] = [5, 10, 90].map(Math.sqrt);
const powell = squares(
  (x) => [x[0] + 10 * x[1], R5 * (x[2] - x[3]), (x[1] - 2 * x[2]) ** 2, R10 * (x[0] - x[3]) ** 2],
  (x) => {
    const [a, b] = [2 * (x[1] - 2 * x[2]), 2 * R10 * (x[0] - x[3])];
    return [
      [1, 10, 0, 0],
      [0, 0, R5, -R5],
      [0, a, -2 * a, 0],
      [b, 0, 0, -b],
    ];
  },
);
const wood = squares(
  (x) => [
    10 * (x[1] - x[0] ** 2),
    1 - x[0],
    R90 * (x[3] - x[2] ** 2),
    1 - x[2],
    R10 * (x[1] + x[3] - 2),
    (x[1] - x[3]) / R10,
  ],
  (x) => [
    [-20 * x[0], 10, 0, 0],
    [-1, 0, 0, 0],
    [0, 0, -2 * R90 * x[2], R90],
    [0, 0, -1, 0],
    [0, R10, 0, R10],
    [0, 1 / R10, 0, -1 / R10],
  ],
);
/** ½ ln(1 + x²): far out it bends away from its minimum, so that a step must be stretched to get anywhere. */
const flatFarOut: Differentiable = (x, gradient) => {
  gradient[0] = x[0] / (1 + x[0] * x[0]);
  return 0.5 * Math.log1p(x[0] * x[0]);
};
/** So steep that the first steps must be cut. */
const steep: Differentiable = (x, gradient) => {
  gradient[0] = Math.sinh(x[0] - 1);
  return Math.cosh(x[0] - 1);
};
const shallow: Differentiable = (x, gradient) => {
  gradient[0] = 4 * (x[0] - 5) ** 3;
  return (x[0] - 5) ** 4;
};

describe('descent along gradients', () => {
  // Problems 1, 2, 4, 5, 13 and 14 of Moré, Garbow and Hillstrom (1981); evaluations are a tenth above what was counted.
  test.each<[string, Differentiable, number[], number[], number, number]>([
    ['Rosenbrock', rosenbrock, [-1.2, 1], [1, 1], 1e-8, 60],
    ['Freudenstein and Roth', freudenstein, [0.5, -2], [11.412779, -0.896805], 1e-6, 24],
    ['Beale', beale, [1, 1], [3, 0.5], 1e-8, 21],
    ['Powell’s singular one', powell, [3, -1, 0, 1], [0, 0, 0, 0], 1e-4, 77],
    ['Wood', wood, [-3, -1, -3, -1], [1, 1, 1, 1], 1e-8, 55],
    ['Brown, badly scaled', brown, [1, 1], [1e6, 2e-6], 1e-9, 43],
    ['one that is flat far out', flatFarOut, [50], [0], 1e-8, 28],
    ['one that is steep far out', steep, [20], [1], 1e-8, 35],
    ['one that is shallow', shallow, [0], [5], 1e-3, 37],
  ])('finds the bottom: %s', (_, f, start, bottom, precision, most) => {
    let calls = 0;
    const found = minimise((x, gradient) => {
      calls++;
      return f(x, gradient);
    }, Float64Array.from(start));
    expect(found.converged).toBe(true);
    bottom.forEach((at, i) => {
      expect(Math.abs(found.at[i] - at)).toBeLessThan(precision);
    });
    expect(found.value).toBe(f(found.at, new Float64Array(start.length)));
    expect(found.evaluations).toBe(calls);
    expect(calls).toBeLessThanOrEqual(most);
  });

  test('looks once where it starts at the bottom, or may not move, and lends nothing of its own', () => {
    const bottom = Float64Array.of(1, 1);
    const found = minimise(rosenbrock, bottom);
    expect(found).toMatchObject({ evaluations: 1, converged: true });
    expect(found.at).not.toBe(bottom);
    expect(minimise(rosenbrock, Float64Array.of(-1.2, 1), { maximumIterations: 0 })).toEqual({
      at: Float64Array.of(-1.2, 1),
      value: expect.closeTo(24.2, 12),
      evaluations: 1,
      converged: false,
    });
  });

  test('measures a gradient against the size of the value', () => {
    const lifted: Differentiable = (x, gradient) => 1e6 + rosenbrock(x, gradient);
    const start = Float64Array.of(1.001, 1.002);
    expect(minimise(lifted, start, { gradientTolerance: 1e-6 }).evaluations).toBe(1);
    expect(minimise(rosenbrock, start, { gradientTolerance: 1e-6 }).evaluations).toBeGreaterThan(1);
  });

  test('ends where no step goes down, as along a gradient that is wrong', () => {
    const wrong: Differentiable = (x, gradient) => {
      gradient[0] = -2 * x[0];
      return x[0] * x[0];
    };
    const found = minimise(wrong, Float64Array.of(3));
    expect(found).toMatchObject({ at: Float64Array.of(3), value: 9, converged: false });
    expect(found.evaluations).toBeLessThanOrEqual(41);
  });
});
