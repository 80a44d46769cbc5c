import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Random } from '../../random.ts';
import { quantile } from '../numeric/quantile.ts';
import { parkMiller } from '../park-miller.fixture.ts';
import { fitQuantileRegression, type QuantileRegression } from './quantile-regression.ts';

/** 400 rows with a spread that grows: R repeats these numbers. */
function golden(): { columns: Float64Array[]; outcome: Float64Array; weights: Float64Array } {
  const n = 400;
  const { uniform, normal } = parkMiller(77);
  const columns = [new Float64Array(n).fill(1), new Float64Array(n), new Float64Array(n)];
  const weights = new Float64Array(n);
  const outcome = weights.map((_, i) => {
    columns[1][i] = normal();
    columns[2][i] = uniform();
    weights[i] = uniform();
    return 1 + 0.5 * columns[1][i] - columns[2][i] + (1 + columns[2][i]) * normal();
  });
  return { columns, outcome, weights };
}

function expectAll(actual: ArrayLike<number>, expected: ArrayLike<number>, digits: number): void {
  expect(actual).toHaveLength(expected.length);
  for (let j = 0; j < expected.length; j++) expect(actual[j]).toBeCloseTo(expected[j], digits);
}

function pinballSum(
  columns: readonly Float64Array[],
  outcome: Float64Array,
  probability: number,
  coefficients: ArrayLike<number>,
  weights?: Float64Array,
): number {
  let sum = 0;
  for (let i = 0; i < outcome.length; i++) {
    let residual = outcome[i];
    for (let j = 0; j < columns.length; j++) residual -= coefficients[j] * columns[j][i];
    sum += (weights?.[i] ?? 1) * residual * (residual >= 0 ? probability : probability - 1);
  }
  return sum;
}

/** The least loss over all lines through two rows: one of them is a minimum. */
function slowest(x: Float64Array, outcome: Float64Array, probability: number, weights: Float64Array): number {
  const columns = [new Float64Array(x.length).fill(1), x];
  let least = Number.POSITIVE_INFINITY;
  for (let i = 0; i < x.length; i++) {
    for (let k = 0; k < i; k++) {
      if (x[i] === x[k]) continue;
      const slope = (outcome[i] - outcome[k]) / (x[i] - x[k]);
      const line = [outcome[i] - slope * x[i], slope];
      least = Math.min(least, pinballSum(columns, outcome, probability, line, weights));
    }
  }
  return least;
}

/**
 * What ψ of the two rows on a line through (1, x) would have to be for Σ w ψ (1, x) = 0, with ψ = p above the line and p − 1 below: the
 * line is a minimum where both lie in [p − 1, p] (Koenker 2005, theorem 2.1).
 */
function multipliersOf(
  x: Float64Array,
  outcome: Float64Array,
  probability: number,
  weights: Float64Array,
  { coefficients, rows: [first, second] }: QuantileRegression,
): [number, number] {
  let [level, slope] = [0, 0];
  for (let i = 0; i < x.length; i++) {
    if (i === first || i === second) continue;
    const isAbove = outcome[i] >= coefficients[0] + coefficients[1] * x[i];
    const pull = weights[i] * (isAbove ? probability : probability - 1);
    level += pull;
    slope += pull * x[i];
  }
  // a + b = −level and a x₁ + b x₂ = −slope, in which a and b have the weights of their rows in them.
  const b = (slope - level * x[first]) / (x[first] - x[second]);
  const a = -level - b;
  return [a / weights[first], b / weights[second]];
}

describe('quantile regression equals rq of R 4.2, quantreg', () => {
  test.each([
    [0.05, [-1.3838237060352585, 0.83280156888525736, -2.2472132136374521], 73.073654165182788],
    [0.5, [0.87918397185925212, 0.54687784678155349, -0.98053878818831286], 276.66126292959666],
    [0.975, [3.2471942126293483, 0.3351051304015078, 0.41906044597669312], 36.287329050523979],
  ])('at %d', (probability, coefficients, loss) => {
    const { columns, outcome } = golden();
    const fit = fitQuantileRegression(columns, outcome, probability)!;
    expectAll(fit.coefficients, coefficients, 12);
    expect(fit.loss / loss).toBeCloseTo(1, 13);
    expect(fit.rows).toHaveLength(3);
  });

  test('with weights', () => {
    const { columns, outcome, weights } = golden();
    const fit = fitQuantileRegression(columns, outcome, 0.9, weights)!;
    expectAll(fit.coefficients, [2.0773325599494421, 0.59897944682402893, 1.2908166295181795], 12);
    expect(fit.loss / 54.361894212081666).toBeCloseTo(1, 13);
  });
});

