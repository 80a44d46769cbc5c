import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Random } from '../../random.ts';
import { leastSquares } from '../numeric/least-squares.ts';
import { fitJointRegression, type JointRegression, type StandardLine } from './joint-regression.ts';
import { fitQuantileRegression } from './quantile-regression.ts';

interface Sample {
  readonly loss: Float64Array;
  readonly valueAtRisk: Float64Array;
  readonly expectedShortfall: Float64Array;
}

/** Heavy tails under a scale whose logarithm is normal: a few scales are far larger than all others. */
function sampled(n: number, seed: number, tick = 0): Sample {
  const random = Random.stream(seed, 'joint-regression');
  const rounded = (value: number): number => (tick === 0 ? value : Math.round(value / tick) * tick);
  const scale = Float64Array.from({ length: n }, () => 0.01 * Math.exp(0.7 * random.normal()));
  return {
    loss: scale.map((value) => rounded(value * random.studentT(5))),
    valueAtRisk: scale.map((value) => rounded(2.5 * value * (0.9 + 0.2 * random.uniform()))),
    expectedShortfall: scale.map((value) => rounded(3.4 * value)),
  };
}

function joint({ loss, valueAtRisk, expectedShortfall }: Sample, confidence: number): JointRegression {
  const fit = fitJointRegression([valueAtRisk], [expectedShortfall], loss, confidence);
  if (fit === null) throw new Error('there is a fit');
  return fit;
}

/** The same rounds as plainly as can be: every quantile regression from nothing, every e by Fisher's steps over all observations. */
function slowly({ valueAtRisk, shortfall, outcome }: JointRegression, confidence: number) {
  const { columns } = valueAtRisk;
  let e: Float64Array = new Float64Array(outcome.length).fill(1);
  let last: { v: Float64Array; e: Float64Array; loss: number } = { v: e, e, loss: Number.POSITIVE_INFINITY };
  for (;;) {
    const quantile = fitQuantileRegression(
      columns,
      outcome,
      confidence,
      e.map((value) => 1 / value),
    )!;
    const tail = fittedBy(columns, quantile.coefficients).map(
      (value, t) => value + Math.max(outcome[t] - value, 0) / (1 - confidence),
    );
    const coefficients = slowShortfall(shortfall, tail);
    e = fittedBy(shortfall.columns, coefficients);
    let loss = 0;
    for (let t = 0; t < e.length; t++) loss += (tail[t] / e[t] + Math.log(e[t])) / e.length;
    if (!(loss < last.loss - 1e-10)) return last;
    last = { v: quantile.coefficients, e: coefficients, loss };
  }
}

/** Least squares of z on x in the weights 1/e², again and again: at its fixed point Σ x (z − e)/e² is 0. */
function slowShortfall({ columns }: StandardLine, tail: Float64Array): Float64Array {
  let coefficients = leastSquares(columns, tail)!.coefficients;
  for (let step = 0; step < 200; step++) {
    const e = fittedBy(columns, coefficients);
    const next = leastSquares(
      columns,
      tail,
      e.map((value) => 1 / (value * value)),
    )!.coefficients;
    const change = next.reduce((most, value, j) => Math.max(most, Math.abs(value - coefficients[j])), 0);
    coefficients = next;
    if (change < 1e-15 * next[0]) break;
  }
  return coefficients;
}

function fittedBy(columns: readonly Float64Array[], coefficients: Float64Array): Float64Array {
  return columns[0].map((_, t) => columns.reduce((sum, column, j) => sum + coefficients[j] * column[t], 0));
}

describe('the rounds of the joint regression', () => {
  test('is what plain rounds over all observations come to, with groups and samples before them and without', () => {
    fc.assert(
      fc.property(
        // From 200 losses beyond VaR on there is no second search, which the plain rounds do not have.
        fc.constantFrom(
          [2500, 0.9] as const,
          [5000, 0.95] as const,
          [9000, 0.975] as const,
          [25_000, 0.99] as const,
        ),
        fc.integer({ min: 1, max: 1_000_000 }),
        ([n, confidence], seed) => {
          const fit = joint(sampled(n, seed), confidence);
          const slow = slowly(fit, confidence);
          expect(Math.abs(fit.loss - slow.loss)).toBeLessThan(1e-12);
          for (const j of [0, 1]) {
            expect(fit.valueAtRisk.standardised[j]).toBeCloseTo(slow.v[j], 13);
            expect(fit.shortfall.standardised[j] / slow.e[0]).toBeCloseTo(slow.e[j] / slow.e[0], 10);
          }
        },
      ),
      { seed: 5, numRuns: 24 },
    );
  });

  test('on one regressor for both is that on a copy of it', () => {
    const { loss, expectedShortfall } = sampled(6000, 3);
    const [one, two] = [expectedShortfall, expectedShortfall.slice()].map(
      (other) => fitJointRegression([expectedShortfall], [other], loss, 0.95)!,
    );
    expect([...two.shortfall.coefficients]).toEqual([...one.shortfall.coefficients]);
    expect([...two.valueAtRisk.coefficients]).toEqual([...one.valueAtRisk.coefficients]);
  });

  test('with a constant ES takes the mean of v + (l − v)⁺/α', () => {
    const { loss, valueAtRisk } = sampled(3000, 8);
    const fit = fitJointRegression([valueAtRisk], [], loss, 0.95)!;
    const mean = fit.tail.reduce((sum, value) => sum + value, 0) / loss.length;
    expect(fit.shortfall.standardised[0] / mean).toBeCloseTo(1, 13);
    expect(fit.loss).toBeCloseTo(1 + Math.log(mean), 13);
  });

  test('has no loss on the line of VaR above it, however many lie there', () => {
    for (const seed of [2, 7, 12]) {
      const fit = joint(sampled(8000, seed, 1e-3), 0.975);
      const v = fit.valueAtRisk.fitted;
      let onTheLine = 0;
      for (let t = 0; t < v.length; t++) {
        const above = fit.outcome[t] - v[t];
        // Ticks lie further apart than rounding reaches.
        if (Math.abs(above) < 1e-12) onTheLine++;
        expect(fit.hits[t]).toBe(above > 1e-12 ? 1 : 0);
      }
      expect(onTheLine).toBeGreaterThan(2);
    }
  });
});
