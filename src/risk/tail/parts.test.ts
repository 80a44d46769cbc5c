import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { emptyBars } from '../bars.ts';
import { quantile, tailMean } from '../numeric/quantile.ts';
import { asymmetricReturns, parkMiller } from '../park-miller.fixture.ts';
import { ageWeights, effectiveAgeCount, weightedRisk } from './age-weighted.ts';
import { cornishFisherRisk } from './cornish-fisher.ts';
import { extremeValueRisk } from './extreme-value.ts';
import { paretoGrowth } from './generalised-pareto.ts';
import { effectiveCount, lossesOfBars, lossesOfReturns } from './loss-sample.ts';
import { normalRisk, reflectedNormalRisk, scaled, studentRisk } from './parametric.ts';
import { fitParetoTail, paretoExpectedShortfall, paretoSurvival, paretoValueAtRisk } from './pareto-tail.ts';

const samples = fc
  .array(fc.double({ min: -1, max: 1, noNaN: true }), { minLength: 1, maxLength: 60 })
  .map((values) => Float64Array.from(values));
const confidences = fc.double({ min: 0.01, max: 0.995, noNaN: true });
const seeded = { seed: 31, numRuns: 300 };

describe('losses that weigh differently', () => {
  test('have, where all weigh alike, the tail mean of any sample, and the loss that fills the tail', () => {
    fc.assert(
      fc.property(samples, confidences, (losses, confidence) => {
        const risk = weightedRisk(losses, new Float64Array(losses.length).fill(3), confidence);
        expect(risk.expectedShortfall).toBeCloseTo(tailMean(losses, confidence), 10);
        const beyond = losses.filter((loss) => loss > risk.valueAtRisk).length;
        const from = losses.filter((loss) => loss >= risk.valueAtRisk).length;
        expect(beyond / losses.length).toBeLessThan(1 - confidence + 1e-12);
        expect(from / losses.length).toBeGreaterThan(1 - confidence - 1e-12);
      }),
      seeded,
    );
  });

  test('by hand: weights count as repetitions, and a weight of 0 as none', () => {
    const losses = Float64Array.of(1, 9, 4, 7, 2);
    const weights = Float64Array.of(4, 0, 3, 1, 2);
    // The worst quarter of ten: 7 once, 4 one and a half times.
    expect(weightedRisk(losses, weights, 0.75)).toEqual({
      valueAtRisk: 4,
      expectedShortfall: expect.closeTo((7 + 1.5 * 4) / 2.5, 12),
    });
    expect(weightedRisk(losses, weights, 0.95)).toEqual({ valueAtRisk: 7, expectedShortfall: 7 });
  });

  test('weigh by age as Boudoukh, Richardson and Whitelaw have it', () => {
    const weights = ageWeights(10, 0.9);
    expect(weights.reduce((sum, weight) => sum + weight, 0)).toBeCloseTo(1, 14);
    for (let i = 1; i < 10; i++) expect(weights[i - 1] / weights[i]).toBeCloseTo(0.9, 14);
    expect(effectiveAgeCount(10, 0.9)).toBeCloseTo(9.175730307650227, 12);
    expect(ageWeights(4, 1)).toEqual(new Float64Array(4).fill(0.25));
    expect(effectiveAgeCount(10, 1)).toBe(10);
  });
});

describe('a Pareto tail by moments', () => {
  const { uniform } = parkMiller(77);
  const sorted = Float64Array.from({ length: 60 }, () => (uniform() ** -0.3 - 1) / 0.3).sort();

  test('equals Hosking and Wallis’s formulas in Python, of the losses above its threshold alone', () => {
    const tail = fitParetoTail(sorted, 500, sorted[19]);
    expect(tail).toEqual({
      threshold: sorted[19],
      exceedanceShare: 0.08,
      shape: expect.closeTo(0.41458196942368497, 11),
      scale: expect.closeTo(1.6790506550880933, 11),
    });
  });

  test.each([0, 0.2, 0.49])('has the ES that its quantiles average to, for ξ %d', (shape) => {
    const tail = { threshold: 0.03, exceedanceShare: 0.05, shape, scale: 0.01 };
    const steps = 4000;
    let sum = 0;
    for (let i = 0; i < steps; i++) {
      const v = (i + 0.5) / steps;
      sum += (paretoValueAtRisk(tail, 1 - 0.005 * v ** 2) * 2 * v) / steps;
    }
    const valueAtRisk = paretoValueAtRisk(tail, 0.995);
    expect(paretoExpectedShortfall(tail, valueAtRisk) / sum).toBeCloseTo(1, 4);
  });

  test('ends at its threshold: no VaR, excess or probability comes from below it', () => {
    const tail = { threshold: 0.03, exceedanceShare: 0.05, shape: 0.2, scale: 0.01 };
    for (const confidence of [0.5, 0.95]) expect(paretoValueAtRisk(tail, confidence)).toBeCloseTo(0.03, 15);
    expect(paretoExpectedShortfall(tail, 0.02)).toBeCloseTo(0.02 + 0.01 / 0.8, 15);
    expect(paretoSurvival(tail, 0.01)).toBeCloseTo(0.05, 15);
    expect(paretoSurvival({ ...tail, shape: 0 }, 0.05)).toBeCloseTo(0.05 * Math.exp(-2), 15);
    expect(fitParetoTail(Float64Array.of(1, 2), 10, 2)).toEqual({
      threshold: 2,
      exceedanceShare: 0,
      shape: 0,
      scale: 0,
    });
  });
});

