import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type BarSeries, emptyBars, sliceBars } from '../bars.ts';
import { asymmetricReturns, type GoldenNumbers, parkMiller } from '../park-miller.fixture.ts';
import { ewmaVariance, fitEwma } from './ewma.ts';
import { fitHar, type HarSpecification } from './har.ts';
import {
  bipowerVariation,
  jumpVariation,
  medianRealisedVariance,
  minimumRealisedVariance,
  realisedQuarticity,
  realisedSemiVariance,
  realisedVariance,
  tripowerQuarticity,
} from './realised.ts';
import { rollingVariance, VARIANCE_ESTIMATORS, type VarianceEstimator, varianceOf } from './window.ts';

function goldenBars(count: number, { uniform, normal }: GoldenNumbers): BarSeries {
  const bars = emptyBars(count, 3_600_000);
  let price = 100;
  for (let i = 0; i < count; i++) {
    const open = price * Math.exp(0.002 * normal());
    price = open * Math.exp(0.01 * normal());
    bars.openTime[i] = i * 3_600_000;
    bars.open[i] = open;
    bars.close[i] = price;
    bars.high[i] = Math.max(open, price) * Math.exp(0.004 * uniform());
    bars.low[i] = Math.min(open, price) * Math.exp(-0.004 * uniform());
  }
  return bars;
}

