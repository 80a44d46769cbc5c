import { describe, expect, test } from 'vitest';
import { Random } from '../src/random.ts';
import { LeastSquares } from './ols.ts';

describe('least squares', () => {
  test('finds the line of a textbook example', () => {
    // Anscombe (1973), first data set: intercept 3.00, slope 0.500.
    const x = [10, 8, 13, 9, 11, 14, 6, 4, 12, 7, 5];
    const y = [8.04, 6.95, 7.58, 8.81, 8.33, 9.96, 7.24, 4.26, 10.84, 4.82, 5.68];
    const squares = new LeastSquares(1);
    for (const [i, value] of x.entries()) squares.add(Float64Array.of(value), 0, [0], y[i]);
    const [intercept, slope] = squares.solve(0);
    expect(intercept).toBeCloseTo(3.0000909, 6);
    expect(slope).toBeCloseTo(0.5000909, 6);
  });

  test('gives back the coefficients of an exact relation, picked out of wider rows', () => {
    const random = Random.stream(7, 'ols');
    const squares = new LeastSquares(3);
    const truth = [0.5, -2, 0.25, 4];
    for (let i = 0; i < 200; i++) {
      const row = Float64Array.from({ length: 10 }, () => random.normal());
      squares.add(row, 2, [0, 3, 7], truth[0] + truth[1] * row[2] + truth[2] * row[5] + truth[3] * row[9]);
    }
    const found = squares.solve(0);
    for (const [i, value] of truth.entries()) expect(found[i]).toBeCloseTo(value, 10);
  });

  test('a ridge pulls coefficients towards nothing and leaves the intercept free', () => {
    const squares = new LeastSquares(1);
    for (const x of [-1, 1]) squares.add(Float64Array.of(x), 0, [0], 5 + x);
    const [intercept, slope] = squares.solve(1);
    expect(intercept).toBeCloseTo(5, 12);
    expect(slope).toBeCloseTo(0.5, 12);
  });
});