describe('peaks over a threshold', () => {
  const { uniform } = parkMiller(12);
  const losses = Float64Array.from({ length: 1000 }, () => (uniform() ** -0.2 - 1) / 0.2);

  test('take the asked share, and answer from there on', () => {
    const risk = extremeValueRisk(losses, 0.99, 0.1);
    if (!risk.available) throw new Error(risk.reason);
    const falling = losses.slice().sort().reverse();
    expect(risk).toMatchObject({ threshold: falling[100], exceedances: 100 });
    const { shape, scale } = risk.tail;
    expect(risk.valueAtRisk).toBeCloseTo(falling[100] + scale * paretoGrowth(shape, 10), 12);
    expect(risk.expectedShortfall).toBeCloseTo(
      risk.valueAtRisk + (scale + shape * (risk.valueAtRisk - falling[100])) / (1 - shape),
      12,
    );
    expect(Math.abs(risk.valueAtRisk / ((0.01 ** -0.2 - 1) / 0.2) - 1)).toBeLessThan(0.25);
    expect(extremeValueRisk(losses, 0.899, 0.1).available).toBe(false);
    expect(extremeValueRisk(losses, 0.901, 0.1).available).toBe(true);
  });

  test('are at least ten and not all losses, and choose their own number where shapes are steady', () => {
    expect(extremeValueRisk(losses.subarray(0, 100), 0.99, 0.1).available).toBe(true);
    expect(extremeValueRisk(losses.subarray(0, 99), 0.99, 0.1).available).toBe(false);
    expect(extremeValueRisk(losses, 0.99, 1).available).toBe(false);
    const settled = extremeValueRisk(losses, 0.99, 'automatic');
    if (!settled.available) throw new Error(settled.reason);
    expect(settled.exceedances).toBeGreaterThanOrEqual(30);
    expect(settled.exceedances).toBeLessThanOrEqual(150);
    expect(extremeValueRisk(losses.subarray(0, 150), 0.99, 'automatic').available).toBe(false);
  });

  test('grow without a jump where the shape passes 0', () => {
    expect(paretoGrowth(0, 10)).toBe(Math.log(10));
    for (const shape of [1e-8, -1e-8, 1e-10]) expect(paretoGrowth(shape, 10)).toBeCloseTo(Math.log(10), 6);
    expect(paretoGrowth(0.5, 10)).toBeCloseTo((Math.sqrt(10) - 1) / 0.5, 13);
  });
});

