import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { rootOf } from '../numeric/scalar.ts';
import { parkMiller } from '../park-miller.fixture.ts';
import { cornishFisherRisk } from './cornish-fisher.ts';
import { extremeValueInterval, extremeValueRisk } from './extreme-value.ts';
import {
  fitGeneralisedPareto,
  type GeneralisedPareto,
  paretoGrowth,
  paretoLogLikelihood,
  profileInterval,
} from './generalised-pareto.ts';

function fitted(excesses: Float64Array): GeneralisedPareto {
  const fit = fitGeneralisedPareto(excesses);
  if (!fit.available) throw new Error(fit.reason);
  return fit;
}

/** (u^(−ξ) − 1)/ξ. */
function draws(n: number, shape: number, seed: number): Float64Array {
  const { uniform } = parkMiller(seed);
  return Float64Array.from({ length: n }, () => (uniform() ** -shape - 1) / shape);
}

describe('the profile interval of a quantile', () => {
  /** The best log likelihood of all shapes from −½ to 3, by trying them. */
  const profile = (excesses: Float64Array, value: number, ratio: number): number => {
    let best = Number.NEGATIVE_INFINITY;
    for (let i = 0; i <= 7000; i++) {
      const shape = -0.5 + i / 2000;
      best = Math.max(best, paretoLogLikelihood(excesses, shape, value / paretoGrowth(shape, ratio)));
    }
    return best;
  };

  test.each([
    [20, 0.9, 1, 200],
    [12, 1.2, 2, 1000],
    [80, 0.2, 3, 20],
    [400, 0.1, 4, 3],
  ])(
    'of %d excesses of shape %d ends where the likelihood has fallen by half of 3.84',
    (n, shape, seed, ratio) => {
      const excesses = draws(n, shape, seed);
      const fit = fitted(excesses);
      const { low, high } = profileInterval(excesses, fit, ratio);
      const best = fit.scale * paretoGrowth(fit.shape, ratio);
      expect(low).toBeLessThan(best);
      expect(high).toBeGreaterThan(best);
      for (const end of [low, high])
        expect(profile(excesses, end, ratio) - fit.logLikelihood).toBeCloseTo(-3.841458820694124 / 2, 3);
    },
  );

  test('wide ones are searched for far enough', () => {
    const excesses = draws(12, 1.2, 2);
    const fit = fitted(excesses);
    const best = fit.scale * paretoGrowth(fit.shape, 1000);
    const { low, high } = profileInterval(excesses, fit, 1000);
    expect(high).toBeGreaterThan(2 * best);
    expect(low).toBeLessThan(0.5 * best);
  });

  test('of VaR begins at the threshold', () => {
    const losses = draws(500, 0.25, 9);
    const risk = extremeValueRisk(losses, 0.99, 0.1);
    if (!risk.available) throw new Error(risk.reason);
    const { low, high } = profileInterval(risk.excesses, risk.tail, 10);
    const interval = extremeValueInterval(risk, 500, 0.99);
    expect(interval.low).toBeCloseTo(risk.threshold + low, 7);
    expect(interval.high).toBeCloseTo(risk.threshold + high, 7);
  });
});

