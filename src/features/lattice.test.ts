import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Random } from '../random.ts';
import { MOVE_UNIT, nextPrefix, onLattice, signedDifference, unsignedDifference } from './lattice.ts';
import { RollingMaximum } from './rolling-extreme.ts';

describe('exact rolling sums', () => {
  test('prefixes that wrap around give the exact sum of any window', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1e6 }), fc.boolean(), (seed, isSigned) => {
        const random = new Random(seed);
        const terms: bigint[] = [];
        // Started just below the modulus, so that the prefix wraps at once.
        const prefixes = [2 ** 52 - 1000];
        for (let i = 0; i < 300; i++) {
          const value = isSigned ? 2 * random.uniform() - 1 : random.uniform();
          const term = onLattice(value, MOVE_UNIT);
          terms.push(BigInt(term));
          prefixes.push(nextPrefix(prefixes[i], term));
        }
        const difference = isSigned ? signedDifference : unsignedDifference;
        for (const n of [1, 24, 300]) {
          const exact = terms.slice(-n).reduce((sum, term) => sum + term, 0n);
          expect(BigInt(difference(prefixes[300], prefixes[300 - n]))).toBe(exact);
        }
      }),
      { seed: 41, numRuns: 50 },
    );
  });

  test('the longest window of the largest moves fits', () => {
    const largest = onLattice(1, MOVE_UNIT);
    let prefix = 0;
    for (let i = 0; i < 2160; i++) prefix = nextPrefix(prefix, largest);
    expect(unsignedDifference(prefix, 0) * MOVE_UNIT).toBe(2160);
  });
});

describe('rolling maximum', () => {
  test('agrees with looking at the whole window, also when steps are left out', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1e6 }), fc.integer({ min: 1, max: 30 }), (seed, window) => {
        const random = new Random(seed);
        const maximum = new RollingMaximum(window);
        const pushed: [number, number][] = [];
        for (let step = 0; step < 150; step++) {
          if (random.uniform() < 0.3) maximum.expire(step);
          else {
            const value = random.integer(20) - 10;
            pushed.push([step, value]);
            maximum.push(step, value);
          }
          const inside = pushed.filter(([at]) => at > step - window).map(([, value]) => value);
          expect(maximum.maximum()).toBe(inside.length === 0 ? 0 : Math.max(...inside));
        }
      }),
      { seed: 42, numRuns: 60 },
    );
  });
});