describe('closed forms', () => {
  test('normal, t and reflected risks at 99 %', () => {
    expect(normalRisk(0.99).valueAtRisk).toBeCloseTo(2.3263478740408408, 13);
    expect(normalRisk(0.99).expectedShortfall).toBeCloseTo(2.665214220345797, 12);
    expect(reflectedNormalRisk(0.99).valueAtRisk).toBeCloseTo(2.5758293035489004, 12);
    expect(studentRisk(0.99, 5).valueAtRisk).toBeCloseTo(3.3649299989072183 * Math.sqrt(0.6), 10);
    expect(scaled({ valueAtRisk: 2, expectedShortfall: 3 }, 0.5, -0.1)).toEqual({
      valueAtRisk: 0.9,
      expectedShortfall: 1.4,
    });
    expect(scaled({ valueAtRisk: 2, expectedShortfall: 3 }, 0.5)).toEqual({
      valueAtRisk: 1,
      expectedShortfall: 1.5,
    });
  });

  test('Cornish and Fisher: answers just where its derivative, written out, is never negative (Maillard 2012)', () => {
    const seen = { inside: 0, outside: 0 };
    for (let seed = 1; seed <= 400; seed++) {
      const { uniform, normal } = parkMiller(seed);
      const [skewed, heavy] = [2 * uniform(), 0.6 * uniform()];
      const losses = Float64Array.from(
        { length: 150 },
        () => normal() - skewed * Math.log(uniform()) + heavy * normal() ** 3,
      );
      const mean = losses.reduce((sum, value) => sum + value / 150, 0);
      const moment = (power: number) => losses.reduce((sum, value) => sum + (value - mean) ** power / 150, 0);
      const s = moment(3) / moment(2) ** 1.5;
      const k = moment(4) / moment(2) ** 2 - 3;
      let least = Number.POSITIVE_INFINITY;
      for (let z = -30; z <= 30; z += 0.01)
        least = Math.min(
          least,
          1 + (z * s) / 3 + ((3 * z * z - 3) * k) / 24 - ((6 * z * z - 5) * s * s) / 36,
        );
      // On the edge of the domain the grid is too coarse to tell.
      if (Math.abs(least) < 1e-3) continue;
      const { available } = cornishFisherRisk(losses, 0.99);
      expect(available).toBe(least > 0);
      seen[available ? 'inside' : 'outside']++;
    }
    expect(Math.min(seen.inside, seen.outside)).toBeGreaterThan(50);
  });

  test('Cornish and Fisher: the mean of its own quantiles beyond VaR, and silence outside its domain', () => {
    const { normal } = parkMiller(4);
    const losses = Float64Array.from({ length: 500 }, () => {
      const z = normal();
      return z + 0.05 * z * z + 0.02 * z ** 3;
    });
    const risk = cornishFisherRisk(losses, 0.9);
    if (!risk.available) throw new Error(risk.reason);
    const steps = 4000;
    let sum = 0;
    for (let i = 0; i < steps; i++) {
      const v = (i + 0.5) / steps;
      const further = cornishFisherRisk(losses, 1 - 0.1 * v ** 2);
      if (further.available) sum += (further.valueAtRisk * 2 * v) / steps;
    }
    expect(risk.expectedShortfall / sum).toBeCloseTo(1, 5);
    // Two values have the least kurtosis of all, −2: h′ < 0 far out.
    expect(cornishFisherRisk(Float64Array.of(-1, 1, -1, 1), 0.99).available).toBe(false);
    expect(cornishFisherRisk(new Float64Array(9).fill(0.3), 0.99)).toMatchObject({
      reason: expect.stringContaining('vary'),
    });
  });
});

describe('losses of a position', () => {
  test('equal those of the prices that the returns make, for both sides, ends and paths', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: -0.5, max: 0.8, noNaN: true }), { minLength: 6, maxLength: 30 }),
        fc.integer({ min: 1, max: 6 }),
        (steps, horizon) => {
          const returns = Float64Array.from(steps);
          for (const side of ['long', 'short'] as const) {
            const ends = lossesOfReturns(returns, side, horizon, 'terminal');
            const paths = lossesOfReturns(returns, side, horizon, 'excursion');
            expect(ends.losses).toHaveLength(steps.length - horizon + 1);
            expect(effectiveCount(ends)).toBeCloseTo(Math.max(ends.losses.length / horizon, 1), 12);
            ends.losses.forEach((loss, i) => {
              const prices = [1];
              for (let h = 0; h < horizon; h++) prices.push(prices[h] * (1 + steps[i + h]));
              const along = prices.map((price) => (side === 'long' ? 1 - price : price - 1));
              expect(loss).toBeCloseTo(along[horizon], 12);
              expect(paths.losses[i]).toBeCloseTo(Math.max(...along), 12);
            });
          }
        },
      ),
      { seed: 32, numRuns: 100 },
    );
  });

  test('of bars begin after the last gap, and excursions see the wicks', () => {
    const bars = emptyBars(6, 60_000);
    bars.openTime.set([0, 1, 5, 6, 7, 8].map((minute) => minute * 60_000));
    bars.close.set([50, 60, 100, 110, 99, 132]);
    bars.open.set([50, 50, 60, 100, 110, 99]);
    bars.high.set([60, 70, 120, 115, 112, 140]);
    bars.low.set([40, 45, 55, 80, 90, 95]);
    const ends = lossesOfBars(bars, 'long', 2, 'terminal');
    expect(Array.from(ends.returns, (value) => Number(value.toFixed(12)))).toEqual(
      [0.1, -0.1, 1 / 3].map((value) => Number(value.toFixed(12))),
    );
    expect(ends.losses[0]).toBeCloseTo(0.01, 12);
    expect(ends.losses[1]).toBeCloseTo(-0.2, 12);
    expect(ends.seesWithinSteps).toBe(false);
    const paths = lossesOfBars(bars, 'long', 2, 'excursion');
    expect(paths.seesWithinSteps).toBe(true);
    expect(paths.losses).toHaveLength(2);
    expect(paths.losses[0]).toBeCloseTo(0.2, 12);
    expect(paths.losses[1]).toBeCloseTo(1 - 90 / 110, 12);
    expect(lossesOfBars(bars, 'short', 2, 'excursion').losses[1]).toBeCloseTo(140 / 110 - 1, 12);
    expect(() => lossesOfBars(bars, 'long', 4, 'terminal')).toThrow(
      expect.objectContaining({ code: 'DATA_INSUFFICIENT' }),
    );
    expect(() => lossesOfBars(bars, 'long', 0.5, 'terminal')).toThrow(
      expect.objectContaining({ code: 'INPUT_INVALID' }),
    );
  });

  test('are not refused for a return in percent where nothing is compounded', () => {
    const sample = lossesOfReturns(Float64Array.of(-3, 2), 'long', 1, 'terminal');
    expect(sample.losses).toEqual(Float64Array.of(3, -2));
    expect(lossesOfReturns(Float64Array.of(-3, 2), 'long', 1, 'excursion').losses).toEqual(
      Float64Array.of(3, 0),
    );
    expect(quantile(sample.losses, 1)).toBe(3);
  });
});

