import { describe, expect, test } from 'vitest';
import { Random } from '../../random.ts';
import { brier, exceedanceRate, fz0, meanFz0, meanPinball, pinball } from './scores.ts';

describe('scores', () => {
  test('pinball charges a loss above VaR c times, one below 1 − c times', () => {
    expect(pinball(0.05, 0.03, 0.99)).toBeCloseTo(0.99 * 0.02, 15);
    expect(pinball(0.01, 0.03, 0.99)).toBeCloseTo(0.01 * 0.02, 15);
  });

  test('FZ0 is that of Patton, Ziegel and Chen with the signs turned', () => {
    // x = −0.05, q = −0.03, e = −0.04, α = 0.01: −(q − x)/(α e) + q/e + ln(−e) − 1.
    const expected = -0.02 / (0.01 * -0.04) + 0.75 + Math.log(0.04) - 1;
    expect(fz0(0.05, 0.03, 0.04, 0.99)).toBeCloseTo(expected, 12);
    expect(fz0(0.02, 0.03, 0.04, 0.99)).toBeCloseTo(0.75 + Math.log(0.04) - 1, 12);
  });

  test('FZ0 of a forecast without risk is finite', () => {
    expect(Number.isFinite(fz0(0.1, 0, 0, 0.99))).toBe(true);
    expect(Number.isFinite(fz0(0, 0, 0, 0.99))).toBe(true);
  });

  test('both scores are lowest at the truth', () => {
    const random = new Random(3);
    const n = 40_000;
    const losses = Float64Array.from({ length: n }, () => random.exponential());
    // Exponential with mean 1 at 95 %: VaR = ln 20, ES = ln 20 + 1.
    const [v, e] = [Math.log(20), Math.log(20) + 1];
    const constant = (value: number): Float64Array => new Float64Array(n).fill(value);
    const truth = {
      pinball: meanPinball(losses, constant(v), 0.95),
      fz0: meanFz0(losses, constant(v), constant(e), 0.95),
    };
    for (const factor of [0.8, 1.25]) {
      expect(meanPinball(losses, constant(v * factor), 0.95)).toBeGreaterThan(truth.pinball);
      expect(meanFz0(losses, constant(v * factor), constant(e * factor), 0.95)).toBeGreaterThan(truth.fz0);
      expect(meanFz0(losses, constant(v), constant(e * factor), 0.95)).toBeGreaterThan(truth.fz0);
    }
  });

  test('a loss equal to its VaR is no exceedance', () => {
    expect(exceedanceRate(Float64Array.of(1, 2, 3, 4), Float64Array.of(1, 1, 3, 5))).toBe(0.25);
  });

  test('Brier is the mean squared difference', () => {
    expect(brier(Float64Array.of(0.2, 0.9), Uint8Array.of(0, 1))).toBeCloseTo((0.04 + 0.01) / 2, 15);
  });
});
