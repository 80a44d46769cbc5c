import { describe, expect, test } from 'vitest';
import { simplexMinimise } from '../../numeric/simplex.ts';
import { goldenReturns } from '../../park-miller.fixture.ts';
import { GarchLikelihood } from './likelihood.ts';
import { type GarchSpecification, PARAMETER_COUNT, PARAMETER_NAMES, type ParameterName } from './model.ts';
import { heldBounds } from './search-space.ts';
import { type GarchStandardErrors, standardErrors } from './standard-errors.ts';

/** Of which falls, or rises, raise the variance more. */
const SAMPLES = {
  falls: goldenReturns(400, 4242, { omega: 0.05, alpha: 0.1, gamma: 0.1, beta: 0.75, mu: 0.1 }, 5, 2),
  rises: goldenReturns(400, 4242, { omega: 0.05, alpha: 0.2, gamma: -0.1, beta: 0.75, mu: 0.1 }, 5, 2),
};
/** What one unit of the standardised returns is in the unit that errors are told in. */
const SCALE = 0.03;
const NORMAL = Number.POSITIVE_INFINITY;

type Model = GarchSpecification['model'];
/** Parameters μ, ω, α, γ, β, ν from the ones that are free where a bound holds. */
type Line = (free: Iterable<number>) => number[];

interface Case {
  readonly name: string;
  readonly sample?: 'falls' | 'rises';
  readonly model: Model;
  readonly distribution: GarchSpecification['distribution'];
  readonly mean?: GarchSpecification['mean'];
  readonly held: readonly string[];
  readonly line: Line;
  readonly start: readonly number[];
}

const cases: readonly Case[] = [
  {
    name: 'garch within',
    model: 'garch',
    distribution: 't',
    held: [],
    line: ([mu, omega, alpha, beta, nu]) => [mu, omega, alpha, 0, beta, nu],
    start: [0.1, 0.05, 0.1, 0.8, 6],
  },
  {
    name: 'gjr within, without a mean',
    sample: 'rises',
    model: 'gjr',
    distribution: 'normal',
    mean: 'zero',
    held: [],
    line: ([omega, alpha, gamma, beta]) => [0, omega, alpha, gamma, beta, NORMAL],
    start: [0.05, 0.05, 0.1, 0.8],
  },
  {
    name: 'egarch within',
    model: 'egarch',
    distribution: 't',
    mean: 'zero',
    held: [],
    line: ([omega, alpha, gamma, beta, nu]) => [0, omega, alpha, gamma, beta, nu],
    start: [0, 0.2, -0.1, 0.9, 6],
  },
  {
    name: 'α at 0',
    model: 'gjr',
    distribution: 'normal',
    held: ['alpha'],
    line: ([mu, omega, gamma, beta]) => [mu, omega, 0, gamma, beta, NORMAL],
    start: [0.1, 0.05, 0.2, 0.8],
  },
  {
    name: 'α + γ at 0',
    model: 'gjr',
    distribution: 'normal',
    held: ['fall'],
    line: ([mu, omega, alpha, beta]) => [mu, omega, alpha, -alpha, beta, NORMAL],
    start: [0.1, 0.05, 0.1, 0.8],
  },
  {
    name: 'β at 0',
    model: 'garch',
    distribution: 't',
    held: ['beta'],
    line: ([mu, omega, alpha, nu]) => [mu, omega, alpha, 0, 0, nu],
    start: [0.1, 0.6, 0.3, 6],
  },
  {
    name: 'persistence at 1',
    model: 'garch',
    distribution: 'normal',
    held: ['persistence'],
    line: ([mu, omega, alpha]) => [mu, omega, alpha, 0, 1 - alpha, NORMAL],
    start: [0.1, 0.05, 0.2],
  },
  {
    name: 'persistence at 1 with falls apart',
    model: 'gjr',
    distribution: 't',
    held: ['persistence'],
    line: ([mu, omega, alpha, gamma, nu]) => [mu, omega, alpha, gamma, 1 - alpha - 0.5 * gamma, nu],
    start: [0.1, 0.05, 0.1, 0.1, 6],
  },
  {
    name: 'persistence at 1 and α + γ at 0',
    sample: 'rises',
    model: 'gjr',
    distribution: 'normal',
    held: ['fall', 'persistence'],
    line: ([mu, omega, alpha]) => [mu, omega, alpha, -alpha, 1 - 0.5 * alpha, NORMAL],
    start: [0.1, 0.05, 0.2],
  },
  {
    name: 'persistence at 1 and β at 0',
    model: 'garch',
    distribution: 'normal',
    held: ['beta', 'persistence'],
    line: ([mu, omega]) => [mu, omega, 1, 0, 0, NORMAL],
    start: [0.1, 0.5],
  },
  {
    name: 'ν at its upper end',
    model: 'garch',
    distribution: 't',
    held: ['nu'],
    line: ([mu, omega, alpha, beta]) => [mu, omega, alpha, 0, beta, 500],
    start: [0.1, 0.05, 0.1, 0.8],
  },
  {
    name: 'β of egarch at 1',
    model: 'egarch',
    distribution: 'normal',
    mean: 'zero',
    held: ['persistence'],
    line: ([omega, alpha, gamma]) => [0, omega, alpha, gamma, 1 - 1e-9, NORMAL],
    start: [0, 0.2, -0.05],
  },
];

/** Parameters in the unit of the returns, of those in units of `SCALE`. */
function told([mu, omega, alpha, gamma, beta, nu]: number[], model: Model): number[] {
  const inUnit = model === 'egarch' ? omega + 2 * Math.log(SCALE) * (1 - beta) : omega * SCALE ** 2;
  return [mu * SCALE, inUnit, alpha, gamma, beta, nu];
}

