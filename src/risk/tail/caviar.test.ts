import { describe, expect, test } from 'vitest';
import { Random } from '../../random.ts';
import { quantile } from '../numeric/quantile.ts';
import { asymmetricReturns } from '../park-miller.fixture.ts';
import { type CaviarFit, type CaviarSlope, fitCaviar } from './caviar.ts';
import { lossesOfReturns } from './loss-sample.ts';

const SLOPES: readonly CaviarSlope[] = ['symmetric', 'asymmetric'];
const returns = asymmetricReturns();
/** The return that ended at each origin; none ended at the first. */
const known = Float64Array.of(0, ...returns);
const { losses } = lossesOfReturns(returns, 'long', 1, 'terminal');

function fitted(...input: Parameters<typeof fitCaviar>): CaviarFit {
  const fit = fitCaviar(...input);
  if (!fit.available) throw new Error(fit.reason);
  return fit;
}

/** VaR by origin, as its formula is written; the starting one is the quantile of the first 300 losses. */
function slowPath(sample: Float64Array, changes: Float64Array, confidence: number, b: number[]): number[] {
  const [b1, b2, byRise, byFall = byRise] = b;
  const path = [quantile(sample.slice(0, 300), confidence)];
  for (let i = 1; i < changes.length; i++) {
    const answer = changes[i] > 0 ? byRise * changes[i] : -byFall * changes[i];
    path.push(b1 + b2 * path[i - 1] + answer);
  }
  return path;
}

function pinball(sample: Float64Array, path: number[], confidence: number): number {
  const weighed = Array.from(sample, (loss, i) =>
    loss > path[i] ? confidence * (loss - path[i]) : (1 - confidence) * (path[i] - loss),
  );
  return weighed.reduce((sum, value) => sum + value, 0) / sample.length;
}

describe('CAViaR at 99 % of 2,000 returns is as good as differential evolution and a simplex of SciPy find it', () => {
  test('with one answer to rises and falls', () => {
    const { coefficients, nextValueAtRisk, ...fit } = fitted(losses, known, 0.99, 'symmetric');
    expect(fit.slope).toBe('symmetric');
    expect(fit.pinball).toBeLessThan(0.00034133419156570833 * (1 + 1e-6));
    expect(nextValueAtRisk / 0.04527583515967985).toBeCloseTo(1, 3);
    expect(coefficients).toHaveLength(3);
    for (const [j, b] of [0.00275639, 0.75592291, 0.48740938].entries())
      expect(coefficients[j] / b).toBeCloseTo(1, 3);
  });

  test('with two', () => {
    const { coefficients, nextValueAtRisk, ...fit } = fitted(losses, known, 0.99, 'asymmetric');
    expect(fit.pinball).toBeLessThan(0.0003389434436355991 * (1 + 1e-6));
    expect(nextValueAtRisk / 0.05064698447553606).toBeCloseTo(1, 2);
    expect(coefficients).toHaveLength(4);
  });
});