describe('the fit is a minimum', () => {
  test('as good as the best line through two rows, with ties, with weights and without', () => {
    const whole = fc.array(
      fc.tuple(
        fc.integer({ min: 0, max: 4 }),
        fc.integer({ min: -3, max: 3 }),
        fc.integer({ min: 0, max: 3 }),
      ),
      { minLength: 3, maxLength: 14 },
    );
    fc.assert(
      fc.property(
        whole,
        fc.constantFrom(0.1, 0.5, 0.75, 0.99),
        fc.boolean(),
        (rows, probability, isWeighted) => {
          const x = Float64Array.from(rows, (row) => row[0]);
          const outcome = Float64Array.from(rows, (row) => row[1]);
          const weights = Float64Array.from(rows, (row) => (isWeighted ? row[2] : 1));
          const columns = [new Float64Array(x.length).fill(1), x];
          const fit = fitQuantileRegression(columns, outcome, probability, isWeighted ? weights : undefined);
          const kept = new Set(rows.filter((_, i) => weights[i] > 0).map((row) => row[0]));
          if (kept.size < 2) {
            expect(fit).toBeNull();
            return;
          }
          expect(fit!.loss).toBeLessThanOrEqual(slowest(x, outcome, probability, weights) + 1e-9);
          expect(fit!.loss).toBeCloseTo(
            pinballSum(columns, outcome, probability, fit!.coefficients, weights),
            12,
          );
        },
      ),
      { seed: 3, numRuns: 400 },
    );
  });

  /** At the minimum no direction is downhill: the multipliers of the rows on the plane lie in [p − 1, p]. */
  test.each([
    ['20,000 rows and two columns at 99 %', 20_000, 2, 0.99, false],
    ['20,000 rows and six columns at 50 %', 20_000, 6, 0.5, false],
    ['30,000 rows of whole numbers', 30_000, 2, 0.9, true],
  ])('of %s', (_, n, size, probability, isWhole) => {
    const random = Random.stream(n + size, 'many-rows');
    const draw = (value: number): number => (isWhole ? Math.round(value) : value);
    const columns = [new Float64Array(n).fill(1)];
    for (let j = 1; j < size; j++)
      columns.push(Float64Array.from({ length: n }, () => draw(2 * random.uniform())));
    const outcome = columns[1].map((x) => draw(x + (1 + x) * random.studentT(4)));
    const fit = fitQuantileRegression(columns, outcome, probability)!;
    for (let k = 0; k < 60; k++) {
      const size = 10 ** (-1 - (k % 6));
      const beside = fit.coefficients.map((value) => value + size * random.normal());
      expect(pinballSum(columns, outcome, probability, beside)).toBeGreaterThanOrEqual(
        fit.loss * (1 - 1e-13),
      );
    }
    const below = outcome.filter((value, i) => {
      let plane = 0;
      for (let j = 0; j < size; j++) plane += fit.coefficients[j] * columns[j][i];
      return value < plane - 1e-9;
    }).length;
    expect(below).toBeLessThanOrEqual(n * probability + 1e-6);
  });

  test('where bands, samples and starts from anywhere come before it, by the multipliers of its rows', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 1_000_000 }),
        fc.integer({ min: 450, max: 14_000 }),
        fc.constantFrom(0.05, 0.5, 0.9, 0.99),
        fc.boolean(),
        fc.constantFrom(null, 0, 0.01, 1, 100),
        (seed, n, probability, isWeighted, astray) => {
          const random = Random.stream(seed, 'multipliers');
          const x = Float64Array.from({ length: n }, () => Math.exp(0.5 * random.normal()));
          const columns = [new Float64Array(n).fill(1), x];
          const outcome = x.map((value) => value * (1 + random.studentT(4)));
          const weights = x.map(() => (isWeighted ? Math.max(random.uniform() - 0.1, 0) : 1));
          const given = isWeighted ? weights : undefined;
          const start = Float64Array.of(random.normal(), random.normal()).map(
            (value) => 1 + (astray ?? 0) * value,
          );
          const fit = fitQuantileRegression(
            columns,
            outcome,
            probability,
            given,
            astray === null ? undefined : start,
          );
          if (fit === null) throw new Error('there is a fit');
          for (const multiplier of multipliersOf(x, outcome, probability, weights, fit)) {
            expect(multiplier).toBeLessThanOrEqual(probability + 1e-9);
            expect(multiplier).toBeGreaterThanOrEqual(probability - 1 - 1e-9);
          }
        },
      ),
      { seed: 9, numRuns: 120 },
    );
  });

  test('however far off the start: rows that it sees on the wrong side are taken in', () => {
    const n = 3000;
    const random = Random.stream(n, 'far-start');
    const x = Float64Array.from({ length: n }, () => random.uniform());
    const outcome = x.map((value) => value + (1 + 3 * value) * random.normal());
    const columns = [new Float64Array(n).fill(1), x];
    for (const probability of [0.1, 0.5, 0.95]) {
      const fit = fitQuantileRegression(columns, outcome, probability)!;
      // Of some, the band around the start has a lowest place of its own; of those far off it has none.
      const offs = [-0.4, -0.15, 0, 0.1, 0.3, 0.6, 5];
      const starts = offs.flatMap((level) => [-4, -0.6, -0.3, 0, 0.3, 0.6, 1].map((tilt) => [level, tilt]));
      for (const [level, tilt] of starts) {
        const start = Float64Array.of(fit.coefficients[0] + level, fit.coefficients[1] + tilt);
        const again = fitQuantileRegression(columns, outcome, probability, undefined, start)!;
        expect([...again.rows].sort()).toEqual([...fit.rows].sort());
        expectAll(again.coefficients, fit.coefficients, 11);
      }
    }
  });

  test('a start from elsewhere, and from the minimum, leads to the same plane', () => {
    const { columns, outcome, weights } = golden();
    const fit = fitQuantileRegression(columns, outcome, 0.9, weights)!;
    for (const start of [fit.coefficients, Float64Array.of(-50, 3, 100)]) {
      const again = fitQuantileRegression(columns, outcome, 0.9, weights, start)!;
      expect([...again.rows].sort()).toEqual([...fit.rows].sort());
      expectAll(again.coefficients, fit.coefficients, 12);
    }
  });
});

