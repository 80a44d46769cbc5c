import { describe, expect, test } from 'vitest';
import { Random } from '../../random.ts';
import { commonBetas } from './common-betas.ts';

describe('betas to the mean of all markets', () => {
  test('are the slopes that the returns were made with, and their mean is 1', () => {
    const random = new Random(1);
    const slopes = [0.5, 1, 1.5];
    const slots = 4000;
    const returns = new Float64Array(slopes.length * slots);
    for (let t = 0; t < slots; t++) {
      const common = random.normal();
      for (const [m, slope] of slopes.entries())
        returns[m * slots + t] = slope * common + 0.05 * random.normal();
    }
    const known = new Uint8Array(returns.length).fill(1);
    const betas = commonBetas({ markets: ['A', 'B', 'C'], slots, returns, known });
    for (const [m, slope] of slopes.entries()) expect(betas[m]).toBeCloseTo(slope, 2);
    // Where all are known, the mean of the slopes on the mean is 1 exactly.
    expect(betas.reduce((sum, beta) => sum + beta, 0) / 3).toBeCloseTo(1, 12);
  });

  test('by hand, with a market that is known for a part of the time', () => {
    const markets = ['A', 'B'];
    const returns = Float64Array.of(0.01, -0.01, 0.03, -0.03, 0.02, 0, 0, 0);
    const known = Uint8Array.of(1, 1, 1, 1, 1, 1, 0, 0);
    // The mean of those that are known.
    const factor = [0.015, -0.005, 0.03, -0.03];
    const slope = (r: number[], f: number[]): number => {
      const [mr, mf] = [r, f].map((values) => values.reduce((sum, value) => sum + value, 0) / values.length);
      const together = r.reduce((sum, value, i) => sum + (value - mr) * (f[i] - mf), 0);
      return together / f.reduce((sum, value) => sum + (value - mf) ** 2, 0);
    };
    const betas = commonBetas({ markets, slots: 4, returns, known });
    expect(betas[0]).toBeCloseTo(slope([0.01, -0.01, 0.03, -0.03], factor), 12);
    expect(betas[1]).toBeCloseTo(slope([0.02, 0], factor.slice(0, 2)), 12);
  });

  test('are 0 where nothing moves', () => {
    const returns = new Float64Array(4);
    expect([...commonBetas({ markets: ['A'], slots: 4, returns, known: new Uint8Array(4).fill(1) })]).toEqual(
      [0],
    );
    expect([...commonBetas({ markets: ['A'], slots: 4, returns, known: new Uint8Array(4) })]).toEqual([0]);
  });
});