describe('of 2,000 heavy-tailed returns', () => {
  const returns = asymmetricReturns();
  const { losses } = lossesOfReturns(returns, 'long', 1, 'terminal');

  test('the expansion of Cornish and Fisher equals SciPy, by quadrature', () => {
    const risk = cornishFisherRisk(losses, 0.99);
    if (!risk.available) throw new Error(risk.reason);
    expect(risk.valueAtRisk / 0.03452083065606864).toBeCloseTo(1, 10);
    expect(risk.expectedShortfall / 0.04968641823752968).toBeCloseTo(1, 10);
  });

  test('the tail above the threshold of a tenth equals SciPy, genpareto', () => {
    const risk = extremeValueRisk(losses, 0.99, 0.1);
    if (!risk.available) throw new Error(risk.reason);
    expect(risk.valueAtRisk / 0.025591083972724846).toBeCloseTo(1, 6);
    expect(risk.expectedShortfall / 0.035436595100235224).toBeCloseTo(1, 5);
    expect(risk.threshold).toBeCloseTo(0.01063310053166453, 14);
  });

  test('a tail has no answer of few losses, below its threshold, or without a mean', () => {
    const reasonOf = (values: Float64Array, confidence: number, share: number): string => {
      const risk = extremeValueRisk(values, confidence, share);
      return risk.available ? 'an answer' : risk.reason;
    };
    expect(reasonOf(losses.slice(0, 50), 0.99, 0.1)).toMatch('too few');
    expect(reasonOf(losses, 0.8, 0.1)).toMatch('threshold');
    const { uniform } = parkMiller(5);
    expect(
      reasonOf(
        Float64Array.from({ length: 800 }, () => uniform() ** -2 - 1),
        0.99,
        0.1,
      ),
    ).toMatch('mean');
    // The sample stays as it was.
    expect(losses).toEqual(lossesOfReturns(returns, 'long', 1, 'terminal').losses);
  });

  test('losses are made of finite returns above −1 over a whole horizon that they reach', () => {
    const refused = (code: string, ...input: Parameters<typeof lossesOfReturns>) =>
      expect(() => lossesOfReturns(...input)).toThrow(expect.objectContaining({ code }));
    for (const horizon of [0, 1.5]) refused('INPUT_INVALID', returns, 'long', horizon, 'terminal');
    refused('INPUT_INVALID', Float64Array.of(0.1, Number.NaN), 'long', 1, 'terminal');
    refused('DATA_INSUFFICIENT', returns.slice(0, 3), 'long', 4, 'terminal');
    refused('INPUT_INVALID', Float64Array.of(-1, 0.1), 'long', 2, 'terminal');
    refused('INPUT_INVALID', Float64Array.of(0.1, -1.5), 'short', 2, 'excursion');
    // A single step is not compounded.
    expect([...lossesOfReturns(Float64Array.of(-1, -3, 2), 'long', 1, 'terminal').losses]).toEqual([
      1, 3, -2,
    ]);
  });

  test('t errors have the ES of their density, by quadrature', () => {
    for (const nu of [3, 5, 12]) {
      const { valueAtRisk, expectedShortfall } = studentRisk(0.975, nu);
      // ∫ z f(z) dz over ∫ f(z) dz beyond VaR, with z = VaR/u and Simpson's rule.
      let [above, below] = [0, 0];
      const steps = 20_000;
      for (let i = 1; i <= steps; i++) {
        const u = i / steps;
        const z = valueAtRisk / u;
        const weight = (i === steps ? 1 : i % 2 === 1 ? 4 : 2) * (1 + z ** 2 / (nu - 2)) ** (-(nu + 1) / 2);
        above += (weight * z * z) / u;
        below += (weight * z) / u;
      }
      expect(above / below / expectedShortfall).toBeCloseTo(1, 6);
    }
  });
});