/** The estimate of one window, as the formulas are written. */
function slowVariance(bars: BarSeries, from: number, to: number, estimator: VarianceEstimator): number {
  const places = Array.from({ length: to - from }, (_, i) => from + i);
  const mean = (values: number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
  const sample = (values: number[]): number =>
    values.reduce((sum, value) => sum + (value - mean(values)) ** 2, 0) / (values.length - 1);
  const { open, high, low, close } = bars;
  const rogersSatchell = mean(
    places.map(
      (i) =>
        Math.log(high[i] / close[i]) * Math.log(high[i] / open[i]) +
        Math.log(low[i] / close[i]) * Math.log(low[i] / open[i]),
    ),
  );
  if (estimator === 'rogers-satchell') return rogersSatchell;
  if (estimator === 'close') return sample(places.map((i) => Math.log(close[i] / close[i - 1])));
  if (estimator === 'parkinson')
    return mean(places.map((i) => Math.log(high[i] / low[i]) ** 2 / (4 * Math.log(2))));
  if (estimator === 'garman-klass')
    return mean(
      places.map(
        (i) =>
          0.5 * Math.log(high[i] / low[i]) ** 2 - (2 * Math.log(2) - 1) * Math.log(close[i] / open[i]) ** 2,
      ),
    );
  const n = to - from;
  const k = 0.34 / (1.34 + (n + 1) / (n - 1));
  const overnight = sample(places.map((i) => Math.log(open[i] / close[i - 1])));
  const within = sample(places.map((i) => Math.log(close[i] / open[i])));
  return overnight + k * within + (1 - k) * rogersSatchell;
}

describe('variance of a window of bars', () => {
  const bars = goldenBars(60, parkMiller(99));

  test.each([
    ['yang-zhang', 5.80290317746823e-5, 5.797419471536437e-5],
    ['close', 0.00014733251755985008, 0.00012204313514876396],
    ['parkinson', 7.587892185051818e-5, 7.198715540251798e-5],
    ['garman-klass', 5.586071720356231e-5, 5.60697137567072e-5],
    ['rogers-satchell', 4.229156818665895e-5, 4.451940649678489e-5],
  ] as const)('%s equals NumPy over the last 20 bars and over all', (estimator, last20, all) => {
    expect(rollingVariance(bars, 20, estimator).variance[59] / last20).toBeCloseTo(1, 10);
    expect(varianceOf(bars, estimator) / all).toBeCloseTo(1, 10);
  });

  test('rolls as if each window were computed alone, also over thousands of bars and a wick', () => {
    const long = goldenBars(3000, parkMiller(4));
    long.high[1500] *= 1e4;
    for (const estimator of VARIANCE_ESTIMATORS) {
      const { variance, from } = rollingVariance(long, 50, estimator);
      expect(variance.slice(0, from).every((value) => value === 0)).toBe(true);
      for (const end of [from, 1040, 1530, 1600, 2999]) {
        const slow = slowVariance(long, end - 49, end + 1, estimator);
        expect(Math.abs(variance[end] / slow - 1)).toBeLessThan(1e-9);
      }
    }
  });

  test('does not depend on the unit of the prices, and ranges do not on the direction of time', () => {
    const dear = { ...bars };
    for (const side of ['open', 'high', 'low', 'close'] as const)
      dear[side] = bars[side].map((price) => price * 7e4);
    const backwards = { ...bars, open: bars.close.slice().reverse(), close: bars.open.slice().reverse() };
    backwards.high = bars.high.slice().reverse();
    backwards.low = bars.low.slice().reverse();
    for (const estimator of VARIANCE_ESTIMATORS) {
      expect(varianceOf(dear, estimator) / varianceOf(bars, estimator)).toBeCloseTo(1, 9);
      if (estimator === 'close' || estimator === 'yang-zhang') continue;
      expect(varianceOf(backwards, estimator) / varianceOf(bars, estimator)).toBeCloseTo(1, 9);
    }
  });

  test('of bars that never move is 0, and a window that does not fit is refused', () => {
    const flat = emptyBars(30, 1);
    for (const side of ['open', 'high', 'low', 'close'] as const) flat[side].fill(5);
    for (const estimator of VARIANCE_ESTIMATORS) expect(varianceOf(flat, estimator)).toBe(0);
    for (const window of [1, 60, 2.5, Number.NaN])
      expect(() => rollingVariance(sliceBars(bars, 0, 20), window, 'close')).toThrow(
        expect.objectContaining({ code: 'INPUT_INVALID' }),
      );
  });
});

describe('realised measures of 288 returns with one jump equal NumPy and SciPy', () => {
  const { normal } = parkMiller(5);
  const returns = Float64Array.from({ length: 288 }, () => 0.001 * normal());
  returns[100] += 0.012;

  test('the jump test', () => {
    expect(tripowerQuarticity(returns) / 7.471480201602572e-8).toBeCloseTo(1, 12);
    const { jump, significantJump, test: outcome } = jumpVariation(returns, 0.001);
    expect(jump / (0.0004270406257602348 - 0.00030310926086606885)).toBeCloseTo(1, 11);
    expect(significantJump).toBe(jump);
    expect(outcome).toMatchObject({ available: true, statistic: expect.closeTo(6.311053541275554, 10) });
    if (outcome.available) expect(outcome.pValue / 1.3857114272126535e-10).toBeCloseTo(1, 9);
    expect(jumpVariation(returns, 1e-11).significantJump).toBe(0);
  });

  test('and what jumps leave alone', () => {
    expect(medianRealisedVariance(returns) / 0.000287422042981538).toBeCloseTo(1, 12);
    expect(minimumRealisedVariance(returns) / 0.00026134772513116967).toBeCloseTo(1, 12);
    expect(realisedQuarticity(returns) / 1.3789444488361125e-6).toBeCloseTo(1, 12);
  });

  test('do not know the direction of time, but for falls and rises', () => {
    const backwards = returns.slice().reverse();
    for (const measure of [
      realisedVariance,
      bipowerVariation,
      medianRealisedVariance,
      minimumRealisedVariance,
      tripowerQuarticity,
      realisedQuarticity,
    ])
      expect(measure(backwards) / measure(returns)).toBeCloseTo(1, 12);
    const turned = returns.map((value) => -value);
    expect(realisedSemiVariance(turned).upside).toBeCloseTo(realisedSemiVariance(returns).downside, 15);
  });

  test('by hand, of as few returns as each can be of', () => {
    const [two, three] = [Float64Array.of(0.02, -0.03), Float64Array.of(0.02, -0.03, 0.05)];
    expect(bipowerVariation(two)).toBeCloseTo(Math.PI * 0.0006, 15);
    expect(bipowerVariation(two.slice(1))).toBe(0);
    expect(minimumRealisedVariance(two)).toBeCloseTo((Math.PI / (Math.PI - 2)) * 2 * 0.0004, 15);
    expect(medianRealisedVariance(three)).toBeCloseTo(
      (Math.PI / (6 - 4 * Math.sqrt(3) + Math.PI)) * 3 * 0.0009,
      15,
    );
    // E|z|^(4/3) is 0.8308609.
    expect(tripowerQuarticity(three) / ((9 * 0.00003 ** (4 / 3)) / 0.8308609 ** 3)).toBeCloseTo(1, 6);
  });

  test('the jump test of a day whose volatility moves is less sure: TP/BV² comes in above 1', () => {
    const uneven = Float64Array.from({ length: 96 }, (_, i) => (i < 12 ? 10 : 1) * 0.001 * normal());
    const [total, continuous] = [realisedVariance(uneven), bipowerVariation(uneven)];
    const ratio = tripowerQuarticity(uneven) / continuous ** 2;
    expect(ratio).toBeGreaterThan(2);
    const spread = Math.sqrt(((Math.PI ** 2 / 4 + Math.PI - 5) / 96) * ratio);
    expect(jumpVariation(uneven, 0.01).test).toMatchObject({
      statistic: expect.closeTo((1 - continuous / total) / spread, 10),
    });
  });

  test('of nothing, and of returns that are all 0', () => {
    const none = new Float64Array(2);
    expect([
      medianRealisedVariance(none),
      tripowerQuarticity(none),
      minimumRealisedVariance(none.slice(1)),
    ]).toEqual([0, 0, 0]);
    expect(jumpVariation(new Float64Array(50), 0.01)).toMatchObject({ jump: 0, test: { available: false } });
    expect(() => jumpVariation(none, 0.01)).toThrow(expect.objectContaining({ code: 'DATA_INSUFFICIENT' }));
    const lonely = new Float64Array(50);
    lonely[20] = 0.1;
    expect(jumpVariation(lonely, 0.01)).toMatchObject({
      jump: expect.closeTo(0.01, 12),
      test: { available: true },
    });
  });
});

describe('the estimated decay of EWMA', () => {
  test('equals that of SciPy', () => {
    const fit = fitEwma(asymmetricReturns());
    expect(fit).toMatchObject({ available: true });
    if (!fit.available) return;
    expect(fit.decay / 0.9627448384721964).toBeCloseTo(1, 6);
    expect(fit.logLikelihood).toBeCloseTo(6427.473646893833, 7);
    expect(fit.nextVariance).toBe(ewmaVariance(asymmetricReturns(), fit.decay)[1999]);
  });

  test('is not available where nothing moves', () => {
    expect(fitEwma(new Float64Array(100))).toMatchObject({ available: false });
    const huge = asymmetricReturns().map((value) => 1e200 * value);
    expect(fitEwma(huge)).toMatchObject({ available: false, reason: expect.stringContaining('double') });
    expect(() => fitEwma(new Float64Array(10))).toThrow(
      expect.objectContaining({ code: 'DATA_INSUFFICIENT' }),
    );
  });
});

describe('the heterogeneous autoregression', () => {
  const { uniform, normal } = parkMiller(7);
  const [variance, downside, returns] = [new Float64Array(400), new Float64Array(400), new Float64Array(400)];
  for (let t = 0, level = 0; t < 400; t++) {
    level = 0.9 * level + 0.3 * normal();
    variance[t] = 1e-3 * Math.exp(level + 0.4 * normal());
    downside[t] = variance[t] * (0.2 + 0.6 * uniform());
    returns[t] = Math.sqrt(variance[t]) * normal();
  }
  const series = { variance, downside, returns };
  type Case = readonly [string, Partial<HarSpecification>, number[], number[], number, number, number];
  const cases: Case[] = [
    [
      'in logarithms',
      {},
      [-2.923497866427238, 0.37074918684520053, 0.42360659998684935, -0.21803777790765214],
      [0.5763532183234983, 0.058913728211563626, 0.08569113006769032, 0.09609713189083705],
      0.355279234133418,
      1.183060215779337,
      0.0011237525526971845,
    ],
    [
      'in levels, five periods ahead',
      { isLogarithmic: false, horizon: 5 },
      [0.0009319485285277926, 0.3215550752589014, 0.27412187431929336, -0.29426348841081784],
      [0.00015019544984896737, 0.0711816220364911, 0.1424265671147749, 0.14283654583971409],
      0.32163156461628395,
      1,
      0.0009404542957188641,
    ],
    [
      'with semi-variances and leverage, three periods ahead',
      { semiVariance: true, leverage: true, horizon: 3 },
      [
        -3.325284074101017, 0.41888712768022773, -0.2691971789353681, 0.1759915100146876, 0.14452542613335467,
        -0.3299960298885978,
      ],
      [
        0.6758314101874769, 0.08367705801056231, 0.11141179794361675, 0.043939125785940315,
        0.039779822882836595, 1.0292599336318116,
      ],
      0.4188994361961438,
      1.112773481130634,
      0.0010322145655580909,
    ],
  ];

  test.each(cases)(
    '%s equals statsmodels, with its Newey–West errors',
    (...[, specification, b, e, r2, scale, next]) => {
      const fit = fitHar(series, specification);
      if (!fit.available) throw new Error(fit.reason);
      Object.values(fit.coefficients).forEach((value, j) => {
        expect(value / b[j]).toBeCloseTo(1, 9);
      });
      Object.values(fit.standardErrors).forEach((value, j) => {
        expect(value / e[j]).toBeCloseTo(1, 9);
      });
      expect(fit.rSquared).toBeCloseTo(r2, 11);
      expect(fit.scale).toBeCloseTo(scale, 10);
      expect(fit.forecast / next).toBeCloseTo(1, 9);
      expect(fit.wasRaised).toBe(false);
    },
  );

  test('a forecast below all that was ever seen is raised, and said to be', () => {
    const falling = Float64Array.from(
      { length: 200 },
      (_, t) => 1e-3 * (1 - t / 201) * (1 + 0.2 * Math.sin(t)),
    );
    const fit = fitHar({ variance: falling }, { isLogarithmic: false });
    expect(fit).toMatchObject({ available: true, forecast: Math.min(...falling), wasRaised: true });
  });

  test('scales with the variances', () => {
    fc.assert(
      fc.property(fc.double({ min: 1e-6, max: 1e6, noNaN: true }), (unit) => {
        const scaled = fitHar({ variance: variance.map((value) => value * unit) });
        const plain = fitHar({ variance });
        return (
          scaled.available && plain.available && Math.abs(scaled.forecast / plain.forecast / unit - 1) < 1e-7
        );
      }),
      { seed: 2, numRuns: 20 },
    );
  });

  test('says why where there is none, and refuses what it cannot use', () => {
    expect(fitHar({ variance: new Float64Array(300).fill(2) })).toMatchObject({ available: false });
    expect(fitHar({ variance: variance.slice(0, 40) })).toMatchObject({ available: false });
    const refused: [Parameters<typeof fitHar>[0], Partial<HarSpecification>][] = [
      [{ variance: new Float64Array(300) }, {}],
      [{ variance }, { semiVariance: true }],
      [{ variance }, { leverage: true }],
      [{ variance, downside: variance.map((value) => 2 * value) }, { semiVariance: true }],
      [{ variance }, { horizon: 0 }],
      [{ variance }, { averages: [] }],
    ];
    for (const [input, specification] of refused)
      expect(() => fitHar(input, specification)).toThrow(expect.objectContaining({ code: 'INPUT_INVALID' }));
  });
});