describe('a tail that is nearly exponential', () => {
  const { uniform } = parkMiller(21);
  const exponential = Float64Array.from({ length: 300 }, () => -3 * Math.log(uniform()));
  // A power at which the best shape is 0 to six digits.
  const power = rootOf((p) => fitted(exponential.map((value) => value ** p)).shape, 0.8, 1.3);
  const excesses = exponential.map((value) => value ** power);
  const fit = fitted(excesses);

  test('has the standard errors of ξ = 0: 1/√n and β √(2/n)', () => {
    expect(Math.abs(fit.shape)).toBeLessThan(1e-3);
    expect(fit.standardErrors.shape * Math.sqrt(300)).toBeCloseTo(1, 2);
    expect((fit.standardErrors.scale / fit.scale) * Math.sqrt(150)).toBeCloseTo(1, 2);
  });

  test('has the likelihood of an exponential at ξ = 0, and none without a scale', () => {
    const expected = excesses.reduce((sum, value) => sum - Math.log(2) - value / 2, 0);
    for (const shape of [0, 1e-10, -1e-10, 1e-8])
      expect(paretoLogLikelihood(excesses, shape, 2)).toBeCloseTo(expected, 3);
    expect(paretoLogLikelihood(excesses, 0, 2)).toBeCloseTo(expected, 10);
    for (const shape of [0, 0.1])
      expect(paretoLogLikelihood(excesses, shape, 0)).toBe(Number.NEGATIVE_INFINITY);
  });
});

test.each([600, 1000, 5000])('the threshold of %d losses settles where Reiss and Thomas have it', (n) => {
  const losses = draws(n, 0.3, 33);
  const falling = losses.slice().sort().reverse();
  const first = Math.max(Math.floor(0.02 * n), 30);
  const last = Math.floor(0.15 * n);
  const step = Math.max((last - first) / 39, 1);
  const tried: { count: number; shape: number }[] = [];
  let best = { count: 0, unrest: Number.POSITIVE_INFINITY };
  for (let at = first; at <= last; at += step) {
    const count = Math.floor(at);
    const fit = fitGeneralisedPareto(falling.slice(0, count).map((loss) => loss - falling[count]));
    if (!fit.available) continue;
    tried.push({ count, shape: fit.shape });
    const median = tried.map(({ shape }) => shape).sort((a, b) => a - b)[tried.length >> 1];
    let unrest = 0;
    for (const { count: k, shape } of tried)
      unrest += (Math.sqrt(k) * Math.abs(shape - median)) / tried.length;
    if (tried.length >= 10 && unrest <= best.unrest) best = { count, unrest };
  }
  expect(extremeValueRisk(losses, 0.995, 'automatic')).toMatchObject({
    available: true,
    exceedances: best.count,
  });
});

test('the expansion of Cornish and Fisher answers exactly where it rises everywhere', () => {
  const zs = [-40, 40].flatMap((end) => Array.from({ length: 1001 }, (_, i) => (end * i) / 1000));
  const counts = { rising: 0, falling: 0 };
  fc.assert(
    fc.property(
      fc.array(fc.double({ min: -1, max: 1, noNaN: true }), { minLength: 4, maxLength: 40 }),
      fc.double({ min: 0.5, max: 3, noNaN: true }),
      (drawn, power) => {
        const losses = Float64Array.from(drawn, (value) => Math.sign(value) * Math.abs(value) ** power);
        const n = losses.length;
        const mean = losses.reduce((sum, value) => sum + value / n, 0);
        const moment = (k: number): number => losses.reduce((sum, value) => sum + (value - mean) ** k / n, 0);
        fc.pre(moment(2) > 1e-6);
        const s = moment(3) / moment(2) ** 1.5;
        const k = moment(4) / moment(2) ** 2 - 3;
        // Where z² hardly counts, what falls does so further out than is looked at.
        fc.pre(Math.abs(k / 8 - (s * s) / 6) > 0.01);
        const slopes = zs.map(
          (z) => 1 + (z * s) / 3 + ((3 * z * z - 3) * k) / 24 - ((6 * z * z - 5) * s * s) / 36,
        );
        const least = Math.min(...slopes);
        const { available } = cornishFisherRisk(losses, 0.99);
        if (least < -1e-6) {
          counts.falling++;
          expect(available).toBe(false);
        } else if (least > 1e-3) {
          counts.rising++;
          expect(available).toBe(true);
        }
      },
    ),
    { seed: 34, numRuns: 150 },
  );
  expect(counts.rising).toBeGreaterThan(10);
  expect(counts.falling).toBeGreaterThan(10);
});
