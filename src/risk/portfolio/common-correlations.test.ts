import { expect, test } from 'vitest';
import { Random } from '../../random.ts';
import { symmetricEigen } from '../numeric/eigen.ts';
import {
  type CommonReturns,
  commonCorrelations,
  fillCorrelations,
  unitVectors,
} from './common-correlations.ts';
import { correlationMatrix } from './correlation-matrix.ts';

const MARKETS = 8;
const SLOTS = 200;

/** A common move and one of each market's own. */
function someReturns(missing = 0): CommonReturns {
  const random = new Random(5);
  const returns = new Float64Array(MARKETS * SLOTS);
  const known = new Uint8Array(MARKETS * SLOTS).fill(1);
  const common = Array.from({ length: SLOTS }, () => random.normal());
  for (let m = 0; m < MARKETS; m++)
    for (let t = 0; t < SLOTS; t++) {
      returns[m * SLOTS + t] = 0.01 * (common[t] + (m + 1) * 0.2 * random.normal() + 0.1);
      if (random.uniform() < missing) {
        known[m * SLOTS + t] = 0;
        returns[m * SLOTS + t] = 0;
      }
    }
  return { markets: Array.from({ length: MARKETS }, (_, m) => `M${m}`), slots: SLOTS, returns, known };
}

test('where all is known it is the sample correlation, as the slow estimator has it', () => {
  const given = someReturns();
  const fast = commonCorrelations(given);
  const time = Float64Array.from({ length: SLOTS }, (_, t) => t);
  const { correlation } = correlationMatrix({ ...given, time });
  for (let i = 0; i < fast.length; i++) expect(fast[i]).toBeCloseTo(correlation[i], 12);
});

test('whatever is missing, it is a correlation matrix, and nearer to none', () => {
  const whole = commonCorrelations(someReturns());
  const holey = commonCorrelations(someReturns(0.4));
  const { values } = symmetricEigen(holey, MARKETS);
  expect(values[MARKETS - 1]).toBeGreaterThanOrEqual(-1e-12);
  for (let i = 0; i < MARKETS; i++) expect(holey[i * MARKETS + i]).toBe(1);
  const mean = (matrix: Float64Array) => matrix.reduce((sum, entry) => sum + entry, 0);
  expect(mean(holey)).toBeLessThan(mean(whole));
});

test('a market without a move is correlated with none', () => {
  const given = someReturns();
  given.returns.fill(0.02, 0, SLOTS);
  const matrix = commonCorrelations(given);
  expect([...matrix.subarray(0, MARKETS)]).toEqual([1, 0, 0, 0, 0, 0, 0, 0]);
});

test('rows piece by piece are those at once', () => {
  const given = someReturns(0.1);
  const units = unitVectors(given);
  const matrix = new Float64Array(MARKETS * MARKETS);
  for (let row = 0; row < MARKETS; row += 3)
    fillCorrelations(units, MARKETS, row, Math.min(row + 3, MARKETS), matrix);
  expect(matrix).toEqual(commonCorrelations(given));
});
