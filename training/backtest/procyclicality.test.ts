import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { marginMoves } from './procyclicality.ts';
import { bracketsOf, pathOf } from './test-stage.ts';

const at = (leverage: number) => bracketsOf([[1e6, leverage, 0.5 / leverage]]);

describe('moves of the margin of a constant position', () => {
  test('by hand: 20x, 10x from hour 30 on, 5x from hour 60, 20x from hour 600', () => {
    const path = pathOf('A', 800, [
      [0, at(20)],
      [30, at(10)],
      [60, at(5)],
      [600, at(20)],
    ]);
    const moves = marginMoves(path, 1000, new Uint8Array(800).fill(1));
    expect(moves).toMatchObject({
      largestRise1Day: 1,
      largestRise5Days: 3,
      largestRise30Days: 3,
      peakToTrough: 4,
      largestDailyCut: 0.5,
      largestDailyRaise: 3,
    });
    expect(moves?.changesPerMonth).toBeCloseTo((3 * 730) / 800, 12);
  });

  test('a refused size counts as the whole notional, and hours that do not count are left out', () => {
    const path = pathOf('A', 4, [
      [0, at(10)],
      [2, bracketsOf([[500, 10, 0.05]])],
    ]);
    expect(marginMoves(path, 1000, new Uint8Array(4).fill(1))?.peakToTrough).toBe(10);
    expect(marginMoves(path, 1000, Uint8Array.of(1, 1, 0, 0))?.peakToTrough).toBe(1);
    expect(marginMoves(path, 1000, new Uint8Array(4))).toBeNull();
  });

  test('rises are those of a search over all pairs', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1, maxLength: 60 }), (leverages) => {
        const path = pathOf(
          'A',
          leverages.length,
          leverages.map((leverage, hour) => [hour, at(leverage)] as const),
        );
        const moves = marginMoves(path, 1000, new Uint8Array(leverages.length).fill(1));
        const margin = leverages.map((leverage) => Math.ceil(1e6 / leverage));
        let most = 0;
        for (let b = 0; b < margin.length; b++)
          for (let a = Math.max(b - 24, 0); a < b; a++) most = Math.max(most, margin[b] / margin[a] - 1);
        expect(moves?.largestRise1Day).toBeCloseTo(most, 12);
      }),
      { seed: 7, numRuns: 150 },
    );
  });
});