describe('laws', () => {
  test('a constant alone gives a sample quantile', () => {
    const { outcome } = golden();
    const fit = fitQuantileRegression([new Float64Array(400).fill(1)], outcome, 0.9713)!;
    const sorted = outcome.slice().sort();
    expect(fit.coefficients[0]).toBe(sorted[Math.ceil(400 * 0.9713) - 1]);
    expect(fit.coefficients[0]).toBeLessThanOrEqual(quantile(outcome, 0.98));
  });

  test('units, a plane that is added and a turned sign go through', () => {
    const { columns, outcome } = golden();
    const fit = fitQuantileRegression(columns, outcome, 0.9)!;
    const moved = outcome.map((value, i) => 1e4 * value + 3 - 2 * columns[1][i]);
    const scaled = [columns[0], columns[1], columns[2].map((value) => 1e-3 * value)];
    const other = fitQuantileRegression(scaled, moved, 0.9)!.coefficients;
    const expected = [
      1e4 * fit.coefficients[0] + 3,
      1e4 * fit.coefficients[1] - 2,
      1e7 * fit.coefficients[2],
    ];
    expectAll(
      expected.map((value, j) => other[j] / value),
      [1, 1, 1],
      10,
    );
    const turned = fitQuantileRegression(
      columns,
      outcome.map((value) => -value),
      0.1,
    )!.coefficients;
    expectAll(
      turned,
      fit.coefficients.map((value) => -value),
      10,
    );
  });

  test('rows that all lie on one plane give that plane', () => {
    const { columns } = golden();
    const fit = fitQuantileRegression(
      columns,
      columns[1].map((x, i) => 2 + 3 * x - columns[2][i]),
      0.99,
    )!;
    expectAll(fit.coefficients, [2, 3, -1], 12);
    expect(fit.rows).toHaveLength(0);
    expect(fit.loss).toBeLessThan(1e-10);
    for (const unit of [1e-9, 1e9]) {
      const inUnit = columns[1].map((x, i) => unit * (2 + 3 * x - columns[2][i]));
      expect(fitQuantileRegression(columns, inUnit, 0.99)!.rows).toHaveLength(0);
    }
  });
});