function inverse(matrix: number[][]): number[][] {
  const size = matrix.length;
  const rows = matrix.map((row, i) => [...row, ...row.map((_, j) => Number(i === j))]);
  for (let i = 0; i < size; i++) {
    const head = rows[i][i];
    rows[i] = rows[i].map((value) => value / head);
    for (let k = 0; k < size; k++)
      if (k !== i) rows[k] = rows[k].map((value, j) => value - rows[k][i] * rows[i][j]);
  }
  return rows.map((row) => row.slice(size));
}

/** Central differences of a function of several variables, by variable. */
function slopes(f: (at: number[]) => number[], at: readonly number[]): number[][] {
  return at.map((value, j) => {
    const step = 1e-5 * Math.max(Math.abs(value), 0.05);
    const moved = (by: number): number[] => f(at.map((entry, i) => (i === j ? entry + by : entry)));
    const [up, down] = [moved(step), moved(-step)];
    return up.map((entry, i) => (entry - down[i]) / (2 * step));
  });
}

const product = (a: number[][], b: number[][]): number[][] =>
  a.map((row) => b[0].map((_, j) => row.reduce((sum, value, k) => sum + value * b[k][j], 0)));
const transposed = (a: number[][]): number[][] => a[0].map((_, j) => a.map((row) => row[j]));

/** Errors as of a model that has the free parameters alone, carried over to all (the delta method). */
function slowErrors(likelihood: GarchLikelihood, { line, model }: Case, at: readonly number[]) {
  const n = likelihood.variance.length - 1;
  const scoresOf = (free: number[]): number[][] => {
    const scores = new Float64Array(n * PARAMETER_COUNT);
    const gradient = new Float64Array(PARAMETER_COUNT);
    likelihood.evaluate(Float64Array.from(line(free)), gradient, scores);
    // ν of normal errors does not move, and differences of infinity are no numbers.
    const along = slopes((x) => line(x).map((value) => (Number.isFinite(value) ? value : 0)), free);
    return Array.from({ length: n }, (_, t) =>
      along.map((direction) =>
        direction.reduce((sum, value, i) => sum + value * scores[t * PARAMETER_COUNT + i], 0),
      ),
    );
  };
  const gradientOf = (free: number[]): number[] =>
    scoresOf(free).reduce((sum, score) => sum.map((value, j) => value + score[j]));
  const hessian = slopes(gradientOf, at);
  const bread = inverse(hessian.map((row, i) => row.map((value, j) => -0.5 * (value + hessian[j][i]))));
  const scores = scoresOf([...at]);
  const meat = product(transposed(scores), scores);
  const carry = transposed(slopes((x) => told(line(x), model).map((v) => (Number.isFinite(v) ? v : 0)), at));
  const errors = (covariance: number[][]): number[] => {
    const whole = product(product(carry, covariance), transposed(carry));
    return whole.map((row, i) => Math.sqrt(Math.max(row[i], 0)));
  };
  return { hessian: errors(bread), robust: errors(product(product(bread, meat), bread)) };
}

describe('standard errors are those of the parameters that a bound leaves free, by matrices written out', () => {
  test.each(cases)('$name', (given) => {
    const specification: GarchSpecification = {
      model: given.model,
      distribution: given.distribution,
      mean: given.mean ?? 'constant',
      start: 'mean-square',
    };
    const likelihood = new GarchLikelihood(SAMPLES[given.sample ?? 'falls'], specification);
    const scratch = new Float64Array(PARAMETER_COUNT);
    // The maximum along the bound: there the likelihood is curved in all free directions.
    const top = simplexMinimise(
      (free) => {
        const [, omega, alpha, gamma, beta, nu] = given.line(free);
        const isInside =
          given.model === 'egarch'
            ? nu > 2.05
            : omega > 0 && alpha >= 0 && alpha + gamma >= 0 && beta >= 0 && nu > 2.05;
        return isInside ? -likelihood.evaluate(Float64Array.from(given.line(free)), scratch) : Number.NaN;
      },
      Float64Array.from(given.start),
      { steps: Float64Array.from(given.start, (value) => 0.1 * Math.abs(value) + 0.01) },
    );
    const parameters = Float64Array.from(given.line(top.at));
    expect(heldBounds(specification, parameters)).toEqual(given.held);
    const found = standardErrors(likelihood, specification, parameters, SCALE) as GarchStandardErrors;
    expect(found).toMatchObject({ available: true, heldOn: given.held });
    const expected = slowErrors(likelihood, given, [...top.at]);
    for (const kind of ['hessian', 'robust'] as const) {
      const names = Object.keys(found[kind]) as ParameterName[];
      expect(names).toHaveLength(given.line(top.at).filter((_, i) => isEstimated(i, specification)).length);
      for (const name of names) {
        const slow = expected[kind][PARAMETER_NAMES.indexOf(name)];
        if (slow === 0) expect(found[kind][name]).toBe(0);
        else expect((found[kind][name] as number) / slow).toBeCloseTo(1, 3);
      }
    }
  });
});

function isEstimated(place: number, { model, distribution, mean }: GarchSpecification): boolean {
  const name = PARAMETER_NAMES[place];
  if (name === 'mu') return mean === 'constant';
  if (name === 'gamma') return model !== 'garch';
  return name !== 'nu' || distribution === 't';
}

test('there are none where the likelihood is not curved like a maximum', () => {
  const specification = { model: 'garch', distribution: 'normal', mean: 'zero', start: 'backcast' } as const;
  const far = Float64Array.of(0, 40, 0.1, 0, 0.8, NORMAL);
  expect(
    standardErrors(new GarchLikelihood(SAMPLES.falls, specification), specification, far, 1),
  ).toMatchObject({
    available: false,
    reason: expect.stringContaining('curved'),
  });
});