describe.each(SLOPES)('a fit with %s slope', (slope) => {
  const recent = returns.slice(0, 700);
  const changes = Float64Array.of(0, ...recent);

  test.each([
    [1, 'long'],
    [3, 'long'],
    [3, 'short'],
  ] as const)(
    'has the VaR, the loss and the ratio of ES that its coefficients say: %d steps, %s',
    (horizon, side) => {
      const sample = lossesOfReturns(recent, side, horizon, 'terminal').losses;
      const fit = fitted(sample, changes, 0.95, slope);
      const path = slowPath(sample, changes, 0.95, [...fit.coefficients]);
      expect(fit.valueAtRisk).toHaveLength(sample.length);
      for (const [i, value] of fit.valueAtRisk.entries()) expect(value / path[i]).toBeCloseTo(1, 12);
      expect(fit.nextValueAtRisk / path[recent.length]).toBeCloseTo(1, 12);
      expect(fit.pinball / pinball(sample, path, 0.95)).toBeCloseTo(1, 10);
      const beyond = Array.from(sample, (loss, i) => Math.max(loss - path[i], 0) / path[i]);
      const ratio = 1 + beyond.reduce((sum, value) => sum + value, 0) / sample.length / 0.05;
      expect(fit.shortfallRatio / ratio).toBeCloseTo(1, 10);
    },
  );

  test('is no worse than the least of 3,000 places drawn near and far', () => {
    const sample = losses.slice(0, 700);
    const { pinball: least, coefficients } = fitted(sample, changes, 0.95, slope);
    const random = Random.stream(7, slope);
    for (let k = 0; k < 3000; k++) {
      const spread = k % 2 === 0 ? 0.03 : 0.6;
      const b = Array.from(coefficients, (value) => value * (1 + spread * random.normal()));
      if (b[1] < 0 || b[1] > 0.9999) continue;
      expect(pinball(sample, slowPath(sample, changes, 0.95, b), 0.95)).toBeGreaterThan(least * (1 - 1e-7));
    }
  });

  test('begun where another ended, ends there again', () => {
    const whole = fitted(losses, known, 0.975, slope);
    const again = fitted(losses, known, 0.975, slope, whole.coefficients);
    expect(again.pinball / whole.pinball).toBeCloseTo(1, 7);
    for (const [j, b] of whole.coefficients.entries()) expect(again.coefficients[j] / b).toBeCloseTo(1, 2);
    // From the same place in another unit, the search is the same: the unit is taken off before it.
    const scaled = fitted(
      losses.map((value) => 1000 * value),
      known.map((value) => 8 * value),
      0.975,
      slope,
      whole.coefficients.map((value, j) => value * [1000, 1, 125, 125][j]),
    );
    expect(scaled.pinball / 1000 / again.pinball).toBeCloseTo(1, 9);
  });
});

describe('there is no CAViaR', () => {
  const refused = (...input: Parameters<typeof fitCaviar>) => {
    const outcome = fitCaviar(...input);
    return outcome.available ? 'a fit' : outcome.reason;
  };

  test('of fewer than 200 losses', () => {
    expect(refused(losses.slice(0, 199), known.slice(0, 200), 0.95, 'symmetric')).toMatch('200 are needed');
    expect(refused(losses.slice(0, 200), known.slice(0, 201), 0.95, 'symmetric')).toBe('a fit');
  });

  test('where the quantile to start from, or that of all losses, is not positive', () => {
    const late = losses.map((loss, i) => (i < 300 ? -Math.abs(loss) : loss));
    expect(quantile(late, 0.99)).toBeGreaterThan(0);
    expect(refused(late, known, 0.99, 'symmetric')).toMatch('quantile of the losses');
    const early = losses.map((loss, i) => (i < 300 ? loss : -Math.abs(loss)));
    expect(quantile(early.slice(0, 300), 0.9)).toBeGreaterThan(0);
    expect(quantile(early, 0.9)).toBeLessThan(0);
    expect(refused(early, known, 0.9, 'symmetric')).toMatch('quantile of the losses');
  });

  test('where returns do not vary', () => {
    expect(refused(losses, new Float64Array(known.length), 0.95, 'asymmetric')).toMatch('do not vary');
  });

  test('where the search would begin outside the coefficients that VaR forgets with', () => {
    for (const b2 of [1.2, -0.5, 50, Number.NaN])
      expect(refused(losses, known, 0.95, 'symmetric', Float64Array.of(0.001, b2, 0.1))).toMatch('no start');
  });

  test('where VaR, which its ES is measured in, turns negative: today, or before', () => {
    // Losses that a large move foretells the other way: the larger the return, the smaller the loss after it.
    const random = Random.stream(3, 'negative');
    const changes = Float64Array.from({ length: 801 }, () => 0.01 * random.uniform());
    const sample = Float64Array.from(
      { length: 800 },
      (_, i) => 0.02 - 2.4 * changes[i] + 0.001 * random.uniform(),
    );
    expect(refused(sample, changes, 0.9, 'symmetric')).toMatch('not positive everywhere');
    const calm = changes.map((value) => 0.75 * value);
    const positive = Float64Array.from(
      { length: 800 },
      (_, i) => 0.02 - 2.4 * calm[i] + 0.001 * random.uniform(),
    );
    expect(refused(positive, calm, 0.9, 'symmetric')).toBe('a fit');
    calm[800] = 0.02;
    expect(refused(positive, calm, 0.9, 'symmetric')).toMatch('not positive today');
  });
});