test('the rows of the plane are those of the input, also where rows before them weigh nothing', () => {
  const { columns, outcome, weights } = golden();
  const some = weights.map((weight, i) => (i < 150 || i % 3 === 0 ? 0 : weight));
  const fit = fitQuantileRegression(columns, outcome, 0.9, some);
  if (fit === null) throw new Error('there is a fit');
  expect(fit.rows).toHaveLength(3);
  expect(new Set(fit.rows).size).toBe(3);
  for (const row of fit.rows) {
    expect(some[row]).toBeGreaterThan(0);
    const plane = columns.reduce((sum, column, j) => sum + fit.coefficients[j] * column[row], 0);
    expect(plane).toBeCloseTo(outcome[row], 12);
  }
});

describe('bad input', () => {
  const one = new Float64Array(10).fill(1);
  const y = Float64Array.from({ length: 10 }, (_, i) => i);

  test('dependent columns, and more columns than rows, have no fit', () => {
    expect(fitQuantileRegression([one, one.map((value) => 2 * value)], y, 0.5)).toBeNull();
    expect(fitQuantileRegression([one, new Float64Array(10)], y, 0.5)).toBeNull();
    // Nor from a start, which needs no plane of least squares.
    const start = Float64Array.of(0, 0);
    for (const column of [one.map((value) => 2 * value), new Float64Array(10)])
      expect(fitQuantileRegression([one, column], y, 0.5, undefined, start)).toBeNull();
    expect(
      fitQuantileRegression([Float64Array.of(1), Float64Array.of(2)], Float64Array.of(1), 0.5),
    ).toBeNull();
    expect(fitQuantileRegression([one], y, 0.5, new Float64Array(10))).toBeNull();
  });

  test.each([
    ['a probability of 1', () => fitQuantileRegression([one], y, 1)],
    ['a probability of 0', () => fitQuantileRegression([one], y, 0)],
    ['a weight too few', () => fitQuantileRegression([one], y, 0.5, one.slice(1))],
    [
      'an infinite weight',
      () =>
        fitQuantileRegression(
          [one],
          y,
          0.5,
          y.map((v) => 1 / v),
        ),
    ],
    [
      'a start that is no number',
      () => fitQuantileRegression([one], y, 0.5, undefined, Float64Array.of(Number.NaN)),
    ],
    ['no column', () => fitQuantileRegression([], y, 0.5)],
    ['unequal lengths', () => fitQuantileRegression([one], y.slice(1), 0.5)],
    [
      'an outcome that is no number',
      () =>
        fitQuantileRegression(
          [one],
          y.map(() => Number.NaN),
          0.5,
        ),
    ],
    ['an infinite regressor', () => fitQuantileRegression([y.map((v) => 1 / v)], y, 0.5)],
    [
      'a negative weight',
      () =>
        fitQuantileRegression(
          [one],
          y,
          0.5,
          y.map((v) => v - 1),
        ),
    ],
    ['a start of another size', () => fitQuantileRegression([one], y, 0.5, undefined, y)],
  ])('%s is refused with a remedy', (_, fit) => {
    expect(fit).toThrow(expect.objectContaining({ code: 'INPUT_INVALID', remedy: expect.any(String) }));
  });

  test('no row is refused', () => {
    expect(() => fitQuantileRegression([new Float64Array(0)], new Float64Array(0), 0.5)).toThrow(
      expect.objectContaining({ code: 'DATA_INSUFFICIENT' }),
    );
  });
});
