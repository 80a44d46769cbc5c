import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { solveMonotone } from './solve.ts';

describe('solving a falling function', () => {
  test('finds powers within a hundredth, in few evaluations', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0.3, max: 4, noNaN: true }),
        fc.double({ min: 0.06, max: 6, noNaN: true }),
        (power, x) => {
          let evaluations = 0;
          const found = solveMonotone(x ** -power, [0.05, 8], (at) => {
            evaluations++;
            return at ** -power;
          });
          expect(found).not.toBeNull();
          expect(Math.abs(Math.log((found as number) ** -power / x ** -power))).toBeLessThanOrEqual(0.0101);
          expect(evaluations).toBeLessThanOrEqual(14);
        },
      ),
      { seed: 5, numRuns: 300 },
    );
  });

  test('takes the lower side of a step that jumps over the target', () => {
    const step = (x: number): number => (x < 1.7 ? 10 : 2);
    const found = solveMonotone(5, [0.05, 8], step) as number;
    expect(step(found)).toBe(2);
    expect(found).toBeLessThan(1.75);
  });

  test('says so where the range does not reach the target', () => {
    expect(solveMonotone(1000, [0.5, 2], (x) => 1 / x)).toBeNull();
    expect(solveMonotone(0.001, [0.5, 2], (x) => 1 / x)).toBeNull();
    expect(solveMonotone(0, [0.5, 2], (x) => 1 / x)).toBeNull();
  });
});
